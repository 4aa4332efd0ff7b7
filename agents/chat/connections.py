"""HTTP connections that live exactly as long as the event loop that opened them.

A process runs one `asyncio.run` after another, and a connection belongs to the loop that opened it: used from another
it waits for ever, left behind it leaks a socket. So each loop has pools of its own, and itself closes them: an
asynchronous generator that is not finished is closed by `loop.shutdown_asyncgens`, which `asyncio.run` ends with.

Providers whose connections are out of reach, since their packages keep them for the process, run in one loop that
never ends.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import ssl

    import httpx2

SHARE = 16
"""Requests under way in one pool before the next one is used: for each request a pool looks at all its connections."""

IDLE_SECONDS = 4.0
"""Less than the five seconds after which common servers hang up, so that no request meets a closing connection."""

T = TypeVar("T")
_lent: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Pools, AsyncGenerator[Pools, None]]] = WeakKeyDictionary()
_resident: dict[int, asyncio.AbstractEventLoop] = {}


class Pools:
    """The connections of one loop, in as many pools as the requests under way need; one after the other uses one."""

    def __init__(self) -> None:
        self._clients: list[httpx2.AsyncClient] = []
        self._busy: list[int] = []

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it on a connection of the first pool that is not full."""
        at = next((i for i, busy in enumerate(self._busy) if busy < SHARE), len(self._busy))
        if at == len(self._busy):
            self._clients.append(_client())
            self._busy.append(0)
        self._busy[at] += 1
        try:
            return await self._clients[at].send(request, **options)
        finally:
            self._busy[at] -= 1

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients:
            await client.aclose()


async def pools_of_loop() -> Pools:
    """The pools of the running loop; they are closed when it shuts down."""
    loop = asyncio.get_running_loop()
    if loop not in _lent:
        lending = _lend(loop)
        _lent[loop] = await anext(lending), lending
    return _lent[loop][0]


async def _lend(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Pools, None]:
    pools = Pools()
    try:
        yield pools
    finally:
        _lent.pop(loop, None)
        await pools.aclose()


def _client() -> httpx2.AsyncClient:
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=2 * SHARE, keepalive_expiry=IDLE_SECONDS)
    return openai.DefaultAsyncHttpxClient(limits=limits, verify=_certificates())


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes some 20 ms."""
    import httpx2

    return httpx2.create_ssl_context()


@cache
def shared_client() -> httpx2.AsyncClient:
    """A client that may be used from any loop: each request goes out by the pools of the loop that it is made in."""
    import httpx2

    class SharedClient(httpx2.AsyncClient):
        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            return await (await pools_of_loop()).send(request, **options)

    return SharedClient(transport=httpx2.AsyncBaseTransport())


async def in_resident_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in the loop that lives as long as the process, in a thread of its own; cancelling this cancels it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _resident_loop()))


def _resident_loop() -> asyncio.AbstractEventLoop:
    """One a process: a fork inherits no threads."""
    loop = _resident.get(os.getpid())
    if loop is None:
        loop = _resident[os.getpid()] = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="chat-providers", daemon=True).start()
    return loop
