"""Requests and tokens a minute at an endpoint, counted by Redis for all processes: exact moving windows."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import redis
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from services.shared_places import key_of

WINDOW_SECONDS = 60

GRAINS = 10_000
"""Most parts that the tokens of a window are counted in: the server keeps an entry for each part that is taken."""

SHORTEST, LONGEST = 0.02, 1.0
"""Seconds between two looks at a window that is full."""

RETRY_SECONDS = 0.5
"""Pause before the server is asked again after it did not answer."""


@dataclass(frozen=True)
class _Window:
    """A window of so many parts, each of `grain` units."""

    item: RateLimitItem
    grain: int
    name: str

    @classmethod
    def of(cls, amount: int, seconds: int, name: str) -> _Window:
        grain = max(1, amount // GRAINS)
        return cls(RateLimitItemPerSecond(amount // grain, seconds), grain, name)

    def parts(self, units: int) -> int:
        """Parts that so many units take; what is larger than the window takes all of it."""
        return min(max(1, -(-units // self.grain)), self.item.amount)


class RateWindows:
    """Admits requests at the rates of an endpoint. The processes' clocks must agree to a second or so.

    Args:
        client: of the server.
        endpoint: any name.
        requests, tokens: per window; 0 means any number.
        seconds: length of a window.
    """

    def __init__(
        self, client: redis.Redis, endpoint: str, requests: int, tokens: int, seconds: int = WINDOW_SECONDS
    ) -> None:
        # The address is not used: the pool has one already.
        storage = RedisStorage("redis://", connection_pool=client.connection_pool, key_prefix=key_of(endpoint))
        self._limiter = MovingWindowRateLimiter(storage)
        self._requests = _Window.of(requests, seconds, "requests") if requests else None
        self._tokens = _Window.of(tokens, seconds, "tokens") if tokens else None
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def take(self, tokens: int) -> None:
        """Wait until a request of so many tokens fits into both windows, and count it. First come, first served.

        Raises:
            RedisError: the server did not answer.
        """
        wanted = [(w, w.parts(n)) for w, n in ((self._requests, 1), (self._tokens, tokens)) if w is not None]
        # One after the other, or a large request would wait while small ones slip past it.
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            while wanted:
                wait = await asyncio.to_thread(self._try, wanted)
                await asyncio.sleep(wait)

    def _try(self, wanted: list[tuple[_Window, int]]) -> float:
        """Take what is to be had, off the list; returns seconds to wait for the rest."""
        while wanted:
            window, parts = wanted[0]
            if not self._limiter.hit(window.item, window.name, cost=parts):
                free = self._limiter.get_window_stats(window.item, window.name).reset_time - time.time()
                return min(max(free, SHORTEST), LONGEST) * random.uniform(1.0, 1.2)
            del wanted[0]
        return 0.0
