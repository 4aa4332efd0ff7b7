"""What every request passes: an id, a bound on its size, a line in the log, and headers that keep browsers honest."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import respond

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Sent unless a route says otherwise. The API answers with data; whatever a browser makes of it may load nothing."""

log = logging.getLogger("touchstone.api")


class Passage:
    """ASGI middleware around the application.

    Args:
        app: what it is around.
        most_bytes: of a body, unless the path is for uploads.
        most_upload: of a body whose path is for uploads.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, most_upload: int) -> None:
        self._app, self._most, self._most_upload = app, most_bytes, most_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.id = _id_of(request)
        passing = _Passing(request, send, self._most_upload if _uploads(scope) else self._most)
        if passing.declared > passing.most:
            await passing.refuse(receive)
            return
        try:
            await self._app(scope, lambda: passing.receive(receive), passing.send)
        finally:
            passing.tell()


class _Passing:
    """One request on its way."""

    def __init__(self, request: Request, send: Send, most: int) -> None:
        self.request, self.most = request, most
        self._send, self._taken, self._status, self._begun = send, 0, 0, time.monotonic()
        length = request.headers.get("content-length", "0")
        self.declared = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0

    async def receive(self, receive: Receive) -> Message:
        """The next part of the body.

        Raises:
            HTTPException: it is too much; the framework takes any other error for one of parsing.
        """
        message = await receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self.most:
            raise HTTPException(413, self._too_large())
        return message

    async def send(self, message: Message) -> None:
        """A part of the response; the first one gets the headers."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._headers(message["headers"])}
        await self._send(message)

    async def refuse(self, receive: Receive) -> None:
        """Answer that the body is too large."""
        response = respond(self.request, 413, "too-large", self._too_large(), headers={"Connection": "close"})
        await response(self.request.scope, receive, self.send)
        self.tell()

    def tell(self) -> None:
        """A line in the log: no query, which may hold what a user wrote."""
        path, method = self.request.url.path, self.request.method
        caller = getattr(getattr(self.request.state, "identity", None), "key", "")
        told: dict[str, Any] = {
            "request": self.request.state.id, "method": method, "path": path, "status": self._status,
            "seconds": round(time.monotonic() - self._begun, 4), "key": caller,
        }  # fmt: skip
        log.info("request", extra=told)

    def _too_large(self) -> str:
        return f"the body is larger than {self.most:,} bytes; send less, or a file in parts"

    def _headers(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in given}
        added = {**HEADERS, "X-Request-Id": self.request.state.id, "Cache-Control": "no-store"}
        more: dict[str, str] = getattr(self.request.state, "headers", {})
        return given + [
            (n.lower().encode(), v.encode()) for n, v in {**added, **more}.items() if n.lower().encode() not in present
        ]


def _uploads(scope: Scope) -> bool:
    return scope["method"] == "POST" and str(scope["path"]).endswith("/upload")


def _id_of(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if GIVEN_ID.fullmatch(given) else f"req-{secrets.token_hex(6)}"
