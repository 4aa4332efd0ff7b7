"""Only what is old and serves no evidence is removed, a little at a time; a dry run counts the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import func, insert, select, text, update
from typer.testing import CliRunner
from workbench import SMALL, alone, bench, finish, new_run, outcome

from services import retention
from services.annotation.spool import PREFIX
from services.api.tables import OnceRow
from services.cli.retention import retention as command
from services.criteria_sets.tables import CriteriaSetRow
from services.deployment import Deployment
from services.retention import AT_ONCE, DAY, remove_old
from services.roles.settings import RoleSettings
from services.roles.tables import TurnRow
from services.tables import CallRow, JudgmentRow, MeasurementRow, OutcomeRow, ReplyRow, RunRow, Tables, ThreadRow
from services.telemetry.call_sums import call_sums, sum_up

pytestmark = pytest.mark.usefixtures("configured")

NOW = 1_000 * DAY
ALL = {
    "keep_calls_days": 10, "keep_replies_days": 10, "keep_checkpoints_days": 10, "keep_requests_days": 10,
    "keep_deliveries_days": 10, "keep_jobs_days": 10,
}  # fmt: skip
NEVER: dict[str, Any] = dict.fromkeys(ALL, 0)


@pytest.fixture
def deployment(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr(retention, "REST_SECONDS", 0)
    with bench(place) as opened:
        yield opened


def removed(deployment: Deployment, *, dry_run: bool = False, **kept: Any) -> dict[str, int]:
    settings = RoleSettings(**{**NEVER, **kept})
    found = remove_old(deployment.database, settings, NOW, dry_run=dry_run)
    return {r.what: r.removed for r in found if r.removed}


def put(deployment: Deployment, table: type[Tables], *rows: dict[str, Any]) -> None:
    with deployment.database.write() as connection:
        connection.execute(insert(table), list(rows))


def count(deployment: Deployment, table: type[Tables]) -> int:
    with deployment.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def days_ago(days: float) -> float:
    return NOW - days * DAY


def replies(deployment: Deployment, *ages: float) -> None:
    put(
        deployment, ReplyRow, *({"key": f"k{i}-{age}", "body": "{}", "at": days_ago(age)} for i, age in enumerate(ages))
    )


def test_what_is_older_than_its_days_goes_and_the_rest_stays(deployment: Deployment) -> None:
    replies(deployment, 5, 9.9, 10.1, 400)
    assert removed(deployment, keep_replies_days=10) == {"replies": 2}
    assert count(deployment, ReplyRow) == 2
    assert removed(deployment, keep_replies_days=10) == {}


def test_nothing_goes_unless_it_is_asked_for(deployment: Deployment) -> None:
    replies(deployment, 400)
    finish(deployment, new_run(deployment.database))
    assert removed(deployment) == {}
    assert count(deployment, ReplyRow) == 1


def test_a_dry_run_tells_what_would_go_and_removes_nothing(deployment: Deployment) -> None:
    replies(deployment, 5, 20, 30)
    put(
        deployment, OnceRow, {"caller": "c", "token": "t", "digest": "d", "status": 200, "body": "", "at": days_ago(20)}
    )
    finish(deployment, aged(deployment, new_run(deployment.database)))
    expected = removed(deployment, dry_run=True, **ALL)
    assert expected == {"replies": 2, "requests": 1, "checkpoints": 1}
    assert removed(deployment, **ALL) == expected
    assert removed(deployment, **ALL) == {}


def test_much_goes_in_many_short_transactions(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = retention.Rows.remove
    monkeypatch.setattr(retention.Rows, "remove", lambda *given: sizes.append(real(*given)) or sizes[-1])
    replies(deployment, *[50] * (2 * AT_ONCE + 7))
    assert removed(deployment, keep_replies_days=10) == {"replies": 2 * AT_ONCE + 7}
    assert [s for s in sizes if s] == [AT_ONCE, AT_ONCE, 7]


def aged(deployment: Deployment, run: str, days: float = 100) -> str:
    with deployment.database.write() as connection:
        connection.execute(update(RunRow).where(RunRow.id == run).values(created_at=days_ago(days)))
    return run


def checkpoints(deployment: Deployment) -> set[str]:
    with deployment.database.read() as connection:
        return set(connection.execute(text("SELECT DISTINCT thread_id FROM checkpoints")).scalars())


def test_the_states_of_a_run_that_finished_go_and_its_result_stays(deployment: Deployment) -> None:
    run = aged(deployment, new_run(deployment.database))
    finish(deployment, run)
    before = outcome(deployment, run)
    assert checkpoints(deployment) == {f"{run}-main"}
    assert removed(deployment, keep_checkpoints_days=10) == {"checkpoints": 1}
    assert checkpoints(deployment) == set()
    assert outcome(deployment, run) == before == alone(deployment, run)


@pytest.mark.parametrize("status", ["running", "failed"])
def test_the_states_of_a_run_that_goes_on_or_may_be_taken_up_again_stay(deployment: Deployment, status: str) -> None:
    run = aged(deployment, new_run(deployment.database, config=SMALL))
    finish(deployment, run, ("main", "fold-1"))
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == f"{run}-fold-2").values(status=status))
    assert removed(deployment, keep_checkpoints_days=10) == {}
    assert f"{run}-main" in checkpoints(deployment)


def test_the_states_of_a_young_run_stay(deployment: Deployment) -> None:
    finish(deployment, aged(deployment, new_run(deployment.database), days=3))
    assert removed(deployment, keep_checkpoints_days=10) == {}


def test_without_any_checkpoint_there_is_nothing_to_remove(deployment: Deployment) -> None:
    assert removed(deployment, keep_checkpoints_days=10) == {}


def calls(deployment: Deployment, run: str, *ages: float) -> None:
    row = {"run": run, "work": "mining", "stage": "judge", "model": "openai:m", "ended": "answered", "cost": 1.0}
    put(deployment, CallRow, *({**row, "at": days_ago(age)} for age in ages))


def test_calls_go_once_they_are_summed_up_and_what_was_spent_is_told_as_before(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    finish(deployment, run)
    calls(deployment, run, 30, 20, 5)
    before = call_sums(deployment.database)
    assert removed(deployment, keep_calls_days=10) == {}, "they are in no sum yet"
    sum_up(deployment.database, NOW)
    assert removed(deployment, keep_calls_days=10) == {"calls": 2}
    assert call_sums(deployment.database) == before


def test_calls_of_what_still_runs_or_is_evidence_for_a_set_stay(deployment: Deployment) -> None:
    running, offered = new_run(deployment.database), new_run(deployment.database, config=SMALL)
    finish(deployment, offered, ("main", "fold-1", "fold-2", "fold-3"))
    with deployment.database.write() as connection:
        needed = {c.name for c in CriteriaSetRow.__table__.columns if not c.nullable and c.default is None}
        row = dict.fromkeys(needed, "x") | {"run": offered}
        if "created_at" in row:
            row["created_at"] = 1.0
        connection.execute(insert(CriteriaSetRow).values(**row))
    calls(deployment, running, 30)
    calls(deployment, offered, 30)
    sum_up(deployment.database, NOW)
    assert removed(deployment, keep_calls_days=10) == {}
    assert count(deployment, CallRow) == 2


def turn(deployment: Deployment, batch: str, days: float) -> None:
    row = {
        "batch": batch,
        "transport": "x",
        "owner": "o",
        "unit": "u",
        "line": "l",
        "queued": True,
        "at": days_ago(days),
    }
    put(deployment, TurnRow, row)


def test_hand_outs_that_nothing_waits_for_go(deployment: Deployment) -> None:
    new_run(deployment.database)
    deployment.turns.offer("run", "run-main", ["judge-x-young"])
    turn(deployment, "judge-x-old", 30)
    turn(deployment, "judge-x-missing", 30)
    finish(deployment, new_run(deployment.database, config=SMALL))
    with deployment.database.write() as connection:
        connection.execute(update(TurnRow).where(TurnRow.batch == "judge-x-young").values(at=days_ago(1)))
        first = select(JudgmentRow.key).limit(1).scalar_subquery()
        waits = update(JudgmentRow).where(JudgmentRow.key == first)
        connection.execute(waits.values(batch="judge-x-missing", status="missing"))
    assert removed(deployment, keep_jobs_days=10) == {"hand-outs": 1}


def test_measurements_of_older_signals_go_only_when_they_are_not_to_be_kept(deployment: Deployment) -> None:
    from agents.signals.measurement import signals_version

    rows = [{"version": v, "text": "t", "name": "words", "value": 1.0} for v in ("older", signals_version())]
    put(deployment, MeasurementRow, *rows)
    assert removed(deployment) == {}
    assert removed(deployment, keep_old_measurements=False) == {"measurements": 1}
    assert count(deployment, MeasurementRow) == 1


def test_evidence_is_never_removed(deployment: Deployment) -> None:
    finish(deployment, aged(deployment, new_run(deployment.database)))
    tables = (JudgmentRow, RunRow, ThreadRow, OutcomeRow)
    before = [count(deployment, table) for table in tables]
    removed(deployment, **ALL, keep_old_measurements=False)
    assert [count(deployment, table) for table in tables] == before
    assert all(before)


def test_the_command_says_what_goes(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", deployment.settings.database)
    monkeypatch.setenv("TOUCHSTONE_KEEP_REPLIES_DAYS", "10")
    put(deployment, ReplyRow, {"key": "k", "body": "{}", "at": 1.0})
    app = typer.Typer()
    app.command()(command)
    told = CliRunner().invoke(app, ["--dry-run"]).stdout
    assert "replies       1 would be removed (older than 10 days)" in told
    assert "calls         kept for ever" in told
    assert count(deployment, ReplyRow) == 1
    found = CliRunner().invoke(app, ["--json"]).stdout
    assert '{"what": "replies", "kept_days": 10, "removed": 1}' in found
    assert count(deployment, ReplyRow) == 0


def test_what_killed_uploads_left_goes_after_a_day(deployment: Deployment, place: Path) -> None:
    old, new = (place / "spool" / f"{PREFIX}{name}" for name in ("old", "new"))
    for each, days in ((old, 1.1), (new, 0.9)):
        each.mkdir(parents=True)
        os.utime(each, (days_ago(days), days_ago(days)))
    settings = deployment.settings.model_copy(update={"upload_folder": str(place / "spool"), **NEVER})
    counted = remove_old(deployment.database, settings, NOW, dry_run=True)
    assert {r.what: r.removed for r in counted if r.removed} == {"uploads": 1}
    assert remove_old(deployment.database, settings, NOW) == counted
    assert [p.name for p in (place / "spool").iterdir()] == [new.name]


def test_uploads_are_looked_for_where_the_environment_has_them(
    deployment: Deployment, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_UPLOAD_FOLDER", str(place / "elsewhere"))
    left = place / "elsewhere" / f"{PREFIX}left"
    left.mkdir(parents=True)
    os.utime(left, (days_ago(3), days_ago(3)))
    assert removed(deployment) == {"uploads": 1}
    assert not left.exists()
