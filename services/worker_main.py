"""A worker process: `python -m services.worker_main`. Settings come from the environment.

It does its jobs itself instead of forking for each (RQ's `SimpleWorker`, not its `Worker`). A job here needs the
embedding model, the catalogue, its index and some forty lexicons: a fork of a process of 650 MB costs more than a
batch of judgments, and whatever a forked job has loaded, embedded or measured is lost with it. Measured on 43 mining
pairs, cross-fitted: 262 s of processor time with a fork a job. What RQ's `Worker` gives besides, a job that may die
without its worker, `Workforce` and `Sweeper` give here: a dead worker is replaced, and its batch handed out again in
smaller pieces. So that no leak lasts, whoever starts a worker and will replace it tells it to end after `--jobs` jobs.
"""

from __future__ import annotations

import argparse
import os

import redis
from rq import SimpleWorker

from services.deployment import standing
from services.processes import Mark
from services.queue import QUEUE, SERIALIZER
from services.settings import Settings, load_settings
from services.tethered import tether


def load_everything(settings: Settings) -> None:
    """Import and load what jobs use, into the deployment that they will find standing."""
    import services.jobs

    standing(settings).parties.preload()
    del services


def main(arguments: list[str] | None = None) -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="process to die with (0: none)")
    parser.add_argument("--jobs", type=int, default=0, help="jobs after which to end (0: none)")
    given = parser.parse_args(arguments)
    if given.parent:
        tether(given.parent)
    settings = load_settings()
    load_everything(settings)
    connection = redis.Redis.from_url(settings.redis_url)
    worker = SimpleWorker(
        [QUEUE], name=str(Mark.of(os.getpid())), connection=connection, serializer=SERIALIZER, log_job_description=False
    )
    worker.work(logging_level="WARNING", max_jobs=given.jobs or None)


if __name__ == "__main__":
    main()
