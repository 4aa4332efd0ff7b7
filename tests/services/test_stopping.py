"""A job that is stopped keeps the answers that came and gives the rest back at once: nobody waits for a timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from labelling_bench import JudgedBy, created, labelled, pairs_file, sweep, work_off_chunks
from letter_parties import LetterJudge, LetterParties
from sqlalchemy import func, select
from workbench import alone, bench, finish, new_run, outcome, take_job, thread_row, waiting, with_parties, work_off

from agents.manager import Brief, Proposal
from services.deployment import Deployment
from services.jobs import advance_thread, judge_rows
from services.labelling.jobs import label_pairs
from services.labelling.tables import LabelRow
from services.queue import SOON
from services.roles.tables import TurnRow
from services.stopping import Stopped, stop, stoppable
from services.tables import JudgmentRow


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


class Interrupted(LetterJudge):
    """Answers some questions, and then a signal comes while it waits for the next answer."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    async def answer(self, questions: Sequence[Any]) -> Any:
        count = 0
        async for judgment in super().answer(questions):
            if count == self.after:
                asyncio.get_running_loop().call_soon(stop)
                await asyncio.sleep(30)
            yield judgment
            count += 1


def counts(deployment: Deployment) -> dict[str, int]:
    query = select(JudgmentRow.status, func.count()).group_by(JudgmentRow.status)
    with deployment.database.read() as connection:
        return {r.status: r[1] for r in connection.execute(query)}


def attempts(deployment: Deployment) -> set[int]:
    with deployment.database.read() as connection:
        return set(connection.execute(select(JudgmentRow.attempts).where(JudgmentRow.status == "missing")).scalars())


@pytest.mark.usefixtures("configured")
def test_a_stopped_batch_keeps_what_was_answered_and_is_handed_out_again_at_once(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    advance_thread(deployment, f"{run}-main")
    job = take_job(deployment)
    assert job is not None
    with pytest.raises(Stopped):
        judge_rows(with_parties(deployment, JudgedBy(Interrupted(7))), job.args[0])
    answered = counts(deployment)
    assert sum(n for status, n in answered.items() if status != "missing") == 7
    assert attempts(deployment) == {0}, "no attempt is counted against what was given back"
    [first, *_] = waiting(deployment)
    assert (first.origin, first.func_name) == (SOON, "services.jobs.judge_batch"), "it comes next"
    assert first.args != job.args
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


def test_a_batch_that_is_stopped_as_its_last_answer_came_is_not_handed_out_again(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    advance_thread(deployment, f"{run}-main")
    job = take_job(deployment)
    assert job is not None
    with deployment.database.read() as connection:
        size = connection.execute(select(func.count()).where(JudgmentRow.batch == job.args[0])).scalar_one()

    class Last(LetterJudge):
        async def answer(self, questions: Sequence[Any]) -> Any:
            async for judgment in super().answer(questions):
                yield judgment
            asyncio.get_running_loop().call_soon(stop)
            await asyncio.sleep(30)

    with pytest.raises(Stopped):
        judge_rows(with_parties(deployment, JudgedBy(Last())), job.args[0])
    assert sum(n for status, n in counts(deployment).items() if status != "missing") == size
    with deployment.database.read() as connection:
        assert job.args[0] not in set(connection.execute(select(TurnRow.batch)).scalars())


@pytest.mark.usefixtures("configured")
def test_a_stopped_chunk_keeps_its_answers_and_is_handed_out_again_at_once(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 20))
    sweep(deployment, labelling)
    job = take_job(deployment)
    assert job is not None
    with pytest.raises(Stopped):
        label_pairs(with_parties(deployment, JudgedBy(Interrupted(9))), job.args[0])
    assert sum(counts(deployment).values()) == 9
    with deployment.database.read() as connection:
        row = LabelRow
        open_pairs = connection.execute(select(row.attempts, row.chunk).where(~row.done)).all()
    assert {p.attempts for p in open_pairs} == {0}
    assert job.args[0] not in {p.chunk for p in open_pairs}
    work_off_chunks(deployment)
    assert len(labelled(deployment, labelling)) == 20


class Leaving(LetterParties):
    """Whose manager is at work when a signal comes."""

    def manager(self) -> Any:
        manager = super().manager()

        def seed(brief: Brief, n: int) -> list[Proposal]:
            stop()
            raise AssertionError("it was to be stopped")

        manager.seed = seed  # type: ignore[method-assign]
        return manager


def test_a_stopped_advance_gives_the_lease_back_and_is_on_the_queue_again(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    with pytest.raises(Stopped):
        advance_thread(with_parties(deployment, Leaving()), f"{run}-main")
    stands = thread_row(deployment, f"{run}-main")
    assert (stands.status, stands.fault, stands.attempts, stands.lease_owner) == ("running", "", 0, "")
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]
    finish(deployment, run)
    assert outcome(deployment, run) == alone(deployment, run)


def test_being_stopped_is_no_fault_that_anybody_catches_by_accident() -> None:
    assert not issubclass(Stopped, Exception)
    with pytest.raises(Stopped):
        stop()


def test_only_the_innermost_way_to_stop_is_taken_and_it_ends_with_its_block() -> None:
    called: list[str] = []

    async def work() -> None:
        with stoppable(lambda: called.append("outer")), stoppable(lambda: called.append("inner")):
            stop()
            await asyncio.sleep(0.01)

    asyncio.run(work())
    assert called == ["inner"]
    with pytest.raises(Stopped):
        stop()
