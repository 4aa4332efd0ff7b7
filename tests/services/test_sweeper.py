"""Whatever was lost is found: by a sweep, once, and without harm to what is well."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterParties
from sqlalchemy import select, update
from workbench import SMALL, another, bench, execute, finish, new_run, take_job, waiting, work_off

from agents.judgments import Judgment
from services.batches import begin
from services.deployment import Deployment
from services.embedded_redis import EmbeddedRedis
from services.jobs import advance_thread, judge_rows
from services.lease import take
from services.processes import Mark
from services.queue import QUEUE, WORKER_KEYS
from services.sweeper import Sweeper
from services.tables import JudgmentRow, OutcomeRow, ThreadRow

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def deployment(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    # All batches of a run are on the queue at once; what waits for its turn is in test_turns.py.
    monkeypatch.setenv("TOUCHSTONE_BATCHES_AHEAD", "50")
    with bench(place, batch_size=20, max_attempts=2) as opened:
        yield opened


@pytest.fixture
def run(deployment: Deployment) -> str:
    return new_run(deployment.database)


def threads(deployment: Deployment) -> list[Any]:
    with deployment.database.read() as connection:
        return list(connection.execute(select(ThreadRow.name, ThreadRow.status, ThreadRow.fault)))


def statuses(deployment: Deployment) -> list[str]:
    with deployment.database.read() as connection:
        return list(connection.execute(select(JudgmentRow.status)).scalars())


def outcome(deployment: Deployment, run: str) -> str:
    with deployment.database.read() as connection:
        return connection.execute(select(OutcomeRow.body).where(OutcomeRow.thread == f"{run}-main")).scalar_one()


def undisturbed(deployment: Deployment, place: Path) -> str:
    """The outcome of the same run in another place where nothing goes wrong."""
    with bench(place / "other", home=place / "other") as calm:
        run = new_run(calm.database)
        finish(calm, run)
        return outcome(calm, run)


def begun(deployment: Deployment) -> list[str]:
    """Advance the thread of the only run, and take its batches off the queue as a worker would."""
    run = threads_run(deployment)
    advance_thread(deployment, f"{run}-main")
    batches = []
    while (job := take_job(deployment)) is not None:
        batches.append(job.args[0])
    return batches


def threads_run(deployment: Deployment) -> str:
    with deployment.database.read() as connection:
        return connection.execute(select(ThreadRow.run)).scalars().first() or ""


def test_a_new_run_is_started_by_a_sweep(deployment: Deployment, run: str) -> None:
    Sweeper(deployment).sweep(run)
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


def test_sweeping_again_adds_nothing_while_the_work_waits(deployment: Deployment, run: str) -> None:
    sweeper = Sweeper(deployment)
    for _ in range(3):
        sweeper.sweep(run)
    assert len(waiting(deployment)) == 1
    execute(deployment, take_job(deployment))  # type: ignore[arg-type]
    before = [job.id for job in waiting(deployment)]
    for _ in range(3):
        sweeper.sweep(run)
    assert [job.id for job in waiting(deployment)] == before


def test_an_emptied_redis_loses_nothing(deployment: Deployment, run: str, place: Path) -> None:
    sweeper, flushed = Sweeper(deployment), 0
    while any(t.status == "running" for t in threads(deployment)):
        sweeper.sweep(run)
        for _ in range(2):
            job = take_job(deployment)
            if job is not None:
                execute(deployment, job)
        deployment.queue.connection.flushall()
        flushed += 1
    assert flushed > 5
    assert outcome(deployment, run) == undisturbed(deployment, place)


def test_batches_whose_jobs_were_cancelled_are_handed_out_again(deployment: Deployment, run: str) -> None:
    lost = begun(deployment)
    Sweeper(deployment).sweep(run)
    found = [job.args[0] for job in waiting(deployment)]
    assert found
    assert not set(found) & set(lost)
    assert sum(len(begin(deployment.database, b)) for b in found) == len(statuses(deployment))


def test_a_batch_that_a_living_worker_has_is_left_to_it(deployment: Deployment, run: str) -> None:
    batches = begun(deployment)
    key = f"rq:worker:{Mark.here()}"
    deployment.queue.connection.sadd(WORKER_KEYS, key)
    deployment.queue.connection.hset(key, mapping={"birth": "x", "current_job": batches[0]})
    Sweeper(deployment).sweep(run)
    assert len(begin(deployment.database, batches[0])) > 0
    assert begin(deployment.database, batches[1]) == []


def test_a_batch_that_a_worker_has_just_taken_is_left_to_it(deployment: Deployment, run: str) -> None:
    batches = begun(deployment)
    deployment.queue.connection.rpush(f"rq:queue:{QUEUE}:intermediate", *batches)
    Sweeper(deployment).sweep(run)
    assert waiting(deployment) == []


def test_a_batch_of_another_living_commands_server_is_left_to_it(deployment: Deployment, run: str, place: Path) -> None:
    with EmbeddedRedis(place / "home") as other:
        own = another(deployment)
        foreign = type(own.queue)(other.url, 60)
        object.__setattr__(own, "queue", foreign)
        advance_thread(own, f"{run}-main")
        Sweeper(deployment).sweep(run)
        assert waiting(deployment) == []
    Sweeper(deployment).sweep(run)
    assert len(waiting(deployment)) > 0, "once that command has ended, its batches are anyone's"


def test_a_thread_that_nobody_woke_is_woken(deployment: Deployment, run: str) -> None:
    for batch in begun(deployment):
        judge_rows(deployment, batch)
    deployment.queue.connection.flushall()
    Sweeper(deployment).sweep(run)
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


def test_a_thread_whose_advance_died_holding_the_lease_is_woken(deployment: Deployment, run: str) -> None:
    lease = take(deployment.database, f"{run}-main", 1000)
    assert lease is not None
    Sweeper(deployment).sweep(run)
    assert waiting(deployment) == [], "the holder lives"
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    dead = str(Mark.of(process.pid))
    process.kill()
    process.wait()
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).values(lease_owner=dead, lease_until=time.time() + 1000))
    Sweeper(deployment).sweep(run)
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


def test_rows_that_an_advance_wanted_but_did_not_hand_out_are_handed_out(deployment: Deployment, run: str) -> None:
    begun(deployment)
    with deployment.database.write() as connection:
        connection.execute(update(JudgmentRow).values(batch=""))
    Sweeper(deployment).sweep(run)
    assert {job.func_name for job in waiting(deployment)} == {"services.jobs.judge_batch"}


def test_other_runs_are_not_touched_unless_all_are_swept(deployment: Deployment, run: str) -> None:
    other = new_run(deployment.database, config=SMALL)
    Sweeper(deployment).sweep(run)
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]
    Sweeper(deployment).sweep()
    swept = {job.args[0] for job in waiting(deployment)}
    assert swept == {f"{run}-main", *(f"{other}-{n}" for n in ("main", "fold-1", "fold-2", "fold-3"))}


class Trapped(LetterJudge):
    """Never answers for one criterion, and takes the rest of its batch along."""

    async def answer(self, questions: Sequence[Any]) -> Any:
        for question in questions:
            if question[1].name == "Letters e":
                raise MemoryError("too long")
            async for judgment in super().answer([question]):
                yield judgment


class TrappedParties(LetterParties):
    """With that judge."""

    def judge(self) -> LetterJudge:
        return Trapped()


def test_a_criterion_that_always_kills_fails_alone_and_the_run_goes_on(place: Path) -> None:
    with bench(place, batch_size=20, max_attempts=3) as deployment:
        run = new_run(deployment.database)
        trapped = another(deployment)
        trapped.__dict__["parties"] = TrappedParties()
        _work_off_sweeping(trapped, run)
        columns = (JudgmentRow.status, JudgmentRow.criterion, JudgmentRow.rationale)
        with deployment.database.read() as connection:
            failed = connection.execute(select(*columns).where(JudgmentRow.status == "failed")).all()
        assert len({f.criterion for f in failed}) == 1
        assert {f.rationale for f in failed} == {"no answer after 3 attempts; MemoryError: too long"}
        assert outcome(deployment, run)


def _work_off_sweeping(deployment: Deployment, run: str) -> None:
    sweeper = Sweeper(deployment)
    while any(t.status == "running" for t in threads(deployment)):
        sweeper.sweep(run)
        while (job := take_job(deployment)) is not None:
            try:
                execute(deployment, job)
            except MemoryError:
                continue


def test_failed_judgments_are_counted_as_missing_evidence(place: Path) -> None:
    class Silent(LetterJudge):
        async def answer(self, questions: Sequence[Any]) -> Any:
            for question in questions:
                if question[2].hash[0] in "01234567":
                    async for judgment in super().answer([question]):
                        yield judgment

    class SilentParties(LetterParties):
        def judge(self) -> LetterJudge:
            return Silent()

    with bench(place, batch_size=20, max_attempts=1) as deployment:
        run = new_run(deployment.database)
        silent = another(deployment)
        silent.__dict__["parties"] = SilentParties()
        _work_off_sweeping(silent, run)
        assert 0 < statuses(deployment).count("failed") < len(statuses(deployment))
        assert statuses(deployment).count("missing") == 0


class HopelessParties(LetterParties):
    """Without a manager."""

    def manager(self) -> Any:
        raise ConnectionError("no manager answers")


def test_a_thread_whose_steps_never_end_well_is_given_up_and_says_why(deployment: Deployment, run: str) -> None:
    hopeless = another(deployment)
    hopeless.__dict__["parties"] = HopelessParties()
    for _ in range(2):
        Sweeper(deployment).sweep(run)
        with pytest.raises(ConnectionError):
            execute(hopeless, take_job(deployment))  # type: ignore[arg-type]
    Sweeper(deployment).sweep(run)
    assert [tuple(t) for t in threads(deployment)] == [("main", "failed", "ConnectionError: no manager answers")]
    assert waiting(deployment) == []


def test_a_sweep_of_a_finished_run_does_nothing(deployment: Deployment, run: str) -> None:
    finish(deployment, run)
    Sweeper(deployment).sweep(run)
    Sweeper(deployment).sweep()
    assert waiting(deployment) == []


def test_sweeping_at_any_moment_does_not_change_the_outcome(deployment: Deployment, run: str, place: Path) -> None:
    sweeper, taken = Sweeper(deployment), f"rq:queue:{QUEUE}:intermediate"
    sweeper.sweep(run)
    while (job := take_job(deployment)) is not None:
        deployment.queue.connection.rpush(taken, job.id)
        sweeper.sweep(run)
        execute(deployment, job)
        sweeper.sweep(run)
        deployment.queue.connection.lrem(taken, 1, job.id)
        sweeper.sweep(run)
    work_off(deployment)
    assert outcome(deployment, run) == undisturbed(deployment, place)


def test_unanswered_rows_have_no_verdict_to_be_mistaken_for_one(deployment: Deployment, run: str) -> None:
    begun(deployment)
    with deployment.database.read() as connection:
        seen = connection.execute(select(JudgmentRow.verdict, JudgmentRow.margin).distinct()).all()
    assert [tuple(s) for s in seen] == [("abstain", 0.0)]
    assert Judgment(key="k", status="failed").sign == 0
