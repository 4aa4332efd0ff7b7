"""The queue: what is put on it (ids, as JSON) and which of it is alive. RQ underneath, always a real Redis."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from rq import Queue
from rq.intermediate_queue import IntermediateQueue
from rq.queue import EnqueueData

from services.embedded_registry import transport_of
from services.processes import Mark

QUEUE = "touchstone"
SERIALIZER = "json"

FAILURE_SECONDS = 300
"""How long Redis keeps a failed job for people to look at. Results are not kept at all: they are in the database."""

TAKEN_SECONDS = 3.0
"""How long a job that a worker has taken but not begun counts as alive; beginning takes some ten milliseconds."""

WORKER_KEYS = f"rq:workers:{QUEUE}"
WORKER_PREFIX = "rq:worker:"


@dataclass(frozen=True)
class Live:
    """Ids of jobs that wait, or that a living worker has."""

    ids: frozenset[str]

    def advancing(self, thread: str) -> bool:
        """Whether an advance of this thread waits or runs."""
        return any(i.startswith(f"advance-{thread}-") for i in self.ids)


class JobQueue:
    """Puts jobs on the queue behind a Redis URL.

    Args:
        url: the server.
        job_seconds: longest time one job may take.
    """

    def __init__(self, url: str, job_seconds: int) -> None:
        self.connection = redis.Redis.from_url(url)
        self.transport = transport_of(url)
        self._seconds = job_seconds
        self._queue = Queue(QUEUE, connection=self.connection, serializer=SERIALIZER, default_timeout=job_seconds)

    def new_batch(self) -> str:
        """A fresh batch id. It names its server, so that any other can tell whether it may be alive."""
        return f"judge-{self.transport}-{secrets.token_hex(8)}"

    def judge(self, batches: Sequence[str]) -> None:
        """Have these batches judged."""
        self._queue.enqueue_many([self._data("services.jobs.judge_batch", b, b) for b in batches])

    def advance(self, threads: Iterable[str]) -> None:
        """Have these threads advanced, before any judging that waits.

        Each job's id is its own. Were it the thread's, a wake-up could be dropped as the duplicate of a job that is
        about to end without having seen what the wake-up is about.
        """
        jobs = [self._data("services.jobs.advance", t, f"advance-{t}-{secrets.token_hex(6)}", True) for t in threads]
        self._queue.enqueue_many(jobs)

    def live(self) -> Live:
        """What is alive. Read in the order in which a job moves on, so that a moving one is seen at least once."""
        waiting = self.connection.lrange(self._queue.key, 0, -1)
        taken = [i for i in self._taken() if self._fresh(i)]
        running = self._running()
        return Live(frozenset([*map(_text, waiting), *taken, *running]))

    def close(self) -> None:
        """Give the connections back."""
        self.connection.close()

    def _data(self, function: str, argument: str, job: str, at_front: bool = False) -> EnqueueData:
        return Queue.prepare_data(
            function, args=(argument,), job_id=job, description=job, at_front=at_front,
            timeout=self._seconds, result_ttl=0, failure_ttl=FAILURE_SECONDS,
        )  # fmt: skip

    def _taken(self) -> list[str]:
        return IntermediateQueue(self._queue.key, self.connection).get_job_ids()

    def _fresh(self, job: str) -> bool:
        """Whether a job was taken so recently that its worker may yet begin it."""
        intermediate = IntermediateQueue(self._queue.key, self.connection)
        intermediate.set_first_seen(job)
        seen = intermediate.get_first_seen(job)
        return seen is not None and time.time() - seen.timestamp() < TAKEN_SECONDS

    def _running(self) -> list[str]:
        keys: Any = self.connection.smembers(WORKER_KEYS)
        jobs = [self.connection.hget(key, "current_job") for key in sorted(keys) if _lives(_text(key))]
        return [_text(job) for job in jobs if job]


def _lives(key: str) -> bool:
    """Whether a worker, named by its process, runs. One of another host is taken to live while Redis has its record."""
    mark = Mark.parse(key.removeprefix(WORKER_PREFIX))
    return mark is None or not mark.dead


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
