"""A worker: takes jobs, does them itself, waits where something it needs is away, and ends in order when asked to.

It does its jobs itself instead of forking for each (RQ's `SimpleWorker`, not its `Worker`). A job here needs the
embedding model, the catalogue, its index and some forty lexicons: a fork of a process of 650 MB costs more than a
batch of judgments, and whatever a forked job has loaded, embedded or measured is lost with it. Measured on 43 mining
pairs, cross-fitted: 262 s of processor time with a fork a job. What RQ's `Worker` gives besides, a job that may die
without its worker, whoever starts workers and `Sweeper` give here: a dead worker is replaced, and its batch handed out
again in smaller pieces.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from rq import SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from knowledge_base.errors import TouchstoneError
from services.alongside import alongside
from services.deployment import Deployment, standing
from services.processes import Mark
from services.queue import LINES, SERIALIZER, Line
from services.roles.ending import Ending
from services.roles.health import Health
from services.settings import Settings
from services.stopping import Stopped
from services.telemetry.logs import about, log
from services.telemetry.subjects import subject_of

SHORTEST, LONGEST = 0.1, 15.0
"""Seconds between two looks for a server that is away: at first, and at last, doubling."""

LIFE_SECONDS, BEAT_SECONDS = 45, 10.0
"""How long Redis keeps the record of a worker that is not heard of, and how often one is. While the record stands, a
worker of another host counts as alive, and so does its job."""

KINDS = {"advance": "advance", "judge_batch": "judge", "label_chunk": "label"}

logger = log(__name__)


def load_everything(settings: Settings) -> None:
    """Import and load what jobs use, into the deployment that they will find standing."""
    import services.jobs
    import services.labelling.jobs

    standing(settings).parties.preload()
    del services


def work(settings: Settings, jobs: int, ending: Ending, health: Health) -> None:
    """Do jobs until asked to end, or until `jobs` were done (0: no such number).

    Raises:
        Exception: whatever is not an outage of Redis or of the database.
    """
    deployment, done, pause = standing(settings), 0, SHORTEST
    while not ending.asked and not (jobs and done >= jobs):
        hand = None
        try:
            _await_database(deployment, ending, health)
            hand = Hand(deployment, ending, jobs - done if jobs else 0)
            health.well()
            logger.info("taking jobs", database=deployment.database.place)
            hand.go()
            pause = SHORTEST
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
            health.ill("Redis is away")
            logger.warning("waiting for Redis", seconds=pause, fault=str(error))
            ending.pause(pause)
            pause = min(2 * pause, LONGEST)
        finally:
            done += hand.done if hand else 0


def _await_database(deployment: Deployment, ending: Ending, health: Health) -> None:
    """Wait until the database answers; jobs that it fails would be taken off the queue for nothing."""
    pause = SHORTEST
    while not ending.asked:
        try:
            with deployment.database.read() as connection:
                connection.execute(text("SELECT 1"))
                return
        except DBAPIError as error:
            health.ill("the database is away")
            logger.warning("waiting for the database", seconds=pause, fault=str(error.orig))
            ending.pause(pause)
            pause = min(2 * pause, LONGEST)


class Hand(SimpleWorker):
    """RQ's worker, told how to take jobs, what to say of them and when to end.

    Attributes:
        done: jobs that were taken.
    """

    queue_class = Line

    def __init__(self, deployment: Deployment, ending: Ending, jobs: int) -> None:
        self._deployment, self._ending, self._jobs = deployment, ending, jobs
        self._fault: BaseException | None = None
        self.done = 0
        connection = redis.Redis.from_url(deployment.settings.redis_url)
        name = str(Mark.of(os.getpid()))
        super().__init__(
            list(LINES), name=name, connection=connection, serializer=SERIALIZER, log_job_description=False,
            worker_ttl=LIFE_SECONDS,
        )  # fmt: skip
        Line.resting = staticmethod(ending.resting)

    def go(self) -> None:
        """Take jobs and do them, until asked to end, or as many as were asked for, or Redis or the database is away.

        Raises:
            redis.exceptions.RedisError: Redis is away.
        """
        try:
            self.bootstrap("WARNING")
            with self._beating():
                self._take_jobs()
        except Stopped:
            return
        finally:
            self._leave()

    def _take_jobs(self) -> None:
        while not self._ending.asked and not (self._jobs and self.done >= self._jobs):
            if self.should_run_maintenance_tasks:
                self.run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ's
            found = self.dequeue_job_and_maintain_ttl(self.dequeue_timeout)
            if found is not None:
                self.done += 1
                self.execute_job(*found)
                self.heartbeat()
            if isinstance(self._fault, DBAPIError):
                return

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """As RQ's, except that Redis being away is not waited for here."""
        self.set_state("idle")
        self.heartbeat()
        try:
            return self.queue_class.dequeue_any(
                self._ordered_queues, timeout, connection=self.connection, job_class=self.job_class,
                serializer=self.serializer, death_penalty_class=self.death_penalty_class,
            )  # fmt: skip
        except DequeueTimeout:
            return None

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """As RQ's, except that a job that may take long does not keep a dead worker's record for as long."""
        super().heartbeat(LIFE_SECONDS, pipeline)

    def execute_job(self, job: Job, queue: Any) -> None:
        """Do a job, and say how it went."""
        kind = KINDS.get(str(job.func_name).rpartition(".")[2], "other")
        began, self._fault = time.monotonic(), None
        with about(job=job.id, **subject_of(self._deployment.database, job.id)):
            logger.info("job begun", kind=kind)
            self._ending.working(True)
            try:
                super().execute_job(job, queue)
            finally:
                self._ending.working(False)
            self._tell(kind, time.monotonic() - began)

    def handle_exception(self, job: Job, *info: Any) -> None:
        """Note what a job failed of."""
        self._fault = info[1]

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """As RQ's; a job was kept among those taken also where there are several queues."""
        job.redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]  # RQ's
        super().prepare_job_execution(job, True)

    def register_birth(self) -> None:
        """As RQ's; a record that this very process left when Redis went away is no other worker's."""
        self.connection.delete(self.key)
        super().register_birth()  # type: ignore[no-untyped-call]  # RQ's

    def subscribe(self) -> None:
        """Nobody sends commands to single workers; a thread and a connection for them are spared."""

    def _install_signal_handlers(self) -> None:
        """Signals are `Ending`'s."""

    def _tell(self, kind: str, seconds: float) -> None:
        fault = self._fault
        outcome = "done" if fault is None else "stopped" if isinstance(fault, Stopped) else "failed"
        self._deployment.tally.job(kind, outcome, seconds)
        told = {"kind": kind, "seconds": round(seconds, 3), "outcome": outcome}
        if outcome == "failed":
            # What a user can mend says so itself; where else it broke, the lines of code tell.
            trace = None if isinstance(fault, TouchstoneError) else fault
            logger.error("job ended", **told, fault=f"{type(fault).__name__}: {fault}", exc_info=trace)
        else:
            logger.info("job ended", **told)

    @contextmanager
    def _beating(self) -> Iterator[None]:
        """Keep the record for as long as the block runs, whatever the job at hand is at."""
        with alongside(self._beat, "heartbeat"):
            yield

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(BEAT_SECONDS):
            with suppress(redis.exceptions.RedisError):
                self.connection.expire(self.key, LIFE_SECONDS)

    def _leave(self) -> None:
        """Take this worker off the record, if Redis is there to do so, and give its connection back."""
        try:
            self.register_death()  # type: ignore[no-untyped-call]  # RQ's
        except redis.exceptions.RedisError:
            logger.debug("left without taking leave")
        finally:
            self.connection.close()
