"""The queue carries ids as JSON, and knows which of its jobs are alive."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from rq.exceptions import DequeueTimeout
from workbench import bench, waiting

from services.deployment import Deployment
from services.processes import Mark
from services.queue import (
    BELL,
    FAILURE_SECONDS,
    FROM_THE_END,
    LABELLING,
    LINES,
    MOST_RINGS,
    QUEUE,
    SERIALIZER,
    SOON,
    WORKER_KEYS,
    Line,
)

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


def lines(deployment: Deployment) -> list[Line]:
    connection = deployment.queue.connection
    return [Line(name, connection=connection, serializer=SERIALIZER) for name in LINES]


def take(deployment: Deployment, timeout: int | None = None) -> str:
    found = Line.dequeue_any(lines(deployment), timeout, deployment.queue.connection, serializer=SERIALIZER)
    return found[0].id if found else ""


@pytest.fixture
def _counted_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "_takes", count(1))


@pytest.mark.usefixtures("_counted_from_the_start")
def test_the_first_line_that_holds_a_job_is_taken_from_first(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1", "judge-x-2"])
    deployment.queue.put("services.labelling.jobs.label_chunk", ["label-x-1"], LABELLING)
    deployment.queue.judge(["judge-x-3"], SOON)
    deployment.queue.advance(["run-main"])
    assert take(deployment).startswith("advance-run-main")
    assert [take(deployment) for _ in range(5)] == ["judge-x-3", "judge-x-1", "judge-x-2", "label-x-1", ""]


@pytest.mark.usefixtures("_counted_from_the_start")
def test_now_and_then_the_last_line_comes_first_so_that_it_does_not_wait_for_ever(deployment: Deployment) -> None:
    deployment.queue.judge([f"judge-x-{i}" for i in range(40)])
    deployment.queue.put("services.labelling.jobs.label_chunk", [f"label-x-{i}" for i in range(5)], LABELLING)
    taken = [take(deployment) for _ in range(2 * FROM_THE_END)]
    assert [i for i, job in enumerate(taken, start=1) if job.startswith("label")] == [FROM_THE_END, 2 * FROM_THE_END]


def test_what_is_taken_is_alive_from_whichever_line(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"], SOON)
    assert take(deployment) == "judge-x-1"
    assert waiting(deployment) == []
    assert "judge-x-1" in deployment.queue.live().ids


def test_a_worker_that_waits_is_woken_at_once(deployment: Deployment) -> None:
    found: list[tuple[str, float]] = []

    def wait() -> None:
        found.append((take(deployment, 20), time.monotonic()))

    hand = threading.Thread(target=wait)
    hand.start()
    time.sleep(0.2)
    put = time.monotonic()
    deployment.queue.put("services.labelling.jobs.label_chunk", ["label-x-1"], LABELLING)
    hand.join(20)
    [(job, at)] = found
    assert job == "label-x-1"
    assert at - put < 0.5


def test_a_worker_finds_a_job_whose_ring_was_lost(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    deployment.queue.connection.delete(BELL)
    assert take(deployment, 5) == "judge-x-1"


def test_a_worker_that_finds_nothing_says_so_when_its_time_is_over(deployment: Deployment) -> None:
    began = time.monotonic()
    with pytest.raises(DequeueTimeout):
        take(deployment, 1)
    assert 0.9 < time.monotonic() - began < 5


def test_the_bell_does_not_grow(deployment: Deployment) -> None:
    for start in range(0, 2000, 500):
        deployment.queue.judge([f"judge-x-{start + i}" for i in range(500)])
    assert deployment.queue.connection.llen(BELL) == MOST_RINGS


def test_what_waits_is_told_by_line_with_the_age_of_the_oldest(deployment: Deployment) -> None:
    deployment.queue.judge(["judge-x-1"])
    time.sleep(0.3)
    deployment.queue.judge(["judge-x-2"])
    found = deployment.queue.waiting()
    assert {line: w.jobs for line, w in found.items()} == {**dict.fromkeys(LINES, 0), QUEUE: 2}
    assert 0.2 < found[QUEUE].seconds < 10
    assert found[SOON].seconds == 0


def test_nothing_to_enqueue_is_fine(deployment: Deployment) -> None:
    deployment.queue.judge([])
    deployment.queue.advance([])
    assert waiting(deployment) == []
