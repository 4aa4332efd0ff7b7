"""The scripted endpoint as an ASGI application, without a framework: it must cost next to nothing beside its clients.

    POST /v1/chat/completions   a reply, whole or streamed
    GET  /v1/models             names of the models
    GET  /stats                 counts since the last reset (`Counters.as_json`), cached blocks, processor seconds
    POST /reset                 forget counts, attempts, cached blocks and the quota used

Run by uvicorn. A dropped connection needs what ASGI does not offer, the transport: uvicorn's `receive` is a method of
the request cycle that holds it, in both of its HTTP implementations.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from benchmarks.scripted import wire
from benchmarks.scripted.engine import Engine, Served, Ticket
from benchmarks.scripted.rejections import BAD_GATEWAY, Rejection, bad_key

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream")
HTML = (b"content-type", b"text/html")
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: applic"

logger = logging.getLogger(__name__)


class ScriptedApp:
    """The application.

    Args:
        engine: what serves the requests.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        key = engine.service.key
        self._bearer = b"" if key is None else f"Bearer {key}".encode()
        self._routes = {
            "/v1/chat/completions": ("POST", self._complete),
            "/v1/models": ("GET", self._models),
            "/stats": ("GET", self._stats),
            "/reset": ("POST", self._reset),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._routed(scope, receive, send)
        except Rejection as rejection:
            await self._reject(rejection, send)
        except asyncio.CancelledError:
            # The server is stopping and has closed the connection; uvicorn would log the cancellation as a crash.
            return

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, serve = self._routes.get(scope["path"], ("", self._models))
        if method != scope["method"]:
            status = 405 if method else 404
            raise self._counted(Rejection("not_found", status, f"Invalid URL ({scope['method']} {scope['path']})"))
        if self._bearer and scope["path"].startswith("/v1/"):
            self._authorise(scope)
        await serve(receive, send)

    def _authorise(self, scope: Scope) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(given, self._bearer):
            raise self._counted(bad_key())

    async def _complete(self, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        try:
            order = wire.read_order(body, self._engine.service)
        except Rejection as rejection:
            raise self._counted(rejection) from None
        ticket = self._engine.take(order.request, order.limit)
        outcome, served = "abandoned", None
        try:
            if ticket.fate.wire in ("timeout", "drop_headers"):
                outcome = ticket.fate.wire
                await self._never(ticket, receive)
                return
            served = self._answered(ticket)
            outcome = await self._deliver(ticket, order, served, receive, send)
        except Rejection as rejection:
            outcome = rejection.outcome
            raise
        finally:
            self._engine.end(ticket, outcome, served)

    def _answered(self, ticket: Ticket) -> Served:
        now = self._clock()
        seconds = ticket.fate.seconds
        try:
            return self._engine.answer(ticket, now, now + self._engine.script.prefill * seconds, now + seconds)
        except Exception as error:
            logger.exception("the answer function failed")
            raise Rejection("broken", 500, f"the answer function failed: {error!r}", kind="server_error") from error

    async def _never(self, ticket: Ticket, receive: Receive) -> None:
        if ticket.fate.wire == "drop_headers":
            _transport(receive).write(HALF_A_HEAD)
        elif await _gone_within(receive, self._engine.script.hang):
            return
        await _close(receive)

    async def _deliver(self, ticket: Ticket, order: wire.Order, served: Served, receive: Receive, send: Send) -> str:
        """Hand the reply over, or half of it, when it is time; returns the outcome."""
        name = f"chatcmpl-{ticket.request.digest}-{ticket.attempt}"
        usage, told = self._engine.service.usage, (name, int(time.time()), ticket.request.model, served)
        headers, half = [(b"x-request-id", name.encode())], ticket.fate.wire == "drop_body"
        if order.stream:
            events = list(wire.chunks(*told, usage if order.stream_usage else None))
            times = self._engine.script.prefill * ticket.fate.seconds, ticket.fate.seconds
            there = await _stream(receive, send, headers, events[: len(events) // 2] if half else events, times, half)
        else:
            there = not await _gone_within(receive, ticket.fate.seconds)
            if there:
                await _send(send, 200, JSON, wire.completion(*told, usage), headers, half=half)
        if there and half:
            await _close(receive)
        return "abandoned" if not there else ticket.fate.wire or ticket.fate.text or "answered"

    async def _models(self, receive: Receive, send: Send) -> None:
        await _send(send, 200, JSON, wire.model_list(self._engine.service))

    async def _stats(self, receive: Receive, send: Send) -> None:
        stats = self._engine.stats() | {"cpu_seconds": time.process_time()}
        await _send(send, 200, JSON, orjson.dumps(stats))

    async def _reset(self, receive: Receive, send: Send) -> None:
        self._engine.reset()
        await _send(send, 200, JSON, b"{}")

    async def _reject(self, rejection: Rejection, send: Send) -> None:
        if rejection.status == 502:
            await _send(send, 502, HTML, BAD_GATEWAY)
            return
        body = orjson.dumps(rejection.body(self._engine.service.style))
        await _send(send, rejection.status, JSON, body, rejection.headers)

    def _counted(self, rejection: Rejection) -> Rejection:
        self._engine.counters.outcomes[rejection.outcome] += 1
        return rejection


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _send(
    send: Send,
    status: int,
    kind: tuple[bytes, bytes],
    body: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
    half: bool = False,
) -> None:
    head = [kind, (b"content-length", b"%d" % len(body)), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    shown = body[: len(body) // 2] if half else body
    await send({"type": "http.response.body", "body": shown, "more_body": half})


async def _stream(
    receive: Receive,
    send: Send,
    headers: list[tuple[bytes, bytes]],
    events: list[bytes],
    times: tuple[float, float],
    half: bool,
) -> bool:
    """Send the first event once the prompt has been read, the others when the reply is there; False if nobody waits."""
    first, last = times
    if await _gone_within(receive, first):
        return False
    head = [EVENTS, (b"cache-control", b"no-cache"), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": events[0], "more_body": True})
    if await _gone_within(receive, last - first):
        return False
    for event in events[1:]:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    if not half:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    return True


async def _gone_within(receive: Receive, seconds: float) -> bool:
    """Wait for `seconds`; True at once if the client goes away."""
    if seconds <= 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _transport(receive: Receive) -> asyncio.Transport:
    return receive.__self__.transport  # type: ignore[attr-defined, no-any-return]  # see the module's docstring


async def _close(receive: Receive) -> None:
    """Close the connection after what was written; wait, so that uvicorn sees a client that left, not a fault."""
    _transport(receive).close()
    while (await receive())["type"] != "http.disconnect":
        pass
