"""`kill -9` of workers and of their jobs at random moments, again and again: the result is the same to the byte."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest
from letter_parties import LetterParties, letter_dataset
from workbench import SMALL, bench, finish, new_run

from services.database import Database
from services.embedded_registry import Registry
from services.progress import RunProgress
from services.result_reading import result_of
from services.run_config import RunConfig
from services.run_driver import run_to_end
from services.runs import create_run
from services.settings import Settings, load_settings

pytestmark = [pytest.mark.slow, pytest.mark.serial]

KILLS = 30
CONFIG: RunConfig = SMALL.model_copy(update={"size": 8, "folds": 4})
DATASET = letter_dataset(40, seed=5)
NAMES = ("main", "fold-1", "fold-2", "fold-3", "fold-4")


class Killer:
    """Kills at seeded random moments: mostly the process that does a job, often enough the worker itself.

    Each blow waits for some progress since the last, so that a slow machine is not beaten for being slow.
    """

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings, self._rng = settings, random.Random(seed)
        self._seen: object = None
        self._next = 0.0
        self.jobs = self.workers = 0

    def __call__(self, progress: RunProgress) -> None:
        now = (progress.answered, progress.wanted, [t.stage for t in progress.threads])
        if self._seen == now or time.monotonic() < self._next:
            return
        workers = [p for p in map(_process, self._workers()) if p is not None]
        self._rng.shuffle(workers)
        if any(self._strike(worker) for worker in workers):
            self._seen = now
            self._next = time.monotonic() + self._rng.uniform(0.0, 0.4)

    def _workers(self) -> list[int]:
        [instance] = Registry(self._settings.home).instances()
        return [c.pid for c in instance.children[1:]]

    def _strike(self, worker: psutil.Process) -> bool:
        try:
            horses = worker.children()
        except psutil.NoSuchProcess:
            return False
        if horses and self._rng.random() < 0.75:
            self.jobs += _kill(horses[0].pid)
            return True
        # A worker that is still starting has nothing to lose, and to kill it only makes the test slow.
        if horses or self._rng.random() < 0.02:
            self.workers += _kill(worker.pid)
            return True
        return False


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(240)
def test_killing_workers_and_jobs_at_random_changes_not_a_byte(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(place, home=place / "calm") as calm:
        run = new_run(calm.database, DATASET, CONFIG)
        finish(calm, run, NAMES)
        expected = result_of(calm.database, run).substance()
    monkeypatch.setenv("LETTER_MS", "2")
    killed = jobs = workers = 0
    for round_number in range(6):
        if killed >= KILLS:
            break
        home = place / f"home-{round_number}"
        # Enough attempts that no judgment is taken to be at fault for what this test does to its worker.
        settings = load_settings(home=home, sweep_seconds=0.1, batch_size=30, max_attempts=50)
        database = Database(settings.database).create()
        killer = Killer(settings, seed=round_number)
        run = create_run(database, LetterParties(), DATASET, CONFIG)
        assert run_to_end(run, settings, killer).substance() == expected
        database.close()
        jobs, workers = jobs + killer.jobs, workers + killer.workers
        killed = jobs + workers
    assert killed >= KILLS, f"only {jobs} jobs and {workers} workers were killed"
    assert jobs >= 10
    assert workers >= 3
