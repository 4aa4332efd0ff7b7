"""A window is charged to whoever made the schedule, and waits for another day where that key has had its share."""

from __future__ import annotations

import time

import pytest
from refresh_bench import TERMS, World
from sqlalchemy import update

from services.access.allowance import DailyAllowance
from services.access.keys import create_key
from services.payers import used_today
from services.schedules.refreshes import list_refreshes, list_windows
from services.schedules.register import ScheduleSpec, change_schedule, create_schedule
from services.tables import CallRow

CALL = {"work": "mining", "stage": "judge", "model": "m", "ended": "answered", "prompt": 5, "completion": 1}


@pytest.fixture
def key(letters: World) -> str:
    """A key that may make two calls a day, and has made the schedule."""
    made = create_key(letters.database, "weekly", ["run"], daily=DailyAllowance(calls=2)).key.id
    spec = ScheduleSpec(**letters.schedule.model_dump(include=set(ScheduleSpec.model_fields)))
    change_schedule(letters.database, letters.schedule.id, spec.model_copy(update={"enabled": False}), letters.now)
    spec = spec.model_copy(update={"name": "of a key", "terms": TERMS})
    letters.schedule = create_schedule(letters.database, spec, "weekly", letters.now, made)
    return made


def call(letters: World, run: str, times: int = 1, ago: float = 0.0) -> None:
    rows = [{**CALL, "run": run, "cost": 0.5, "at": time.time() - ago}] * times
    with letters.database.write() as connection:
        connection.execute(CallRow.__table__.insert(), rows)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("configured")
def test_a_window_waits_while_the_key_has_had_its_share_and_says_so(letters: World, key: str) -> None:
    letters.vote()
    letters.pass_time(hours=1)
    letters.run_out()
    [first] = list_refreshes(letters.database, letters.schedule.id)
    assert (first.status, first.key) == ("finished", key)
    call(letters, first.id)
    call(letters, first.mining)
    assert used_today(letters.database, key) == (2, 12, 1.0)
    letters.vote(seed=2)
    letters.pass_time(hours=1)
    letters.run_out()
    waits, done = list_windows(letters.database, letters.schedule.id)
    assert (waits.status, done.status) == ("due", "finished")
    assert "daily calls of 2 are used up" in waits.why
    with letters.database.write() as connection:
        connection.execute(update(CallRow).values(at=CallRow.at - 86_400))
    letters.run_out()
    [went, _] = list_windows(letters.database, letters.schedule.id)
    assert (went.status, went.refresh != "") == ("finished", True)
    assert "waits" not in went.why


def test_a_window_that_waits_is_stood_for_by_the_next_one(letters: World, key: str) -> None:
    letters.vote()
    letters.pass_time(hours=1)
    letters.run_out()
    [first] = list_refreshes(letters.database, letters.schedule.id)
    call(letters, first.id, 2)
    for _ in range(2):
        letters.pass_time(hours=1)
        letters.run_out()
    assert list(letters.windows().values()) == ["finished", "missed", "due"]


def test_what_others_are_charged_for_holds_up_no_window(letters: World, key: str) -> None:
    call(letters, "of somebody else", 9)
    letters.vote()
    letters.pass_time(hours=1)
    letters.run_out()
    assert list(letters.windows().values()) == ["finished"]
    assert used_today(letters.database, key) == (0, 0, 0.0)
