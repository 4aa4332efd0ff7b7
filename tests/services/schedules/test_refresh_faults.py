"""A refresh that fails, is cancelled, killed or taken up again, over a real queue and database."""

from __future__ import annotations

import pytest
import redis
from refresh_bench import START, TERMS, World, with_terms
from sqlalchemy import func, select, update
from workbench import execute, take_job, work_off

from knowledge_base.errors import Conflict
from services.budget import Budget
from services.mining_thread import load_run
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import Refresh, list_refreshes, list_windows, load_refresh
from services.schedules.register import ScheduleSpec, create_schedule, load_schedule
from services.schedules.stopping import cancel_refresh, resume_refresh
from services.schedules.tables import ScheduleRow
from services.sweeper import Sweeper
from services.tables import JudgmentRow, SpendingRow


class TestThingsThatGoWrong:
    """A refresh that fails says so, can be taken up again, and stops nobody else."""

    @pytest.mark.usefixtures("configured")
    def test_a_refresh_whose_mining_fails_fails_and_can_be_taken_up(self, letters: World) -> None:
        letters.vote()
        letters.pass_time(hours=1)
        refresh = _until_mining(letters)
        letters.break_thread(f"{refresh.mining}-main", "the endpoint is closed")
        letters.look()
        failed = load_refresh(letters.database, refresh.id)
        assert failed.status == "failed"
        assert "the endpoint is closed" in failed.fault
        assert list(letters.windows().values()) == ["failed"]
        assert letters.events() == ["run.failed"]
        resume_refresh(letters.deployment, refresh.id, letters.now)
        letters.run_out()
        assert load_refresh(letters.database, refresh.id).status == "finished"
        assert list(letters.windows().values()) == ["finished"]

    def test_a_refresh_whose_own_thread_is_given_up_fails(self, letters: World) -> None:
        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        letters.look()
        letters.break_thread(begun.thread, "its worker died 3 times")
        letters.look()
        assert load_refresh(letters.database, begun.id).fault == "its worker died 3 times"

    def test_a_dataset_that_is_gone_fails_its_schedule_alone(self, letters: World) -> None:
        spec = ScheduleSpec(name="a lost one", dataset="nowhere", criteria_set="letters", cron="0 * * * *")
        lost = create_schedule(letters.database, spec, "ada", START)
        letters.vote()
        letters.pass_time(hours=1)
        letters.run_out()
        [window] = list_windows(letters.database, lost.id)
        assert window.status == "failed"
        assert "there is no dataset 'nowhere'" in window.why
        assert list(letters.windows().values()) == ["finished"]

    @pytest.mark.usefixtures("configured")
    def test_a_schedule_that_cannot_be_read_does_not_stop_the_others(self, letters: World) -> None:
        broken = create_schedule(
            letters.database, ScheduleSpec(name="a", dataset="d", criteria_set="c", cron="@hourly"), "ada", START
        )
        with letters.database.write() as connection:
            connection.execute(update(ScheduleRow).where(ScheduleRow.id == broken.id).values(terms="{nonsense"))
        letters.vote()
        letters.pass_time(hours=1)
        faults = [h for h in letters.look() if h.what == "fault"]
        assert [h.schedule for h in faults] == [broken.id]
        work_off(letters.deployment)
        with letters.database.write() as connection:
            connection.execute(update(ScheduleRow).where(ScheduleRow.id == broken.id).values(terms="{}"))
        assert "ValidationError" in load_schedule(letters.database, broken.id).fault
        letters.run_out()
        assert list(letters.windows().values()) == ["finished"]
        assert load_schedule(letters.database, broken.id).fault == ""

    @pytest.mark.usefixtures("configured")
    def test_a_cancelled_refresh_asks_nothing_more_and_may_be_taken_up(self, letters: World) -> None:
        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        letters.look()
        _advance_once(letters)
        cancelled = cancel_refresh(letters.deployment, begun.id, "bob", letters.now)
        assert (cancelled.status, cancelled.fault) == ("cancelled", "cancelled by bob")
        assert cancel_refresh(letters.deployment, begun.id, "eve", letters.now) == cancelled
        work_off(letters.deployment)
        with letters.database.read() as connection:
            answered = (JudgmentRow.asked_by == begun.id, JudgmentRow.status != "missing")
            assert connection.execute(select(func.count()).where(*answered)).scalar_one() == 0
        resume_refresh(letters.deployment, begun.id, letters.now)
        letters.run_out()
        assert load_refresh(letters.database, begun.id).status == "finished"
        with pytest.raises(Conflict, match="has finished"):
            cancel_refresh(letters.deployment, begun.id, "bob", letters.now)
        with pytest.raises(Conflict, match="begin another"):
            resume_refresh(letters.deployment, begun.id, letters.now)

    def test_a_queue_that_is_away_fails_nothing_and_a_sweep_goes_on(
        self, letters: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(threads: object) -> None:
            raise redis.ConnectionError("away")

        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        with monkeypatch.context() as patched:
            patched.setattr(letters.deployment.queue, "advance", away)
            assert [h.what for h in letters.look()] == ["fault"]
        assert load_refresh(letters.database, begun.id).step == "judge"
        Sweeper(letters.deployment).sweep()
        letters.run_out()
        assert load_refresh(letters.database, begun.id).status == "finished"

    @pytest.mark.usefixtures("configured")
    def test_a_cancelled_refresh_leaves_a_run_alone_that_another_waits_for(self, letters: World) -> None:
        letters.vote()
        spec = ScheduleSpec(name="twin", dataset=letters.dataset, criteria_set="letters", cron="@daily", terms=TERMS)
        twin = create_schedule(letters.database, spec, "ada", START)
        both = [refresh_now(letters.database, s, "ada", letters.now).id for s in (letters.schedule.id, twin.id)]
        letters.look()
        while not all(load_refresh(letters.database, r).mining for r in both):
            job = take_job(letters.deployment)
            assert job is not None
            execute(letters.deployment, job)
        assert len({load_refresh(letters.database, r).mining for r in both}) == 1
        cancel_refresh(letters.deployment, both[0], "bob", letters.now)
        letters.run_out()
        assert [load_refresh(letters.database, r).status for r in both] == ["cancelled", "finished"]

    def test_a_schedule_has_one_refresh_at_a_time(self, letters: World) -> None:
        first = refresh_now(letters.database, letters.schedule.id, "ada", letters.now, key="k")
        assert refresh_now(letters.database, letters.schedule.id, "bob", letters.now, key="k") == first
        with pytest.raises(Conflict, match=first.id):
            refresh_now(letters.database, letters.schedule.id, "bob", letters.now)
        cancel_refresh(letters.deployment, first.id, "ada", letters.now)
        second = refresh_now(letters.database, letters.schedule.id, "bob", letters.now)
        with pytest.raises(Conflict, match=second.id):
            resume_refresh(letters.deployment, first.id, letters.now)

    def test_a_window_waits_for_a_refresh_that_a_person_began(self, letters: World) -> None:
        letters.vote()
        refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        letters.pass_time(hours=1)
        letters.look()
        assert list(letters.windows().values()) == ["due"]
        letters.run_out()
        assert list(letters.windows().values()) == ["skipped"]

    def test_a_budget_that_judging_used_up_ends_the_refresh_with_what_it_found(self, letters: World) -> None:
        with_terms(letters, budget=Budget(calls=5))
        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        with letters.database.write() as connection:
            spent = {"run": begun.id, "work": "mining", "calls": 5, "tokens": 0, "money": 0}
            connection.execute(SpendingRow.__table__.insert(), [spent])  # type: ignore[attr-defined]
        letters.run_out()
        found = load_refresh(letters.database, begun.id)
        assert (found.status, found.mining) == ("finished", "")
        assert found.drift is not None
        assert "used up the budget" in found.steps[-1].told

    def test_mining_gets_what_judging_left_of_the_budget(self, letters: World) -> None:
        with_terms(letters, budget=Budget(calls=500, tokens=1000))
        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        with letters.database.write() as connection:
            spent = {"run": begun.id, "work": "mining", "calls": 120, "tokens": 300, "money": 0}
            connection.execute(SpendingRow.__table__.insert(), [spent])  # type: ignore[attr-defined]
        letters.run_out()
        budget = load_run(letters.database, load_refresh(letters.database, begun.id).mining).config.budget
        assert (budget.calls, budget.tokens, budget.cost) == (380, 700, None)


def _advance_once(letters: World) -> None:
    """Do the next job that is no judging."""
    job = take_job(letters.deployment)
    assert job is not None
    execute(letters.deployment, job)


def _until_mining(letters: World) -> Refresh:
    """A window's refresh, as far as its run has been created and not begun."""
    letters.look()
    [found] = list_refreshes(letters.database, letters.schedule.id)
    while not (found := load_refresh(letters.database, found.id)).mining:
        job = take_job(letters.deployment)
        assert job is not None
        execute(letters.deployment, job)
    return found
