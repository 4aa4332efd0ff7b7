"""A worker: one process for all its jobs, which keeps what it has loaded and ends when it is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import HERE
from workbench import SMALL, alone, bench, new_run, outcome, thread_row, waiting

from services.deployment import Deployment

PATIENCE = 60.0
ROOT = HERE.parents[1]


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=20) as opened:
        yield opened


def worker(deployment: Deployment, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(HERE), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-m", "services.worker_main", "--parent", str(os.getpid()), *arguments],
        env={**os.environ, **deployment.settings.environment(), "PYTHONPATH": path, "LETTER_LOG": str(log)},
    )


def await_finish(deployment: Deployment, threads: list[str]) -> None:
    until = time.monotonic() + PATIENCE
    while any(thread_row(deployment, t).status == "running" for t in threads):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_worker_does_all_its_jobs_itself_with_the_parties_that_it_loaded_first(
    deployment: Deployment, place: Path
) -> None:
    run, log = new_run(deployment.database, config=SMALL), place / "log"
    threads = [f"{run}-main", f"{run}-fold-1"]
    deployment.queue.advance(threads)
    process = worker(deployment, log)
    await_finish(deployment, threads)
    process.terminate()
    assert process.wait(PATIENCE) == 0, "asked to end, it ends well"
    done = Counter(log.read_text().splitlines())
    assert set(done) == {f"made {process.pid}", f"judged {process.pid}"}
    assert done[f"made {process.pid}"] == 1
    assert done[f"judged {process.pid}"] > 5
    assert outcome(deployment, run) == alone(deployment, run)


def test_a_worker_ends_after_as_many_jobs_as_it_is_told_and_leaves_the_rest(
    deployment: Deployment, place: Path
) -> None:
    run, log = new_run(deployment.database), place / "log"
    deployment.queue.advance([f"{run}-main"])
    process = worker(deployment, log, "--jobs", "3")
    assert process.wait(PATIENCE) == 0
    assert log.read_text().count("judged") == 2, "after the advance that handed them out"
    assert {job.func_name for job in waiting(deployment)} == {"services.jobs.judge_batch"}
