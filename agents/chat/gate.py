"""Who may send a request now: how many at once, how many a minute, and a pause where an endpoint asks for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from weakref import WeakKeyDictionary


class Gate(Protocol):
    """Admits requests to one endpoint. `tests/agents/gate_conformance.py` is the suite that every gate must pass."""

    def admit(self, tokens: int) -> AbstractAsyncContextManager[None]:
        """Wait until a request of about `tokens` (prompt and completion) may be sent; hold its place in the block."""
        ...

    def pause(self, seconds: float) -> None:
        """Admit nothing for so long: the endpoint asked for it."""
        ...


class LocalGate:
    """At most `in_flight` requests at once in this process and event loop."""

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        # Jobs run a loop each, one after the other; a gate must not keep them all.
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._closed_until = 0.0

    @asynccontextmanager
    async def admit(self, tokens: int) -> AsyncIterator[None]:
        """Wait for a place, and for a pause to end."""
        loop = asyncio.get_running_loop()
        places = self._places.setdefault(loop, asyncio.Semaphore(self._in_flight))
        async with places:
            while (wait := self._closed_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield

    def pause(self, seconds: float) -> None:
        """The longest pause asked for counts."""
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)
