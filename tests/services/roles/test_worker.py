"""A worker ends in order when it is asked to, gives back what it has not done, and waits where Redis is away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_parties import letter_dataset
from roles.launcher import ROOT, TESTS, await_that
from workbench import alone, bench, new_run, outcome, thread_row, waiting

from services.deployment import Deployment
from services.embedded_redis import EmbeddedRedis
from services.queue import WORKER_KEYS, JobQueue
from services.run_config import RunConfig

pytestmark = pytest.mark.slow

PATIENCE = 60.0
CONFIG = RunConfig(policy="paper", size=6, rounds=2, minimum=10)


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


class Worker:
    """A worker process and what it logs."""

    def __init__(self, deployment: Deployment, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.worker_main", "--parent", str(os.getpid()), *arguments],
                env={
                    **os.environ, **deployment.settings.environment(), **environment, "TOUCHSTONE_LOG_FORMAT": "json",
                    "PYTHONPATH": os.pathsep.join([str(TESTS), str(ROOT)]),
                },
                stdout=out, stderr=out,
            )  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def said(self, event: str, **fields: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if {"event": event, **fields}.items() <= line.items()]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def started(deployment: Deployment, place: Path) -> Iterator[Any]:
    made: list[Worker] = []

    def start(*arguments: str, **environment: str) -> Worker:
        made.append(Worker(deployment, place / "log", *arguments, **environment))
        return made[-1]

    yield start
    for worker in made:
        worker.process.kill()
        worker.process.wait()


def listening(deployment: Deployment) -> bool:
    return bool(deployment.queue.connection.scard(WORKER_KEYS))


def test_an_idle_worker_ends_at_once_and_leaves_no_record(deployment: Deployment, started: Any) -> None:
    worker = started()
    await_that(lambda: listening(deployment))
    began = time.monotonic()
    assert worker.end() == 0
    assert time.monotonic() - began < 3
    assert not listening(deployment)


def test_a_worker_that_still_loads_ends_well(deployment: Deployment, started: Any) -> None:
    worker = started()
    await_that(lambda: b"worker_main" in Path(f"/proc/{worker.process.pid}/cmdline").read_bytes())
    time.sleep(1.5)
    assert worker.end() in (0, -signal.SIGTERM), "the latter only before it could say what to do"


def slow_run(deployment: Deployment) -> str:
    run = new_run(deployment.database, letter_dataset(30), CONFIG)
    deployment.queue.advance([f"{run}-main"])
    return run


def test_the_job_at_hand_is_finished_within_its_grace_and_no_other_is_taken(
    deployment: Deployment, started: Any
) -> None:
    slow_run(deployment)
    worker = started("--grace", "30", LETTER_MS="40")
    await_that(lambda: worker.said("job begun", kind="judge"))
    assert worker.end() == 0
    begun, ended = worker.said("job begun"), worker.said("job ended")
    assert [line["job"] for line in begun] == [line["job"] for line in ended]
    assert {line["outcome"] for line in ended} == {"done"}
    assert len([line for line in ended if line["kind"] == "judge"]) == 1


def test_a_job_that_takes_longer_is_given_back_and_the_next_worker_takes_it_at_once(
    deployment: Deployment, started: Any
) -> None:
    run = slow_run(deployment)
    worker = started("--grace", "0.3", LETTER_MS="300")
    await_that(lambda: worker.said("job begun", kind="judge"))
    began = time.monotonic()
    assert worker.end() == 0
    assert time.monotonic() - began < 5, "6 s of questions were left"
    assert [line["outcome"] for line in worker.said("job ended", kind="judge")] == ["stopped"]
    assert {job.func_name for job in waiting(deployment)} == {"services.jobs.judge_batch"}
    started()
    await_that(lambda: thread_row(deployment, f"{run}-main").status == "finished")
    assert outcome(deployment, run) == alone(deployment, run)


def test_asked_twice_a_worker_does_not_wait_for_its_job(deployment: Deployment, started: Any) -> None:
    slow_run(deployment)
    worker = started("--grace", "600", LETTER_MS="300")
    await_that(lambda: worker.said("job begun", kind="judge"))
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(1.2)
    assert worker.process.poll() is None
    began = time.monotonic()
    assert worker.end() == 0
    assert time.monotonic() - began < 4


def test_a_worker_waits_while_redis_is_away_and_goes_on_when_it_is_back(place: Path, started: Any) -> None:
    with EmbeddedRedis(place / "home") as server, bench(place, batch_size=20) as deployment:
        own = deployment.settings.model_copy(update={"redis_url": server.url})
        queue = JobQueue(server.url, 60)
        worker = started(TOUCHSTONE_REDIS_URL=own.redis_url)
        await_that(lambda: queue.workers())
        assert server._process is not None
        server._process.kill()
        server._process.wait()
        await_that(lambda: worker.said("waiting for Redis"))
        time.sleep(1.0)
        assert worker.process.poll() is None
        assert len(worker.said("waiting for Redis")) < 15, "with growing pauses"
        assert server.tend()
        run = new_run(deployment.database, config=CONFIG)
        queue.advance([f"{run}-main"])
        await_that(lambda: thread_row(deployment, f"{run}-main").status == "finished")
        assert worker.end() == 0
        queue.close()


def test_the_lines_of_a_job_name_it_and_its_run_and_no_text(deployment: Deployment, started: Any) -> None:
    run = slow_run(deployment)
    worker = started()
    await_that(lambda: thread_row(deployment, f"{run}-main").status == "finished")
    assert worker.end() == 0
    text = letter_dataset(30).pairs[0].a
    assert text not in worker.log.read_text()
    assert all(line["role"] == "worker" and line["job"] for line in worker.said("job ended"))
    jobs = [*worker.said("job begun"), *worker.said("job ended")]
    assert {line["run"] for line in jobs} == {run}
    assert {line["thread"] for line in jobs if line["kind"] == "advance"} == {f"{run}-main"}
    kinds = {line["kind"]: line["seconds"] for line in worker.said("job ended")}
    assert kinds.keys() == {"advance", "judge"}
    assert all(0 <= seconds < 60 for seconds in kinds.values())


def test_jobs_and_answers_are_counted_for_everybody(deployment: Deployment, started: Any) -> None:
    run = slow_run(deployment)
    worker = started()
    await_that(lambda: thread_row(deployment, f"{run}-main").status == "finished")
    assert worker.end() == 0
    counted = dict(deployment.tally.read())
    assert counted["jobs", "judge", "done"] == len(worker.said("job ended", kind="judge"))
    assert counted["jobs", "advance", "done"] == len(worker.said("job ended", kind="advance"))
    judged = sum(value for labels, value in counted.items() if labels[0] == "judged")
    assert judged > 100
    within = sum(value for labels, value in counted.items() if labels[:2] == ("within", "judge"))
    assert within == counted["jobs", "judge", "done"]
