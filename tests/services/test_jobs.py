"""Jobs: what the library gives in one process, nothing judged twice for nothing, and faults that cost only time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterManager, LetterParties, letter_dataset
from sqlalchemy import select, update
from workbench import (
    SMALL,
    alone,
    bench,
    execute,
    finish,
    new_run,
    outcome,
    take_job,
    thread_row,
    waiting,
    with_parties,
)

from agents.judgments import Judgment
from agents.manager import Brief, Proposal
from agents.outcome import Outcome
from agents.policies import policy_named
from knowledge_base.errors import WrongJudge
from services.deployment import Deployment
from services.jobs import advance_thread, judge_rows
from services.mining_thread import load_thread
from services.sql_ledger import SqlLedger
from services.tables import JudgmentRow, ThreadRow

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


def test_a_run_over_the_queue_gives_what_the_library_gives_in_one_process(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    finish(deployment, run)
    assert outcome(deployment, run) == alone(deployment, run)


def test_the_robust_policy_gives_the_same_too(deployment: Deployment) -> None:
    run = new_run(deployment.database, config=SMALL.model_copy(update={"policy": "robust", "minimum": 10}))
    finish(deployment, run)
    assert outcome(deployment, run) == alone(deployment, run)


def test_every_fold_of_a_cross_fit_comes_to_its_end(deployment: Deployment) -> None:
    run = new_run(deployment.database, config=SMALL)
    finish(deployment, run, ("main", "fold-1", "fold-2", "fold-3"))
    for name in ("main", "fold-1", "fold-2", "fold-3"):
        assert outcome(deployment, run, name) == alone(deployment, run, name)


def test_what_one_run_judged_another_reuses(deployment: Deployment) -> None:
    first = new_run(deployment.database)
    finish(deployment, first)
    with deployment.database.read() as connection:
        before = len(connection.execute(select(JudgmentRow.key)).all())
    again = new_run(deployment.database, config=SMALL.model_copy(update={"minimum": 10, "folds": 4}))
    assert again != first
    finish(deployment, again)
    with deployment.database.read() as connection:
        assert len(connection.execute(select(JudgmentRow.key)).all()) == before
    mined = [Outcome.model_validate_json(outcome(deployment, r)).criteria_set.criteria for r in (first, again)]
    assert mined[0] == mined[1]


class FlakyManager(LetterManager):
    """Raises the first `failures` times it is asked for a rewrite."""

    failures = 0

    def refine(self, brief: Brief, cases: Sequence[Any]) -> list[Proposal | None]:
        type(self).failures -= 1
        if self.failures >= 0:
            raise ConnectionError("the model is away")
        return super().refine(brief, cases)


class FlakyParties(LetterParties):
    """A manager that is away twice."""

    def __init__(self) -> None:
        FlakyManager.failures = 2

    def manager(self) -> LetterManager:
        return FlakyManager()


def test_a_step_that_raises_is_noted_and_taken_again_from_where_it_stood(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    thread = f"{run}-main"
    flaky = with_parties(deployment, FlakyParties())
    deployment.queue.advance([thread])
    raised = 0
    while thread_row(deployment, thread).status == "running":
        job = take_job(deployment)
        try:
            execute(flaky, job) if job else advance_thread(flaky, thread)
        except ConnectionError:
            raised += 1
            row = thread_row(deployment, thread)
            assert (row.fault, row.attempts, row.lease_owner) == ("ConnectionError: the model is away", raised, "")
    assert raised == 2
    assert outcome(deployment, run) == alone(deployment, run)
    assert (thread_row(deployment, thread).fault, thread_row(deployment, thread).attempts) == ("", 0)


class CrashingLedger(SqlLedger):
    """Stands for a process that is killed: raises what nothing catches, at the n-th write."""

    def __init__(self, inner: SqlLedger, fuse: list[int]) -> None:
        self.__dict__.update(inner.__dict__)
        self._fuse = fuse

    def _burn(self) -> None:
        self._fuse[0] -= 1
        if self._fuse[0] == 0:
            raise KeyboardInterrupt

    def want(self, asks: Sequence[Any]) -> int:
        found = super().want(asks)
        self._burn()
        return found

    def remember(self, criteria: Sequence[Any]) -> None:
        super().remember(criteria)
        self._burn()

    def record(self, entry: Any) -> None:
        super().record(entry)
        self._burn()

    def missing(self) -> int:
        self._burn()
        return super().missing()


def test_a_kill_at_any_write_of_the_graph_changes_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuse = [0]
    real = SqlLedger
    monkeypatch.setattr("services.mining_thread.SqlLedger", lambda *a: CrashingLedger(real(*a), fuse))
    run = new_run(deployment.database)
    thread, crashes = f"{run}-main", 0
    rng = random.Random(1)
    while thread_row(deployment, thread).status == "running":
        fuse[0] = rng.randint(1, 6)
        try:
            job = take_job(deployment)
            execute(deployment, job) if job else advance_thread(deployment, thread)
        except KeyboardInterrupt:
            crashes += 1
            _forget_lease(deployment, thread)
    assert crashes >= 10
    monkeypatch.undo()
    assert outcome(deployment, run) == alone(deployment, run)


def _forget_lease(deployment: Deployment, thread: str) -> None:
    """What the death of the holder's process does by itself."""
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == thread).values(lease_owner=""))


class BrokenJudge(LetterJudge):
    """Answers a few questions and then loses its connection."""

    async def answer(self, questions: Sequence[Any]) -> Any:
        count = 0
        async for judgment in super().answer(questions):
            count += 1
            if count > 4:
                raise TimeoutError("no reply in 60 s")
            yield judgment


class BrokenParties(LetterParties):
    """With that judge."""

    def judge(self) -> LetterJudge:
        return BrokenJudge()


def test_a_judge_that_raises_loses_only_what_it_did_not_answer(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    advance_thread(deployment, f"{run}-main")
    batch = waiting(deployment)[0].args[0]
    with pytest.raises(TimeoutError):
        judge_rows(with_parties(deployment, BrokenParties()), batch)
    with deployment.database.read() as connection:
        columns = (JudgmentRow.status, JudgmentRow.rationale, JudgmentRow.attempts)
        rows = connection.execute(select(*columns).where(JudgmentRow.batch == batch)).all()
    assert sum(r.status != "missing" for r in rows) == 4
    assert {r.rationale for r in rows if r.status == "missing"} == {"TimeoutError: no reply in 60 s"}
    assert {r.attempts for r in rows} == {1}


def test_a_judge_never_sees_what_people_preferred(deployment: Deployment) -> None:
    seen: set[str] = set()

    class Nosy(LetterJudge):
        async def answer(self, questions: Sequence[Any]) -> Any:
            seen.update(pair.preferred for _, _, pair in questions)
            async for judgment in super().answer(questions):
                yield judgment

    class NosyParties(LetterParties):
        def judge(self) -> LetterJudge:
            return Nosy()

    run = new_run(deployment.database, letter_dataset(20))
    advance_thread(deployment, f"{run}-main")
    judge_rows(with_parties(deployment, NosyParties()), waiting(deployment)[0].args[0])
    assert seen == {"tie"}


def test_an_unreadable_answer_is_missing_evidence_and_the_run_goes_on(deployment: Deployment) -> None:
    class Mumbling(LetterJudge):
        async def answer(self, questions: Sequence[Any]) -> Any:
            async for judgment in super().answer(questions):
                bad = int(judgment.key[:2], 16) < 64
                yield Judgment(key=judgment.key, status="invalid") if bad else judgment

    class MumblingParties(LetterParties):
        def judge(self) -> LetterJudge:
            return Mumbling()

    run = new_run(deployment.database)
    mumbling = with_parties(deployment, MumblingParties())
    deployment.queue.advance([f"{run}-main"])
    while (job := take_job(deployment)) is not None:
        execute(mumbling, job)
    found = Outcome.model_validate_json(outcome(deployment, run))
    assert any(m.mining.missing > 0 for m in found.criteria_set.members)


def test_policies_are_those_the_run_was_created_with(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    mining = load_thread(deployment.database, f"{run}-main").with_manager(LetterManager(), deployment.database)
    assert mining.policy == policy_named("paper", 6, 3)


class ChangedParties(LetterParties):
    """With the judge that a change of the code would give."""

    def judge(self) -> LetterJudge:
        return LetterJudge("letters/2")


def test_workers_with_another_judge_give_the_run_up_and_say_why(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    changed = with_parties(deployment, ChangedParties())
    advance_thread(changed, f"{run}-main")
    batches = [job.args[0] for job in waiting(deployment)]
    assert len(batches) > 1
    with pytest.raises(WrongJudge, match="'letters/1' is asked, but this worker has 'letters/2'"):
        judge_rows(changed, batches[0])
    assert [judge_rows(changed, batch) for batch in batches[1:]] == [0] * (len(batches) - 1), "nobody waits any more"
    row = thread_row(deployment, f"{run}-main")
    assert row.status == "failed"
    assert row.fault.startswith("WrongJudge: judge 'letters/1' is asked, but this worker has 'letters/2'")
    with deployment.database.read() as connection:
        spent = connection.execute(select(JudgmentRow.status, JudgmentRow.attempts)).all()
    assert {tuple(row) for row in spent} == {("missing", 0)}, (
        "no judgment is at fault, so none may end as failed evidence"
    )
