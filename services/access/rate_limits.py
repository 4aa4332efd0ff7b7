"""How many requests a key may make in a minute, and how many failures an address: exact moving windows in Redis.

All processes share the windows. Without Redis, or while it does not answer, each process counts by itself, so that
limits become looser by the number of processes and requests go on; an outage of the queue must not close the API.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from knowledge_base.errors import AccessDenied
from services.shared_places import client_of

PREFIX = "touchstone:access"
WINDOW_SECONDS = 60.0

RETRY_SECONDS = 5.0
"""How long Redis is left alone after it did not answer."""

MOST_COUNTED = 20_000
"""Names that a process counts by itself; when there are more it begins anew, for nothing else bounds its memory."""

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """Where a caller stands, for the headers of a response.

    Attributes:
        limit: requests in a minute.
        remaining: that are left now.
        reset: seconds until the oldest counted request no longer counts.
    """

    limit: int
    remaining: int
    reset: float


class TooMany(AccessDenied):
    """A caller comes too often.

    Attributes:
        kind: what was counted; standing: where the caller stands.
    """

    def __init__(self, kind: str, standing: Standing) -> None:
        wait = max(standing.reset, 0.1)
        told = f"{standing.limit} {kind} a minute are allowed, and there were as many; try again in {wait:.0f} s"
        super().__init__(told, reason="limited", retry_after=wait)
        self.kind, self.standing = kind, standing


class RequestLimits:
    """Counts for one process, together with all others that name the same server.

    Args:
        url: of the Redis server; empty: count in this process only.
    """

    def __init__(self, url: str = "") -> None:
        self._memory = MemoryStorage()
        self._here = MovingWindowRateLimiter(self._memory)
        self._client = client_of(url) if url else None
        self._shared: MovingWindowRateLimiter | None = None
        if self._client is not None:
            # The address is not used: the pool has one already.
            pool = self._client.connection_pool
            self._shared = MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX))
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def take(self, kind: str, name: str, per_minute: int) -> Standing:
        """Count a request.

        Args:
            kind: what is counted, such as `requests`; name: for whom.
            per_minute: how many there may be.

        Raises:
            TooMany: there were as many in the last minute.
        """
        item = RateLimitItemPerMinute(per_minute)
        counted = self._ask(lambda limiter: limiter.hit(item, kind, name))
        standing = self.look(kind, name, per_minute)
        if not counted:
            raise TooMany(kind, standing)
        return standing

    def look(self, kind: str, name: str, per_minute: int) -> Standing:
        """Where a caller stands; counts nothing."""
        item = RateLimitItemPerMinute(per_minute)
        stats = self._ask(lambda limiter: limiter.get_window_stats(item, kind, name))
        reset = min(max(0.0, stats.reset_time - time.time()), WINDOW_SECONDS)
        return Standing(per_minute, max(0, stats.remaining), reset)

    def check(self, kind: str, name: str, per_minute: int) -> None:
        """Go on only if another request would be counted; counts nothing.

        Raises:
            TooMany: it would not.
        """
        standing = self.look(kind, name, per_minute)
        if not standing.remaining:
            raise TooMany(kind, standing)

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()

    def _ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        if self._shared is not None and time.monotonic() >= self._silent_until:
            try:
                return question(self._shared)
            except RedisError as error:
                self._silent_until = time.monotonic() + RETRY_SECONDS
                log.warning("Redis does not answer (%s): this process counts requests by itself for now", error)
        with self._lock:
            if len(self._memory.events) > MOST_COUNTED:
                self._memory.reset()
        return question(self._here)
