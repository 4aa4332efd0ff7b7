"""Idempotency keys: a request that was sent twice, because no answer came, is carried out once and answered alike.

As in the IETF draft "The Idempotency-Key HTTP Header Field": the same key with another request is refused with 422,
one whose first request is still under way with 409, however long it takes. A server that died amid a request leaves
its key taken for `PATIENCE` seconds; then the request is carried out again. What its first time has done by then is
either found again by the operation itself, as equal inputs make the same run, or by what its route gives as `found`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Executable, delete, select, update
from sqlalchemy.exc import DBAPIError

from knowledge_base.errors import Conflict
from services.alongside import alongside
from services.api.access import Anyone
from services.api.problems import Refused
from services.api.tables import OnceRow
from services.database import Database, insert_new

PATIENCE = 120.0
KEPT_SECONDS = 24 * 3600.0
Found = Callable[[], BaseModel | None]
KEY = r"^[\x21-\x7e]{1,200}$"


class Once:
    """Carries a request out once.

    Args:
        database: where answers are kept.
        caller: whose keys these are; two callers may use the same.
        token: the idempotency key; empty carries the request out every time.
        digest: of method, path and, unless it is a file, body.
    """

    def __init__(self, database: Database, caller: str, token: str, digest: str) -> None:
        self._database, self._caller, self._token, self._digest = database, caller, token, digest
        self._mine = (OnceRow.caller == caller, OnceRow.token == token)
        self._taken_over = False

    def include(self, digest: str) -> None:
        """Tell the request from others by this, too: the digest of a file that was its body."""
        self._digest = hashlib.sha256(f"{self._digest} {digest}".encode()).hexdigest()

    def answer(self, work: Callable[[], BaseModel], status: int = 200, found: Found | None = None) -> Response:
        """The answer to the request: of `work`, or what it was answered before.

        Args:
            work: carries it out.
            status: of the answer.
            found: what the request has made, if anything; asked where a server died amid its first time and making it
                again is a conflict.

        Raises:
            Refused: the key was used for another request, or its request is still under way.
            Exception: whatever `work` raises; the key is then free again.
        """
        if not self._token:
            return _json(work().model_dump_json(), status)
        earlier = self._claim()
        if earlier is not None:
            return earlier
        try:
            with alongside(self._renew, "idempotency key"):
                body = self._carried_out(work, found).model_dump_json()
        except BaseException:
            self._write(delete(OnceRow).where(*self._mine, OnceRow.status == 0))
            raise
        self._write(update(OnceRow).where(*self._mine).values(status=status, body=body))
        return _json(body, status)

    def _carried_out(self, work: Callable[[], BaseModel], found: Found | None) -> BaseModel:
        try:
            return work()
        except Conflict:
            made = found() if found is not None and self._taken_over else None
            if made is None:
                raise
            return made

    def _renew(self, done: threading.Event) -> None:
        """Keep the key from being taken over while its request is carried out."""
        while not done.wait(PATIENCE / 4):
            with suppress(DBAPIError):
                self._write(update(OnceRow).where(*self._mine, OnceRow.status == 0).values(at=time.time()))

    def _claim(self) -> Response | None:
        """Take the key; the earlier answer where there is one."""
        row, now = OnceRow, time.time()
        fresh = {"caller": self._caller, "token": self._token, "digest": self._digest, "status": 0, "at": now}
        with self._database.write() as connection:
            stale = delete(row).where(*self._mine, row.at < now - KEPT_SECONDS)
            dead = delete(row).where(*self._mine, row.status == 0, row.at < now - PATIENCE)
            connection.execute(stale)
            self._taken_over = connection.execute(dead).rowcount > 0
            columns = (row.digest, row.status, row.body)
            found = connection.execute(select(*columns).where(*self._mine)).one_or_none()
            if found is None:
                insert_new(connection, row, [{**fresh, "body": ""}])
                return None
        if found.digest != self._digest:
            raise Refused(422, "idempotency", "this Idempotency-Key was used for another request; take a new one")
        if not found.status:
            headers = {"Retry-After": "2"}
            raise Refused(409, "idempotency", "the first request with this Idempotency-Key is under way", headers)
        return _json(found.body, found.status, replayed=True)

    def _write(self, statement: Executable) -> None:
        with self._database.write() as connection:
            connection.execute(statement)


def _json(body: str, status: int, *, replayed: bool = False) -> Response:
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    return Response(body, status, headers, media_type="application/json")


async def _once(
    request: Request,
    caller: Anyone,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key", pattern=KEY, max_length=200,
            description="Any text of your own, new for each new request; sent again, it gets the first answer.",
        ),
    ] = "",
) -> Once:  # fmt: skip
    seen = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Once(request.app.state.deployment.database, caller.key, key, hashlib.sha256(seen).hexdigest())


async def _once_with_body(request: Request, once: OnceForFile) -> Once:
    # The body is bounded, and read into memory anyway; one that is a file is neither.
    once.include(hashlib.sha256(await request.body()).hexdigest())
    return once


OnceForFile = Annotated[Once, Depends(_once)]
"""A dependency of every route that costs money and takes a file; it includes the file's digest once it has it."""

OnceOnly = Annotated[Once, Depends(_once_with_body)]
"""A dependency of every other route that costs money."""
