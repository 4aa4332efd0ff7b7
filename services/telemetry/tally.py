"""Counts that all processes of a deployment add to, kept in Redis, so that any of them can tell the whole.

A count is lost when Redis is emptied: it then begins at 0 again, which whoever reads counters expects of a restart.
What must not be lost is counted from the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

KEY = "touchstone:tally"

SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""Upper bounds of the classes in which the seconds of jobs are counted; beyond the last they have none."""

Labels = tuple[str, ...]


class Tally:
    """The counts behind a Redis connection. Counting never fails: work goes on where nobody can count it."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def add(self, counts: Mapping[Labels, float]) -> None:
        """Add to counts; the first label says what is counted."""
        with suppress(RedisError), self._connection.pipeline(transaction=False) as pipeline:
            for labels, value in counts.items():
                if value:
                    pipeline.hincrbyfloat(KEY, json.dumps(labels), value)
            pipeline.execute()

    def job(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a job that has ended.

        Args:
            kind: `advance`, `judge` or `label`.
            outcome: `done`, `failed` or `stopped`.
            seconds: that it took.
        """
        bound = next((str(b) for b in SECONDS if seconds <= b), "+Inf")
        self.add({("jobs", kind, outcome): 1, ("seconds", kind): seconds, ("within", kind, bound): 1})

    def judged(self, answers: Iterable[tuple[str, str]]) -> None:
        """Count answers, each given as its judge's fingerprint and its status."""
        counts: dict[Labels, float] = {}
        for judge, status in answers:
            counts[("judged", judge, status)] = counts.get(("judged", judge, status), 0) + 1
        self.add(counts)

    def read(self) -> Iterator[tuple[Labels, float]]:
        """All counts, by their labels. Raises `RedisError` where Redis does not answer."""
        found: Any = self._connection.hgetall(KEY)
        for labels, value in found.items():
            yield tuple(json.loads(labels)), float(value)
