"""Idempotency keys: a request that was sent twice, because no answer came, is carried out once and answered alike.

As in the IETF draft "The Idempotency-Key HTTP Header Field": the same key with another request is refused with 422,
one whose first request is still under way with 409. A server that died amid a request leaves its key taken for
`PATIENCE` seconds; then the request may be carried out again, which every operation behind a key bears.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Executable, delete, select, update

from services.api.access import Anyone
from services.api.problems import Refused
from services.api.tables import OnceRow
from services.database import Database, insert_new

PATIENCE = 120.0
KEPT_SECONDS = 24 * 3600.0
KEY = r"^[\x21-\x7e]{1,200}$"


class Once:
    """Carries a request out once.

    Args:
        database: where answers are kept.
        caller: whose keys these are; two callers may use the same.
        token: the idempotency key; empty carries the request out every time.
        digest: of method, path and body.
    """

    def __init__(self, database: Database, caller: str, token: str, digest: str) -> None:
        self._database, self._caller, self._token, self._digest = database, caller, token, digest
        self._mine = (OnceRow.caller == caller, OnceRow.token == token)

    def answer(self, work: Callable[[], BaseModel], status: int = 200) -> Response:
        """The answer to the request: of `work`, or what it was answered before.

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
            body = work().model_dump_json()
        except BaseException:
            self._write(delete(OnceRow).where(*self._mine, OnceRow.status == 0))
            raise
        self._write(update(OnceRow).where(*self._mine).values(status=status, body=body))
        return _json(body, status)

    def _claim(self) -> Response | None:
        """Take the key; the earlier answer where there is one."""
        row, now = OnceRow, time.time()
        fresh = {"caller": self._caller, "token": self._token, "digest": self._digest, "status": 0, "at": now}
        with self._database.write() as connection:
            stale = delete(row).where(*self._mine, row.at < now - KEPT_SECONDS)
            dead = delete(row).where(*self._mine, row.status == 0, row.at < now - PATIENCE)
            connection.execute(stale)
            connection.execute(dead)
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
    seen = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if key and "multipart" not in request.headers.get("content-type", ""):
        seen.update(await request.body())
    return Once(request.app.state.deployment.database, caller.key, key, seen.hexdigest())


OnceOnly = Annotated[Once, Depends(_once)]
"""A dependency of every route that costs money."""
