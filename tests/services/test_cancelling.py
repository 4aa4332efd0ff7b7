"""A cancelled run pays for nothing more, whatever was under way; who takes it up again gets all that it asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from batch_desk import DATASET, Desk
from letter_parties import LetterManager, LetterParties
from sqlalchemy import func, select, update
from workbench import SMALL, alone, bench, new_run, outcome, take_job, thread_row, waiting, with_parties, work_off

from agents.manager import Brief, Proposal
from services import jobs
from services.batches import begin, cause_of, hand_out
from services.database import Database
from services.deployment import Deployment
from services.halting import halt, take_up
from services.jobs import advance_thread, judge_rows
from services.orders.order import Customer, cancel, load_order, place_order, resume
from services.sql_ledger import SqlLedger
from services.tables import JudgmentRow, ThreadRow

ME = Customer("letters", "me")


@pytest.fixture
def deployment(place: Path, configured: None) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


class Minutes(LetterParties):
    """Parties whose manager takes long: something happens while it proposes."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def manager(self) -> LetterManager:
        manager, real = super().manager(), LetterManager.seed

        def seed(brief: Brief, n: int) -> list[Proposal]:
            self.meanwhile()
            return real(manager, brief, n)

        manager.seed = seed  # type: ignore[method-assign]
        return manager


def judged(deployment: Deployment) -> int:
    with deployment.database.read() as connection:
        query = select(func.count()).select_from(JudgmentRow).where(JudgmentRow.status != "missing")
        return int(connection.execute(query).scalar_one())


def ordered(deployment: Deployment) -> str:
    run = new_run(deployment.database)
    place_order(deployment, run, ME)
    assert take_job(deployment) is not None, "the test advances the thread itself"
    return run


def test_a_run_cancelled_while_its_manager_thinks_asks_for_no_judgment(deployment: Deployment) -> None:
    run = ordered(deployment)
    slow = with_parties(deployment, Minutes(lambda: cancel(deployment.database, run, "me")))
    advance_thread(slow, f"{run}-main")
    work_off(deployment)
    assert judged(deployment) == 0
    stands = thread_row(deployment, f"{run}-main")
    assert (stands.status, stands.fault, stands.lease_owner) == ("failed", "cancelled by me", "")


def test_taken_up_again_it_asks_what_it_would_have_asked(deployment: Deployment) -> None:
    run = ordered(deployment)
    slow = with_parties(deployment, Minutes(lambda: cancel(deployment.database, run, "me")))
    advance_thread(slow, f"{run}-main")
    work_off(deployment)
    resume(deployment, run)
    work_off(deployment)
    assert load_order(deployment.database, run).state == "finished"
    assert outcome(deployment, run) == alone(deployment, run)


def test_taken_up_while_the_manager_still_thinks_it_goes_on_as_if_nothing_had_been(deployment: Deployment) -> None:
    run = ordered(deployment)

    def meanwhile() -> None:
        cancel(deployment.database, run, "me")
        resume(deployment, run)

    advance_thread(with_parties(deployment, Minutes(meanwhile)), f"{run}-main")
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


def test_taken_up_just_after_it_was_refused_its_judgments_no_sweep_is_needed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered(deployment)

    def refused(*given: object) -> list[str]:
        batches = hand_out(*given)  # type: ignore[arg-type]
        monkeypatch.setattr(jobs, "hand_out", hand_out)
        resume(deployment, run)
        job = take_job(deployment)
        assert job is not None
        assert not advance_thread(deployment, job.args[0]), "the lease is still held"
        assert batches == []
        return batches

    monkeypatch.setattr(jobs, "hand_out", refused)
    advance_thread(with_parties(deployment, Minutes(lambda: cancel(deployment.database, run, "me"))), f"{run}-main")
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


def test_batches_of_a_thread_that_failed_are_not_judged_though_they_stand_on_the_queue(deployment: Deployment) -> None:
    run = ordered(deployment)
    advance_thread(deployment, f"{run}-main")
    batches = [job.args[0] for job in waiting(deployment)]
    assert len(batches) > 1
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).values(status="failed", fault="it broke"))
    assert [judge_rows(deployment, batch) for batch in batches] == [0] * len(batches)
    resume(deployment, run)
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def begun(desk: Desk, batches: Sequence[str]) -> int:
    return sum(len(begin(desk.database, batch)) for batch in batches)


def stopped(desk: Desk, runs: Sequence[str]) -> None:
    """As somebody who does not take back what was handed out: a thread can also fail by itself."""
    for run in runs:
        desk.stand(f"{run}-main", status="failed")


@pytest.mark.parametrize("status", ["failed", "finished", "waiting"])
def test_nothing_is_handed_out_to_a_thread_that_does_not_run(desk: Desk, status: str) -> None:
    desk.stand(desk.thread, status=status)
    assert desk.hand_out() == []
    desk.stand(desk.thread, status="running")
    assert begun(desk, desk.hand_out()) == 60


def test_what_nobody_waits_for_is_not_begun_and_is_handed_out_again_when_somebody_does(desk: Desk) -> None:
    batches = desk.hand_out()
    stopped(desk, [desk.run])
    assert begun(desk, batches) == 0
    with desk.database.write() as connection:
        take_up(connection, [desk.run])
    assert begun(desk, batches) == 0, "it left its batch"
    again = desk.hand_out()
    assert begun(desk, again) == 60
    assert set(desk.attempts(again)) == {1}


def test_what_another_running_thread_waits_for_is_begun_at_that_threads_cost(desk: Desk) -> None:
    batches = desk.hand_out()
    fellow: SqlLedger = desk.fellow()
    stopped(desk, [desk.run])
    other = new_run(desk.database, DATASET, SMALL)
    assert fellow.missing() == 60
    assert cause_of(desk.database, batches[0]) == (other, "race")
    assert begun(desk, batches) == 60


def test_a_batch_that_only_stopped_threads_wait_for_has_no_cause(desk: Desk) -> None:
    batches = desk.hand_out()
    stopped(desk, [desk.run])
    assert cause_of(desk.database, batches[0]) == ("", "")


def test_halting_and_wanting_afterwards_leaves_nothing_to_judge(desk: Desk) -> None:
    """The order of things where a manager was at work: halted first, wanted and handed out after that."""
    with desk.database.write() as connection:
        halt(connection, [desk.run], "cancelled by me")
    assert desk.hand_out() == []
    assert desk.ledger.missing() == 60
