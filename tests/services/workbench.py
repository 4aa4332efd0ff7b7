"""A run in one process over a real queue: jobs are taken from Redis and executed here, in an order the test chooses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from letter_parties import LetterJudge, LetterManager, LetterParties, letter_dataset
from rq.job import Job
from sqlalchemy import select

from agents.local_run import run_local
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.pairs import Dataset
from services.database import Database
from services.deployment import Deployment
from services.embedded_redis import EmbeddedRedis
from services.jobs import advance_thread, judge_rows
from services.mining_thread import load_thread
from services.queue import LINES, SERIALIZER, JobQueue
from services.run_config import RunConfig
from services.runs import create_run
from services.settings import load_settings
from services.tables import OutcomeRow, ThreadRow

SMALL = RunConfig(policy="paper", size=6, rounds=3, minimum=1000, folds=3)
SEALED = RunConfig(policy="paper", size=6, rounds=3, minimum=10)


@contextmanager
def bench(place: Path, **overrides: Any) -> Iterator[Deployment]:
    """An open deployment with its own server and database and no workers."""
    with EmbeddedRedis(place / "home") as server:
        settings = load_settings(redis_url=server.url, **overrides)
        database, queue = Database(settings.database).create(), JobQueue(server.url, settings.job_seconds)
        yield Deployment(settings, database, queue)
        queue.close()
        database.close()


def another(deployment: Deployment) -> Deployment:
    """The same deployment as another process would open it."""
    settings = deployment.settings
    return Deployment(settings, Database(settings.database), JobQueue(settings.redis_url, settings.job_seconds))


def new_run(database: Database, dataset: Dataset | None = None, config: RunConfig = SEALED, **more: Any) -> str:
    """A run of the letter parties."""
    return create_run(database, LetterParties(), dataset or letter_dataset(30), config, **more)


def waiting(deployment: Deployment) -> list[Job]:
    """Jobs on the queue, next first."""
    connection: Any = deployment.queue.connection
    ids = [i for line in LINES for i in connection.lrange(f"rq:queue:{line}", 0, -1)]
    jobs = Job.fetch_many([i.decode() for i in ids], connection=deployment.queue.connection, serializer=SERIALIZER)
    return [job for job in jobs if job is not None]


def take_job(deployment: Deployment, rng: random.Random | None = None) -> Job | None:
    """Take the next job off the queue, or any if `rng` is given."""
    jobs = waiting(deployment)
    if not jobs:
        return None
    job = rng.choice(jobs) if rng else jobs[0]
    taken = deployment.queue.connection.lrem(f"rq:queue:{job.origin}", 1, job.id)
    if not taken:
        return take_job(deployment, rng)
    job.delete(remove_from_queue=False)
    return job


def execute(deployment: Deployment, job: Job) -> None:
    """Do a job."""
    work = {"services.jobs.advance": advance_thread, "services.jobs.judge_batch": judge_rows}[str(job.func_name)]
    work(deployment, job.args[0])


def work_off(deployment: Deployment, rng: random.Random | None = None) -> int:
    """Execute jobs until none is left; returns how many there were."""
    done = 0
    while (job := take_job(deployment, rng)) is not None:
        execute(deployment, job)
        done += 1
    return done


def finish(deployment: Deployment, run: str, names: tuple[str, ...] = ("main",)) -> None:
    """Take a run's threads to their end."""
    deployment.queue.advance(f"{run}-{name}" for name in names)
    work_off(deployment)


def with_parties(deployment: Deployment, parties: LetterParties) -> Deployment:
    """The same deployment as a process with other parties would open it."""
    own = another(deployment)
    own.__dict__["parties"] = parties
    return own


def outcome(deployment: Deployment, run: str, name: str = "main") -> str:
    """What a finished thread of a run came to."""
    with deployment.database.read() as connection:
        query = select(OutcomeRow.body).where(OutcomeRow.thread == f"{run}-{name}")
        return connection.execute(query).scalar_one()


def alone(deployment: Deployment, run: str, name: str = "main") -> str:
    """The outcome of the same thread in one process, with neither queue nor database."""
    thread = load_thread(deployment.database, f"{run}-{name}")
    durable = thread.with_manager(LetterManager(), deployment.database)
    ledger = MemoryLedger([*thread.mining, *thread.sealed])
    mining = Mining(durable.brief, durable.sealed, ledger, LetterManager(), durable.policy, durable.panel)
    return run_local(mining, LetterJudge(), thread.lineage).model_dump_json()


def thread_row(deployment: Deployment, thread: str) -> Any:
    """How a thread stands."""
    with deployment.database.read() as connection:
        columns = (ThreadRow.status, ThreadRow.fault, ThreadRow.attempts, ThreadRow.lease_owner)
        return connection.execute(select(*columns).where(ThreadRow.id == thread)).one()
