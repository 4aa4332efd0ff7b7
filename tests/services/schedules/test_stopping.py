"""A refresh that is stopped amid a step can be taken up again, and no evidence counts twice for it."""

from __future__ import annotations

from typing import Any

import pytest
from refresh_bench import World
from sqlalchemy import select, update

from agents.drift import DriftState
from knowledge_base.errors import Conflict
from services.schedules import examining
from services.schedules import working as steps
from services.schedules.acknowledging import acknowledge_drift
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import Refresh, load_refresh
from services.schedules.stopping import cancel_refresh, resume_refresh
from services.schedules.tables import DriftRow, RefreshRow
from services.schedules.work import Work
from services.tables import ThreadRow


def stopped_amid(letters: World, monkeypatch: pytest.MonkeyPatch, step: Any) -> Refresh:
    """A refresh that somebody cancels while a worker is at a step."""
    real, done = steps.STEPS[step], []

    def meddle(work: Work) -> Any:
        if not done:
            done.append(cancel_refresh(letters.deployment, work.refresh.id, "bob", letters.now))
        return real(work)

    monkeypatch.setitem(steps.STEPS, step, meddle)
    letters.vote()
    found = letters.refresh()
    assert (found.status, found.step) == ("cancelled", step)
    return found


def running(letters: World) -> list[str]:
    """Threads that anybody would work on."""
    with letters.database.read() as connection:
        query = select(ThreadRow.id).where(ThreadRow.status == "running")
        return list(connection.execute(query).scalars())


def evidence(letters: World) -> tuple[str, str, float]:
    with letters.database.read() as connection:
        row = connection.execute(select(DriftRow.state, DriftRow.dataset, DriftRow.votes_until)).one()
    return row.state, row.dataset, row.votes_until


@pytest.mark.parametrize("step", ["judge", "examine", "mine", "propose"])
def test_one_that_was_cancelled_amid_a_step_is_taken_up_and_ends_well(
    letters: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stopped = stopped_amid(letters, monkeypatch, step)
    resume_refresh(letters.deployment, stopped.id, letters.now)
    letters.run_out()
    ended = load_refresh(letters.database, stopped.id)
    assert (ended.status, ended.step) == ("finished", "done")
    assert letters.threads(stopped.id) == {"refresh": "finished"}
    assert letters.refresh().number == ended.number + 1, "its schedule is free"


@pytest.mark.usefixtures("configured")
def test_one_that_was_cancelled_as_its_run_was_made_leaves_nobody_mining(
    letters: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stopped_amid(letters, monkeypatch, "mine")
    assert stopped.mining == ""
    assert running(letters) == []


def test_one_whose_thread_had_ended_as_it_was_cancelled_is_taken_up(letters: World) -> None:
    letters.vote()
    begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
    letters.look()
    cancel_refresh(letters.deployment, begun.id, "bob", letters.now)
    with letters.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == begun.thread).values(status="finished"))
    resume_refresh(letters.deployment, begun.id, letters.now)
    letters.run_out()
    assert load_refresh(letters.database, begun.id).status == "finished"


@pytest.mark.usefixtures("configured")
def test_votes_that_a_later_one_has_examined_are_not_examined_again(letters: World) -> None:
    letters.vote()
    first = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
    letters.look()
    letters.break_thread(first.thread, "the endpoint is closed")
    letters.look()
    letters.vote(seed=5)
    second = letters.refresh()
    before = evidence(letters)
    with pytest.raises(Conflict, match=f"{second.id} has examined the votes .* begin another one"):
        resume_refresh(letters.deployment, first.id, letters.now)
    letters.run_out()
    assert evidence(letters) == before
    assert load_refresh(letters.database, first.id).status == "failed"
    assert running(letters) == []


def test_one_that_had_examined_is_taken_up_whatever_was_examined_since(
    letters: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stopped_amid(letters, monkeypatch, "propose")
    letters.vote(seed=5)
    assert letters.refresh().status == "finished"
    before = evidence(letters)
    resume_refresh(letters.deployment, first.id, letters.now)
    letters.run_out()
    assert load_refresh(letters.database, first.id).status == "finished"
    assert evidence(letters) == before


def test_one_that_finds_its_votes_examined_as_it_comes_to_them_fails_and_says_why(
    letters: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meddle(before: DriftState, data: Any) -> Any:
        with letters.database.write() as connection:
            later = {**row, "votes_until": letters.now.timestamp() + 1e9, "refresh": "a-later-one"}
            connection.execute(DriftRow.__table__.insert(), [later])  # type: ignore[attr-defined]
        return real(before, data)

    real = examining.examine
    row = {"schedule": letters.schedule.id, "version": letters.approved.version, "state": "kept", "dataset": "d"}
    monkeypatch.setattr(examining, "examine", meddle)
    letters.vote()
    found = letters.refresh()
    assert (found.status, found.drift) == ("failed", None)
    assert "a-later-one has examined" in found.fault
    assert evidence(letters)[0] == "kept"


def test_evidence_that_was_begun_anew_amid_an_examination_is_not_written_over(
    letters: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped, acknowledged and taken up, all while a worker examines: what it had read stands no more."""
    letters.vote()
    letters.refresh()
    counts: list[int] = []

    def meddle(before: DriftState, data: Any) -> Any:
        counts.append(before.refreshes)
        if len(counts) == 1:
            with letters.database.read() as connection:
                mine = connection.execute(select(RefreshRow.id).where(RefreshRow.status == "running")).scalar_one()
            cancel_refresh(letters.deployment, mine, "bob", letters.now)
            acknowledge_drift(letters.database, letters.schedule.id)
            resume_refresh(letters.deployment, mine, letters.now)
        return real(before, data)

    real = examining.examine
    monkeypatch.setattr(examining, "examine", meddle)
    letters.vote(seed=5)
    found = letters.refresh()
    assert found.status == "finished"
    assert counts == [1, 0], "it is done again, on the evidence that stands"
    assert DriftState.model_validate_json(evidence(letters)[0]).refreshes == 1
