"""The queue: what is put on it (ids, as JSON) and which of it is alive. RQ underneath, always a real Redis.

It has several lines, and a worker takes from the first that holds a job. Advances are short and lead to more work, so
they go first; then what somebody waits for, then mining, then labelling. One take in `FROM_THE_END` begins at the other
end, so that no line waits for ever behind a busy one. Within a line the oldest job is next: what makes that fair
between runs is that each has few jobs there at a time (`services.turns`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.intermediate_queue import IntermediateQueue
from rq.queue import EnqueueData

from services.embedded_registry import transport_of
from services.processes import Mark

ADVANCES = "touchstone-advances"
SOON = "touchstone-soon"
QUEUE = "touchstone"
LABELLING = "touchstone-labelling"
LINES = (ADVANCES, SOON, QUEUE, LABELLING)
"""Names of the lines, the one that goes first first: advances, what somebody waits for, mining, labelling."""

FROM_THE_END = 8
"""One take in so many begins at the last line."""

SERIALIZER = "json"

FAILURE_SECONDS = 300
"""How long Redis keeps a failed job for people to look at. Results are not kept at all: they are in the database."""

TAKEN_SECONDS = 3.0
"""How long a job that a worker has taken but not begun counts as alive; beginning takes some ten milliseconds."""

WORKER_KEYS = f"rq:workers:{QUEUE}"
WORKER_PREFIX = "rq:worker:"

BELL = "touchstone:bell"
"""A list on which idle workers wait, since Redis cannot wait for several lists and keep what it takes at once."""

MOST_RINGS = 256
BELL_SECONDS = 1.0
"""Longest wait for the bell, after which a worker looks for itself: a ring that was lost costs no more."""

TAKE = """
for _, key in ipairs(KEYS) do
    local job = redis.call('lmove', key, key .. ':intermediate', 'left', 'right')
    if job then return {key, job} end
end
return false
"""


@dataclass(frozen=True)
class Live:
    """Ids of jobs that wait, or that a living worker has."""

    ids: frozenset[str]

    def advancing(self, thread: str) -> bool:
        """Whether an advance of this thread waits or runs."""
        return any(i.startswith(f"advance-{thread}-") for i in self.ids)


@dataclass(frozen=True)
class Waiting:
    """What waits in a line: how many jobs, and for how many seconds the oldest has."""

    jobs: int
    seconds: float


class Line(Queue):
    """A line that is taken from together with the others, and never without a trace of what was taken.

    RQ itself keeps that trace only where a worker has one queue: of several it pops, and a job of a worker that dies
    before it begins is nowhere for a moment.
    """

    resting: Callable[[bool], None] = staticmethod(lambda _: None)
    """Told when a worker begins and ends to wait for the bell: only then may it be stopped where it stands."""

    _takes = count(1)

    @classmethod
    def lpop(cls, queue_keys: Sequence[str], timeout: int | None, connection: Any = None) -> Any:
        """Take the next job off the lines; see `rq.Queue.lpop`.

        Raises:
            DequeueTimeout: there was none for `timeout` seconds.
        """
        until = time.monotonic() + (timeout or 0)
        while True:
            keys = list(queue_keys)
            found = connection.eval(TAKE, len(keys), *(keys[::-1] if next(cls._takes) % FROM_THE_END == 0 else keys))
            if found or timeout is None:
                return found or None
            left = until - time.monotonic()
            if left <= 0:
                raise DequeueTimeout(timeout, queue_keys)
            cls._await_bell(connection, min(left, BELL_SECONDS))

    @classmethod
    def _await_bell(cls, connection: Any, seconds: float) -> None:
        cls.resting(True)
        try:
            connection.blpop([BELL], seconds)
        finally:
            cls.resting(False)


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
        self._lines = {
            name: Queue(name, connection=self.connection, serializer=SERIALIZER, default_timeout=job_seconds)
            for name in LINES
        }

    def new_batch(self) -> str:
        """A fresh batch id. It names its server, so that any other can tell whether it may be alive."""
        return f"judge-{self.transport}-{secrets.token_hex(8)}"

    def judge(self, batches: Sequence[str], line: str = QUEUE) -> None:
        """Have these batches judged."""
        self.put("services.jobs.judge_batch", batches, line)

    def advance(self, threads: Iterable[str]) -> None:
        """Have these threads advanced, before any judging that waits.

        Each job's id is its own. Were it the thread's, a wake-up could be dropped as the duplicate of a job that is
        about to end without having seen what the wake-up is about.
        """
        jobs = [self._data("services.jobs.advance", t, f"advance-{t}-{secrets.token_hex(6)}") for t in threads]
        self._enqueue(ADVANCES, jobs)

    def put(self, function: str, ids: Sequence[str], line: str) -> None:
        """Have `function` called with each of these ids, in jobs of the same ids."""
        self._enqueue(line, [self._data(function, i, i) for i in ids])

    def live(self) -> Live:
        """What is alive. Read in the order in which a job moves on, so that a moving one is seen at least once."""
        with self.connection.pipeline(transaction=False) as pipeline:
            for line in self._lines.values():
                pipeline.lrange(line.key, 0, -1)
            for line in self._lines.values():
                pipeline.lrange(line.intermediate_queue_key, 0, -1)
            pipeline.smembers(WORKER_KEYS)
            *found, workers = pipeline.execute()
        waiting = [_text(i) for ids in found[: len(LINES)] for i in ids]
        both = zip(self._lines.values(), found[len(LINES) :], strict=True)
        taken = [i for line, ids in both for i in map(_text, ids) if self._fresh(line, i)]
        return Live(frozenset([*waiting, *taken, *self._running(workers)]))

    def workers(self) -> int:
        """How many workers take jobs. One that was killed counts until its record in Redis ends, within a minute."""
        known: Any = self.connection.smembers(WORKER_KEYS)
        found: Any = self.connection.exists(*known) if known else 0
        return int(found)

    def waiting(self) -> dict[str, Waiting]:
        """What waits in each line."""
        with self.connection.pipeline(transaction=False) as pipeline:
            for line in self._lines.values():
                pipeline.llen(line.key)
                pipeline.lindex(line.key, 0)
            found = pipeline.execute()
            for job in found[1::2]:
                pipeline.hget(f"rq:job:{_text(job)}", "enqueued_at")
            begun = pipeline.execute()
        lengths = zip(self._lines, found[::2], begun, strict=True)
        return {name: Waiting(int(length), _age(since) if length else 0.0) for name, length, since in lengths}

    def close(self) -> None:
        """Give the connections back."""
        self.connection.close()

    def _enqueue(self, line: str, jobs: Sequence[EnqueueData]) -> None:
        if not jobs:
            return
        with self.connection.pipeline() as pipeline:
            self._lines[line].enqueue_many(jobs, pipeline=pipeline)
            pipeline.rpush(BELL, *["1"] * min(len(jobs), MOST_RINGS))
            pipeline.ltrim(BELL, -MOST_RINGS, -1)
            pipeline.execute()

    def _data(self, function: str, argument: str, job: str) -> EnqueueData:
        return Queue.prepare_data(
            function, args=(argument,), job_id=job, description=job, timeout=self._seconds, result_ttl=0,
            failure_ttl=FAILURE_SECONDS,
        )  # fmt: skip

    def _fresh(self, line: Queue, job: str) -> bool:
        """Whether a job was taken so recently that its worker may yet begin it."""
        intermediate = IntermediateQueue(line.key, self.connection)
        intermediate.set_first_seen(job)
        seen = intermediate.get_first_seen(job)
        return seen is not None and time.time() - seen.timestamp() < TAKEN_SECONDS

    def _running(self, workers: Iterable[Any]) -> list[str]:
        with self.connection.pipeline(transaction=False) as pipeline:
            for key in sorted(workers):
                if _lives(_text(key)):
                    pipeline.hget(key, "current_job")
            return [_text(job) for job in pipeline.execute() if job]


def _lives(key: str) -> bool:
    """Whether a worker, named by its process, runs. One of another host is taken to live while Redis has its record."""
    mark = Mark.parse(key.removeprefix(WORKER_PREFIX))
    return mark is None or not mark.dead


def _age(enqueued: Any) -> float:
    """Seconds since a moment as RQ writes it; 0 where it is not known."""
    from rq.utils import str_to_date

    since = str_to_date(_text(enqueued)) if enqueued else None
    return max(0.0, time.time() - since.timestamp()) if since else 0.0


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
