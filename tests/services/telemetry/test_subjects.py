"""Lines about a job name the run or labelling that it is work of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import bench, new_run, waiting

from services.database import Database
from services.deployment import Deployment
from services.telemetry.subjects import subject_of


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=10) as opened:
        yield opened


@pytest.mark.usefixtures("configured")
def test_an_advance_is_about_its_thread_and_the_threads_run(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    deployment.queue.advance([f"{run}-main"])
    [job] = waiting(deployment)
    assert subject_of(deployment.database, job.id) == {"thread": f"{run}-main", "run": run}


@pytest.mark.usefixtures("configured")
def test_a_batch_is_about_the_run_that_it_was_handed_out_for(deployment: Deployment) -> None:
    batch = deployment.queue.new_batch()
    deployment.turns.offer("run-1", "run-1-main", [batch])
    assert subject_of(deployment.database, batch) == {"run": "run-1"}


@pytest.mark.usefixtures("configured")
def test_a_chunk_is_about_its_labelling(deployment: Deployment) -> None:
    deployment.turns.offer("labelling-1", "labelling-1", ["label-x-1"])
    assert subject_of(deployment.database, "label-x-1") == {"labelling": "labelling-1"}


@pytest.mark.parametrize("job", ["judge-x-gone", "label-x-gone", "advance-gone-main-0a", "advance", "", "odd"])
def test_a_job_of_nothing_known_is_about_nothing_known(deployment: Deployment, job: str) -> None:
    found = subject_of(deployment.database, job)
    assert not any(found[name] for name in found.keys() & {"run", "labelling"})


def test_a_database_that_is_away_is_told_of_by_the_job_itself(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert subject_of(empty, "judge-x-1") == subject_of(empty, "advance-x-main-1") == {}
    empty.close()
