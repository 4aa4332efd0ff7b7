"""Requests that survive what networks and restarts do: each is repeated with the same idempotency key until answered.

A request that was lost and one whose answer was lost look the same from here; the key has the server tell them apart.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from knowledge_base.errors import TouchstoneError

T = TypeVar("T")

TRIES = 6
LONGEST_WAIT = 60.0
AGAIN = frozenset({429, 502, 503, 504})
UNDER_WAY_SECONDS = 1800.0
"""How long a request is waited for that the server says it is carrying out."""
TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class ServerRefused(TouchstoneError):
    """The server did not carry out a request.

    Attributes:
        status: HTTP status; 0 where no answer came.
        kind: last part of the problem's type, such as `input` or `not-found`.
        request: the server's id of the request; retry_after: seconds that it asked to wait.
    """

    def __init__(self, told: str, *, status: int = 0, kind: str = "", request: str = "") -> None:
        super().__init__(told)
        self.status, self.kind, self.request = status, kind, request
        self.retry_after = 0.0


class Transport:
    """Sends requests to one server.

    Args:
        url: of the server, such as `http://127.0.0.1:8400`.
        key: API key; empty for a server without keys.
        pause: seconds before the second try; later ones wait longer.
        sleep: waits; tests give one that does not.
    """

    def __init__(
        self, url: str, key: str = "", *, pause: float = 0.5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.url = url.rstrip("/")
        self._pause, self._sleep = pause, sleep
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT)

    def get(self, path: str, made: type[T], **query: Any) -> T:
        """Ask for something; what comes back is checked against its type."""
        return _read(self._send("GET", path, params=_given(query)), made)

    def post(self, path: str, made: type[T], body: BaseModel | None = None, **query: Any) -> T:
        """Have something done, once however often it is sent."""
        content = body.model_dump_json() if body is not None else "{}"
        headers = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": "application/json"}
        return _read(self._send("POST", path, content=content, headers=headers, params=_given(query)), made)

    def upload(self, path: str, made: type[T], file: Path, **query: Any) -> T:
        """Send a file as it is, from disk."""
        headers = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": "application/octet-stream"}
        return _read(self._send("POST", path, file=file, headers=headers, params=_given(query)), made)

    def text(self, path: str, **query: Any) -> str:
        """A page or a file that is text."""
        return self._send("GET", path, params=_given(query)).text

    def download(self, path: str, file: Path, **query: Any) -> None:
        """A file, written as it comes."""
        with self._http.stream("GET", path, params=_given(query)) as response:
            if response.is_error:
                response.read()
                raise _refusal(response)
            with file.open("wb") as out:
                for part in response.iter_bytes():
                    out.write(part)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """A response whose end is not near."""
        timeout = httpx.Timeout(10.0, read=40.0)
        with self._http.stream("GET", path, headers=dict(headers), timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise _refusal(response)
            yield response

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _send(self, method: str, path: str, file: Path | None = None, **options: Any) -> httpx.Response:
        fault: Exception | None = None
        attempt, until = 0, time.monotonic() + UNDER_WAY_SECONDS
        while attempt < TRIES:
            if fault is not None:
                self._sleep(self._wait(attempt or 1, fault))
            attempt += 1
            try:
                response = self._once(method, path, file, options)
            except httpx.TransportError as error:
                fault = error
                continue
            if not response.is_error:
                return response
            fault = _refusal(response)
            if _under_way(response) and time.monotonic() < until:
                # The server is at it, so this is no failure, and the next one is the first again.
                attempt = 0
            elif response.status_code not in AGAIN:
                raise fault
        if isinstance(fault, ServerRefused):
            raise fault
        raise ServerRefused(
            f"{self.url} does not answer ({type(fault).__name__}: {fault}); check TOUCHSTONE_URL"
        ) from fault

    def _once(self, method: str, path: str, file: Path | None, options: Mapping[str, Any]) -> httpx.Response:
        if file is None:
            return self._http.request(method, path, **options)
        with file.open("rb") as content:
            return self._http.request(method, path, content=content, **options)

    def _wait(self, attempt: int, fault: Exception | None) -> float:
        asked = getattr(fault, "retry_after", 0.0)
        grown = self._pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
        return float(min(LONGEST_WAIT, max(asked, grown)))


def _refusal(response: httpx.Response) -> ServerRefused:
    try:
        problem = response.json()
        told, kind, request = problem["detail"], problem["type"].rpartition("/")[2], problem.get("instance", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        told, kind, request = f"the server answered {response.status_code} and no problem document", "", ""
    if response.status_code == 401 and "authorization" not in response.request.headers:
        told = _without_key(told)
    error = ServerRefused(told, status=response.status_code, kind=kind, request=request)
    after = response.headers.get("retry-after", "0")
    error.retry_after = float(after) if after.isdigit() else 0.0
    return error


def _without_key(told: str) -> str:
    """What to do without a key, for whoever sends no headers of their own."""
    remedy = "set TOUCHSTONE_API_KEY to it (from Python: give `Client` its `key`)"
    mended = told.replace("send it as `Authorization: Bearer tsk_...`", remedy)
    return mended if mended != told else f"{told}; if you have an API key, {remedy}"


def _under_way(response: httpx.Response) -> bool:
    """Whether this very request is being carried out: its first sending was not lost."""
    return response.status_code == 409 and "retry-after" in response.headers


def _read(response: httpx.Response, made: type[T]) -> T:
    adapter: TypeAdapter[T] = TypeAdapter(made)
    return adapter.validate_json(response.content)


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, "")}
