"""`kill -9` of workers at random moments, again and again: the result is the same to the byte."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import redis
from letter_parties import LetterParties, letter_dataset
from workbench import SMALL, bench, finish, new_run

from services.database import Database
from services.embedded_redis import SOCKET
from services.embedded_registry import Registry
from services.processes import Mark
from services.progress import RunProgress
from services.queue import WORKER_PREFIX
from services.result_reading import result_of
from services.run_config import RunConfig
from services.run_driver import run_to_end
from services.runs import create_run
from services.settings import Settings, load_settings

pytestmark = pytest.mark.slow

KILLS = 30
KILLS_A_RUN = 11
"""Most kills in one run: a killed worker takes seconds to replace, so more would make the test wait."""
CONFIG: RunConfig = SMALL.model_copy(update={"size": 8, "folds": 4})
DATASET = letter_dataset(40, seed=5)
NAMES = ("main", "fold-1", "fold-2", "fold-3", "fold-4")


class Killer:
    """Kills at seeded random moments: workers that are at a job, and now and then one that waits or still starts.

    Each blow waits for some progress since the last, so that a slow machine is not beaten for being slow.
    """

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings, self._rng = settings, random.Random(seed)
        self._seen: object = None
        self._next = 0.0
        self.at_work = self.idle = 0

    def __call__(self, progress: RunProgress) -> None:
        now = (progress.answered, progress.wanted, [t.stage for t in progress.threads])
        enough = self.at_work + self.idle >= KILLS_A_RUN
        if enough or self._seen == now or time.monotonic() < self._next:
            return
        [instance] = Registry(self._settings.home).instances()
        workers = instance.children[1:]
        self._rng.shuffle(workers)
        with redis.Redis(unix_socket_path=str(instance.folder / SOCKET)) as connection:
            if any(self._strike(worker, connection) for worker in workers):
                self._seen = now
                self._next = time.monotonic() + self._rng.uniform(0.0, 0.6)

    def _strike(self, worker: Mark, connection: redis.Redis) -> bool:
        if connection.hget(f"{WORKER_PREFIX}{worker}", "current_job"):
            self.at_work += _kill(worker.pid)
            return True
        if self._rng.random() < 0.02:
            self.idle += _kill(worker.pid)
            return True
        return False


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(240)
def test_killing_workers_at_random_changes_not_a_byte(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(place, home=place / "calm") as calm:
        run = new_run(calm.database, DATASET, CONFIG)
        finish(calm, run, NAMES)
        expected = result_of(calm.database, run).substance()
    monkeypatch.setenv("LETTER_MS", "2")
    at_work = idle = 0
    for round_number in range(6):
        if at_work >= KILLS:
            break
        home = place / f"home-{round_number}"
        # Enough attempts that no judgment is taken to be at fault for what this test does to its worker.
        settings = load_settings(home=home, sweep_seconds=0.1, batch_size=30, max_attempts=50, workers=3)
        database = Database(settings.database).create()
        killer = Killer(settings, seed=round_number)
        run = create_run(database, LetterParties(), DATASET, CONFIG)
        assert run_to_end(run, settings, killer).substance() == expected
        database.close()
        at_work, idle = at_work + killer.at_work, idle + killer.idle
    assert at_work >= KILLS, f"only {at_work} workers were killed at their work, and {idle} others"
