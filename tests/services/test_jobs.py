"""Jobs in every order a queue may give: the same outcome, nothing judged twice for nothing, and no wake-up lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterManager, LetterParties, letter_dataset
from sqlalchemy import select, update
from workbench import SMALL, another, bench, execute, finish, new_run, take_job, waiting, work_off

from agents.judgments import Judgment
from agents.local_run import run_local
from agents.manager import Brief, Proposal
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.outcome import Outcome
from agents.policies import policy_named
from services.deployment import Deployment
from services.jobs import advance_thread, judge_rows
from services.lease import take
from services.mining_thread import load_thread
from services.sql_ledger import SqlLedger, count_missing
from services.tables import JudgmentRow, OutcomeRow, ThreadRow


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


def outcome(deployment: Deployment, run: str, name: str = "main") -> str:
    with deployment.database.read() as connection:
        query = select(OutcomeRow.body).where(OutcomeRow.thread == f"{run}-{name}")
        return connection.execute(query).scalar_one()


def thread_row(deployment: Deployment, thread: str) -> Any:
    with deployment.database.read() as connection:
        columns = (ThreadRow.status, ThreadRow.fault, ThreadRow.attempts, ThreadRow.lease_owner)
        return connection.execute(select(*columns).where(ThreadRow.id == thread)).one()


def alone(deployment: Deployment, run: str, name: str = "main") -> str:
    """The outcome of the same thread in one process, with neither queue nor database."""
    thread = load_thread(deployment.database, f"{run}-{name}")
    durable = thread.with_manager(LetterManager(), deployment.database)
    ledger = MemoryLedger([*thread.mining, *thread.sealed])
    mining = Mining(
        durable.brief, durable.sealed, ledger, LetterManager(), durable.policy, durable.judge, durable.symmetric
    )
    return run_local(mining, LetterJudge(), thread.lineage).model_dump_json()


def with_parties(deployment: Deployment, parties: LetterParties) -> Deployment:
    own = another(deployment)
    own.__dict__["parties"] = parties
    return own


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


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_jobs_does_not_matter(deployment: Deployment, seed: int) -> None:
    run = new_run(deployment.database, config=SMALL)
    deployment.queue.advance(f"{run}-{name}" for name in ("main", "fold-1", "fold-2", "fold-3"))
    work_off(deployment, random.Random(seed))
    for name in ("main", "fold-2"):
        assert outcome(deployment, run, name) == alone(deployment, run, name)


@pytest.mark.parametrize("seed", range(4))
def test_jobs_side_by_side_lose_no_wake_up(deployment: Deployment, seed: int) -> None:
    """Three hands take jobs at random at the same time; nobody sweeps, so one lost wake-up would be the end."""
    run = new_run(deployment.database, config=SMALL)
    threads = [f"{run}-{name}" for name in ("main", "fold-1", "fold-2", "fold-3")]
    deployment.queue.advance(threads)
    errors: list[BaseException] = []
    hands = [threading.Thread(target=_work, args=(deployment, threads, seed + i, errors)) for i in range(3)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    assert errors == []
    assert outcome(deployment, run) == alone(deployment, run)


def _work(deployment: Deployment, threads: Sequence[str], seed: int, errors: list[BaseException]) -> None:
    own, rng, idle = another(deployment), random.Random(seed), 0
    try:
        while idle < 200 and any(thread_row(own, t).status == "running" for t in threads):
            job = take_job(own, rng)
            if job is None:
                idle += 1
                threading.Event().wait(0.01)
            else:
                idle = 0
                execute(own, job)
        assert idle < 200, "nothing is left to do and a thread still waits"
    except BaseException as error:
        errors.append(error)


class Hasty:
    """A queue on which batches are finished before the advance that handed them out has given its lease back."""

    def __init__(self, deployment: Deployment) -> None:
        self._real, self._other = deployment.queue, another(deployment)
        self.bounced: list[bool] = []
        self.new_batch = self._real.new_batch

    def judge(self, batches: Sequence[str]) -> None:
        for batch in batches:
            judge_rows(self._other, batch)
        while (job := take_job(self._other)) is not None:
            self.bounced.append(not advance_thread(self._other, job.args[0]))

    def advance(self, threads: Sequence[str]) -> None:
        self._real.advance(threads)


def test_the_last_answer_between_handing_out_and_giving_the_lease_back_wakes_the_thread(
    deployment: Deployment,
) -> None:
    run = new_run(deployment.database)
    hasty = Hasty(deployment)
    own = another(deployment)
    object.__setattr__(own, "queue", hasty)
    assert advance_thread(own, f"{run}-main")
    assert hasty.bounced == [True], "the wake-up came while the lease was held, and had to be turned away"
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]], "so the holder wakes the thread itself"
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


def test_an_advance_that_finds_the_lease_held_does_nothing(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    lease = take(deployment.database, f"{run}-main", 30)
    assert lease is not None
    assert not advance_thread(deployment, f"{run}-main")
    assert waiting(deployment) == []


def test_an_advance_too_many_changes_nothing(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    for _ in range(3):
        assert advance_thread(deployment, f"{run}-main")
    with deployment.database.read() as connection:
        wanted = count_missing(connection, f"{run}-main")
    judged = 0
    while (job := take_job(deployment)) is not None:
        judged += judge_rows(deployment, job.args[0]) if job.id.startswith("judge") else 0
    assert judged == wanted > 0


def test_an_advance_of_a_finished_thread_does_nothing(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    finish(deployment, run)
    before = outcome(deployment, run)
    assert not advance_thread(deployment, f"{run}-main")
    assert outcome(deployment, run) == before


def test_a_batch_done_twice_is_answered_once(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    advance_thread(deployment, f"{run}-main")
    batch = waiting(deployment)[0].args[0]
    assert judge_rows(deployment, batch) > 0
    with deployment.database.read() as connection:
        first = connection.execute(select(JudgmentRow.key, JudgmentRow.answered_at)).all()
    assert judge_rows(deployment, batch) == 0
    with deployment.database.read() as connection:
        assert connection.execute(select(JudgmentRow.key, JudgmentRow.answered_at)).all() == first


def test_a_batch_that_was_answered_by_another_still_wakes_its_threads(deployment: Deployment) -> None:
    """As after a kill between the last answer and the wake-up."""
    run = new_run(deployment.database)
    advance_thread(deployment, f"{run}-main")
    batches = []
    while (job := take_job(deployment)) is not None:
        batches.append(job.args[0])
    for batch in batches:
        judge_rows(deployment, batch)
    while take_job(deployment) is not None:
        pass
    judge_rows(deployment, batches[0])
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


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
