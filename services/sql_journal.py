"""Replies kept in the database, so that a step of the manager that runs again pays for nothing twice."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict

from sqlalchemy import select

from agents.chat.endpoint import Reply, Tokens
from services.database import Database, insert_new
from services.tables import ReplyRow


class SqlJournal:
    """A `Journal` in the database, shared by all processes and runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, key: str) -> Reply | None:
        query = select(ReplyRow.body).where(ReplyRow.key == _digest(key))
        with self._database.read() as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else _reply(body)

    def write(self, key: str, reply: Reply) -> None:
        # As ASCII, in which even half a surrogate or a NUL can be stored everywhere.
        row = {"key": _digest(key), "body": json.dumps(asdict(reply)), "at": time.time()}
        with self._database.write(alone=False) as connection:
            insert_new(connection, ReplyRow, [row])


def _digest(key: str) -> str:
    """Keys hold a fingerprint of any length; an index has a limit."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _reply(body: str) -> Reply:
    columns = json.loads(body)
    return Reply(**{**columns, "tokens": Tokens(**columns["tokens"])})
