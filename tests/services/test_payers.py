"""Every call is charged to one key: of whoever ordered or began what it was made for, the first where several did."""

from __future__ import annotations

import time
from typing import Any

import pytest
from workbench import new_run

from knowledge_base.errors import AccessDenied
from services.access.allowance import DailyAllowance
from services.access.identity import LOCAL
from services.access.keys import create_key
from services.api.allowance import check_allowance
from services.database import Database
from services.labelling.tables import LabellingRow
from services.orders.tables import LabellingOrderRow, OrderRow
from services.payers import daily_of, used_today
from services.schedules.tables import RefreshRow, ScheduleRow
from services.tables import CallRow
from services.usage_report import usage_by

CALL = {"work": "mining", "stage": "judge", "model": "m", "ended": "answered", "prompt": 4, "completion": 1}


def put(database: Database, table: Any, **row: Any) -> None:
    with database.write() as connection:
        connection.execute(table.__table__.insert(), [row])


def call(database: Database, run: str, cost: float | None = 0.25, at: float = 0.0) -> None:
    put(database, CallRow, **CALL, run=run, cost=cost, at=at or time.time())


def schedule(database: Database, key: str = "k-schedule", by: str = "who made the schedule") -> None:
    row = {"id": "s", "name": "s", "dataset": "d", "criteria_set": "c", "cron": "@daily", "zone": "UTC", "terms": "{}"}
    put(database, ScheduleRow, **row, created_by=by, key=key)


def refresh(database: Database, name: str, number: int, **more: Any) -> None:
    row = {"id": name, "schedule": "s", "number": number, "terms": "{}", "source": "d", "criteria_set": "c"}
    put(database, RefreshRow, **row, **more)


def order(database: Database, key: str, at: float = 1.0) -> str:
    run = new_run(database)
    put(database, OrderRow, run=run, name="line", by=f"name of {key}", key=key, created_at=at)
    return run


def by_key(database: Database) -> dict[str | None, int]:
    return {row.key: row.calls for row in usage_by(database, ("key",))}


def test_runs_labellings_and_refreshes_are_charged_to_whoever_wanted_them(database: Database) -> None:
    run = order(database, "k-run")
    texts = {"name": "f", "digest": "", "criteria_set": "{}", "panel": "{}", "voters": "[]", "rule": "{}"}
    put(database, LabellingRow, id="l", **texts)
    put(database, LabellingOrderRow, labelling="l", by="who labels", key="k-label")
    schedule(database)
    refresh(database, "windowed", 1, key="k-schedule", mining="mined")
    refresh(database, "by hand", 2, key="k-hand", begun_by="who began it", mining="mined by hand")
    for asked in (run, "l", "windowed", "mined", "by hand", "mined by hand", "mined by hand", "a command's"):
        call(database, asked)
    assert by_key(database) == {
        "": 1, "name of k-run": 1, "who labels": 1, "who made the schedule": 2, "who began it": 3,
    }  # fmt: skip
    used = {key: used_today(database, key)[0] for key in ("k-run", "k-label", "k-schedule", "k-hand", "k")}
    assert used == {"k-run": 1, "k-label": 1, "k-schedule": 2, "k-hand": 3, "k": 0}
    assert used_today(database, "k-hand") == (3, 15, 0.75)


def test_a_run_that_several_wanted_is_charged_once_to_the_first(database: Database) -> None:
    run = order(database, "k-run", at=100.0)
    schedule(database)
    refresh(database, "later", 1, key="k-later", begun_by="later", mining=run, gathered_at=300.0)
    refresh(database, "earlier", 2, key="k-earlier", begun_by="earlier", mining="shared", gathered_at=50.0)
    refresh(database, "late", 3, key="k-later", begun_by="later", mining="shared", gathered_at=60.0)
    for asked in (run, "shared"):
        call(database, asked)
    assert by_key(database) == {"name of k-run": 1, "earlier": 1}
    assert [used_today(database, key)[0] for key in ("k-run", "k-earlier", "k-later")] == [1, 1, 0]


def test_an_order_of_what_a_refresh_had_mined_does_not_pay_for_it(database: Database) -> None:
    run = order(database, "k-run", at=100.0)
    schedule(database)
    refresh(database, "r", 1, key="k-schedule", mining=run, gathered_at=50.0)
    call(database, run)
    assert by_key(database) == {"who made the schedule": 1}


def test_sums_by_other_things_are_of_all_calls_each_once(database: Database) -> None:
    schedule(database)
    refresh(database, "one", 1, key="k", mining="shared")
    refresh(database, "two", 2, key="k", mining="shared")
    call(database, "shared")
    call(database, "shared", cost=None)
    for by in (("run",), ("run", "key"), ("model",)):
        [row] = usage_by(database, by)  # type: ignore[arg-type]
        assert (row.calls, row.cost) == (2, None)


def test_only_today_counts(database: Database) -> None:
    run = order(database, "k")
    call(database, run, at=time.time() - 86_400)
    assert used_today(database, "k") == (0, 0, 0.0)


@pytest.mark.parametrize("daily", [DailyAllowance(calls=1), DailyAllowance(tokens=5), DailyAllowance(cost=0.25)])
def test_what_a_refresh_takes_uses_up_the_allowance_of_who_began_it(database: Database, daily: DailyAllowance) -> None:
    caller = LOCAL.model_copy(update={"key": "k", "daily": daily})
    schedule(database)
    refresh(database, "r", 1, key="k", begun_by="ada", mining="m")
    check_allowance(database, caller)
    call(database, "m")
    with pytest.raises(AccessDenied, match="are used up") as denied:
        check_allowance(database, caller)
    assert denied.value.retry_after is not None
    check_allowance(database, caller.model_copy(update={"key": "another"}))
    check_allowance(database, caller.model_copy(update={"daily": DailyAllowance()}))


def test_the_allowance_of_a_key_is_found_by_its_id(database: Database) -> None:
    made = create_key(database, "k", ["run"], daily=DailyAllowance(tokens=7)).key.id
    assert daily_of(database, made) == DailyAllowance(tokens=7)
    assert daily_of(database, "local") == DailyAllowance()
