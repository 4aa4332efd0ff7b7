"""Jobs in every order a queue may give, and too many of them: the same outcome, and no wake-up lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from sqlalchemy import select
from workbench import (
    SMALL,
    alone,
    another,
    bench,
    execute,
    finish,
    new_run,
    outcome,
    take_job,
    thread_row,
    waiting,
    work_off,
)

from services.deployment import Deployment
from services.jobs import advance_thread, judge_rows
from services.lease import take
from services.sql_ledger import count_missing
from services.tables import JudgmentRow

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def put(self, function: str, ids: Sequence[str], line: str) -> None:
        self._real.put(function, ids, line)
        while (job := take_job(self._other)) is not None:
            if job.func_name == function:
                judge_rows(self._other, job.args[0])
            else:
                self.bounced.append(not advance_thread(self._other, job.args[0]))


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
        # The wake-up is taken off the queue and not followed.
        if job.func_name == "services.jobs.judge_batch":
            batches.append(job.args[0])
            judge_rows(deployment, batches[-1])
    judge_rows(deployment, batches[0])
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


def test_a_kill_between_a_node_and_its_checkpoint_does_not_look_like_the_end(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = f"{new_run(deployment.database)}-main"
    advance_thread(deployment, thread)
    while (job := take_job(deployment)) is not None:
        if job.func_name == "services.jobs.judge_batch":
            execute(deployment, job)
    with monkeypatch.context() as patch:
        for saver in (SqliteSaver, PostgresSaver):
            patch.setattr(saver, "put", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            advance_thread(deployment, thread)
    # One more, as the sweeper would send: not an endless row of them that each find nothing to do.
    assert advance_thread(deployment, thread)
    assert waiting(deployment), "the thread went on to its next judgments"
    work_off(deployment)
    assert thread_row(deployment, thread).status == "finished"


def _killed(*_: object) -> None:
    raise RuntimeError("killed")
