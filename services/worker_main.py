"""A worker process: `python -m services.worker_main`. Settings come from the environment.

RQ forks for every job and a forked job has only what its parent imported, so everything a job needs is imported and
loaded here first. Nothing is computed in this process: threads of numerical libraries do not survive a fork.
"""

from __future__ import annotations

import argparse
import os

import redis
from rq import Queue, Worker
from rq.job import Job

from services.database import Database
from services.parties import load_parties
from services.processes import Mark
from services.queue import QUEUE, SERIALIZER
from services.settings import Settings, load_settings
from services.tethered import tether


class TetheredWorker(Worker):
    """An RQ worker whose jobs die with it, so that a killed worker's job cannot go on unseen."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Entry point of the forked job."""
        if self.pid is not None:
            tether(self.pid)
        super().main_work_horse(job, queue)


def load_everything(settings: Settings) -> None:
    """Import and load what jobs use."""
    import services.jobs

    database = Database(settings.database)
    load_parties(settings, database).preload()
    database.close()
    del services


def main(arguments: list[str] | None = None) -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="process to die with (0: none)")
    parent = parser.parse_args(arguments).parent
    if parent:
        tether(parent)
    settings = load_settings()
    load_everything(settings)
    connection = redis.Redis.from_url(settings.redis_url)
    worker = TetheredWorker(
        [QUEUE], name=str(Mark.of(os.getpid())), connection=connection, serializer=SERIALIZER, log_job_description=False
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
