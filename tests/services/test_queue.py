"""The queue carries ids as JSON, and knows which of its jobs are alive."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import bench, waiting

from services.deployment import Deployment
from services.processes import Mark
from services.queue import FAILURE_SECONDS, QUEUE, WORKER_KEYS

KEY = f"rq:queue:{QUEUE}"


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, job_seconds=77) as opened:
        yield opened


def test_payloads_are_json_and_hold_ids_only(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    deployment.queue.advance(["run-main"])
    payloads = [json.loads(job.data) for job in waiting(deployment)]
    assert payloads == [
        ["services.jobs.advance", None, ["run-main"], {}],
        ["services.jobs.judge_batch", None, ["judge-x-1"], {}],
    ]


def test_times_are_explicit(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    job = waiting(deployment)[0]
    assert (job.timeout, job.result_ttl, job.failure_ttl, job.ttl) == (77, 0, FAILURE_SECONDS, None)


def test_a_batch_is_its_own_job_id_and_names_its_server(deployment: Deployment) -> None:
    batch = deployment.queue.new_batch()
    deployment.queue.judge([batch])
    assert [job.id for job in waiting(deployment)] == [batch]
    assert batch.split("-")[1] == deployment.queue.transport
    assert deployment.queue.new_batch() != batch


def test_two_wake_ups_of_a_thread_are_two_jobs(deployment: Deployment) -> None:
    deployment.queue.advance(["run-main"])
    deployment.queue.advance(["run-main"])
    assert len({job.id for job in waiting(deployment)}) == 2


def test_advances_go_before_judging(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1", "judge-x-2"])
    deployment.queue.advance(["run-main"])
    assert [job.id.split("-")[0] for job in waiting(deployment)] == ["advance", "judge", "judge"]


def test_a_waiting_job_is_alive(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    deployment.queue.advance(["run-main"])
    live = deployment.queue.live()
    assert "judge-x-1" in live.ids
    assert live.advancing("run-main")


def test_advancing_is_told_apart_by_the_whole_thread_id(deployment: Deployment) -> None:
    deployment.queue.advance(["run-fold-10"])
    live = deployment.queue.live()
    assert live.advancing("run-fold-10")
    assert not live.advancing("run-fold-1")


def test_a_job_that_was_just_taken_is_alive_and_one_that_was_taken_long_ago_is_not(deployment: Deployment) -> None:
    connection = deployment.queue.connection
    connection.rpush(f"{KEY}:intermediate", "judge-x-1")
    assert "judge-x-1" in deployment.queue.live().ids
    connection.set(f"{KEY}:intermediate:first_seen:judge-x-1", time.time() - 60)
    assert "judge-x-1" not in deployment.queue.live().ids


def _worker(deployment: Deployment, mark: Mark, job: str) -> None:
    """What RQ records of a worker that has a job."""
    key = f"rq:worker:{mark}"
    deployment.queue.connection.sadd(WORKER_KEYS, key)
    deployment.queue.connection.hset(key, mapping={"birth": "2024", "current_job": job})


def test_a_job_that_a_living_worker_has_is_alive(deployment: Deployment) -> None:
    _worker(deployment, Mark.here(), "judge-x-1")
    assert deployment.queue.live().ids == {"judge-x-1"}


def test_a_job_that_a_killed_worker_had_is_not_alive(deployment: Deployment) -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    _worker(deployment, Mark.of(process.pid), "judge-x-1")
    process.kill()
    process.wait()
    assert deployment.queue.live().ids == frozenset()


def test_a_job_that_another_hosts_worker_has_is_alive_while_its_record_stands(deployment: Deployment) -> None:
    mark = Mark("elsewhere", 1, 1.0)
    _worker(deployment, mark, "judge-x-1")
    assert deployment.queue.live().ids == {"judge-x-1"}
    deployment.queue.connection.delete(f"rq:worker:{mark}")
    assert deployment.queue.live().ids == frozenset()


def test_nothing_is_alive_in_an_emptied_server(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    deployment.queue.connection.flushall()
    assert deployment.queue.live().ids == frozenset()


def test_nothing_to_enqueue_is_fine(deployment: Deployment) -> None:
    deployment.queue.judge([])
    deployment.queue.advance([])
    assert waiting(deployment) == []
