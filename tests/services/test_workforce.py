"""Workers are replaced when they end, and only those that end in an error or for nothing are complained of."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import bench

from knowledge_base.errors import WorkersLost
from services.deployment import Deployment
from services.queue import WORKER_KEYS
from services.workforce import FAULTY_PATIENCE, KILLED_PATIENCE, Workforce

pytestmark = pytest.mark.slow

PATIENCE = 60.0
MANY = FAULTY_PATIENCE + 1


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, workers=MANY) as opened:
        yield opened


def await_listening(deployment: Deployment, pids: list[int]) -> None:
    """Wait until these workers take jobs, so that they end in order when they are asked to."""
    until = time.monotonic() + PATIENCE
    while not set(pids) <= _listening(deployment):
        assert time.monotonic() < until
        time.sleep(0.05)


def _listening(deployment: Deployment) -> set[int]:
    names = deployment.queue.connection.smembers(WORKER_KEYS)
    return {int(name.decode().split(":")[-2]) for name in names}  # type: ignore[union-attr]


def strike(force: Workforce, number: signal.Signals) -> None:
    """Send every worker a signal and wait until all have ended."""
    for pid in force.pids:
        os.kill(pid, number)
    until = time.monotonic() + PATIENCE
    while force.pids:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_any_number_of_workers_may_end_well_at_once_and_are_replaced(deployment: Deployment, place: Path) -> None:
    with Workforce(deployment.settings, place, lambda child: None) as force:
        before = force.pids
        await_listening(deployment, before)
        strike(force, signal.SIGTERM)
        assert force.tend(0) == MANY
        assert len(force.pids) == MANY
        assert not set(before) & set(force.pids)


def test_workers_that_are_killed_are_replaced_until_it_is_hopeless(deployment: Deployment, place: Path) -> None:
    with Workforce(deployment.settings, place, lambda child: None) as force:
        for _ in range(KILLED_PATIENCE // MANY):
            strike(force, signal.SIGKILL)
            assert force.tend(0) == MANY
        strike(force, signal.SIGKILL)
        with pytest.raises(WorkersLost, match=r"killed by signal 9 .* is memory short"):
            force.tend(0)


def test_progress_forgives_the_workers_that_were_killed_before(deployment: Deployment, place: Path) -> None:
    with Workforce(deployment.settings, place, lambda child: None) as force:
        for progress in range(KILLED_PATIENCE // MANY + 2):
            strike(force, signal.SIGKILL)
            assert force.tend(progress) == MANY
