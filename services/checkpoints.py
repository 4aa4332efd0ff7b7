"""Where the manager graph keeps its place between jobs: the database of the run itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from knowledge_base.errors import InputError, RunError
from services.database import BUSY_SECONDS, Database

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres import PostgresSaver


@contextmanager
def checkpointer(database: Database) -> Iterator[BaseCheckpointSaver[str]]:
    """A LangGraph checkpointer in this database; it stores ids and labels as msgpack, never pickle.

    Raises:
        RunError: the SQLite database is not a file, or the server's tables of checkpoints are not those of the
            installed LangGraph.
    """
    if not database.embedded:
        with _server_saver(database) as saver:
            yield saver
        return
    if not database.url.database:
        raise RunError("checkpoints need a file; leave TOUCHSTONE_DATABASE_URL empty, or name one in it")
    connection = sqlite3.connect(database.url.database, timeout=BUSY_SECONDS, check_same_thread=False)
    with closing(connection):
        connection.execute("PRAGMA synchronous=NORMAL")
        yield SqliteSaver(connection, serde=serializer())


def set_up(database: Database) -> None:
    """Make the tables of checkpoints on a server, or bring them up to the installed LangGraph.

    Raises:
        InputError: `langgraph-checkpoint-postgres` is not installed.
    """
    import psycopg

    try:
        with database.server.guarded() as connection:
            _saver(connection).setup()
    except psycopg.Error as error:
        raise InputError(f"{database.place} cannot hold checkpoints ({str(error).splitlines()[0]})") from error


def serializer() -> JsonPlusSerializer:
    """How the values of a checkpoint are written: msgpack with a short list of harmless types, and no way to pickle."""
    return JsonPlusSerializer(pickle_fallback=False, allowed_json_modules=None, allowed_msgpack_modules=None)


@contextmanager
def _server_saver(database: Database) -> Iterator[BaseCheckpointSaver[str]]:
    with database.server.bare() as connection:
        saver = _saver(connection)
        if database not in _checked and not _set_up(connection, len(saver.MIGRATIONS)):
            raise RunError(f"{database.place} lacks tables of the installed LangGraph; run `touchstone migrate`")
        _checked.add(database)
        yield saver


_checked: WeakSet[Database] = WeakSet()
"""Databases whose tables of checkpoints were looked at: an advance opens a checkpointer, and there are many."""


def _set_up(connection: Any, versions: int) -> bool:
    """Whether the tables of checkpoints are those of the newest of so many versions, numbered from 0."""
    (there,) = connection.execute("SELECT to_regclass('checkpoint_migrations') IS NOT NULL").fetchone()
    if not there:
        return False
    (made,) = connection.execute("SELECT coalesce(max(v), -1) FROM checkpoint_migrations").fetchone()
    return bool(made >= versions - 1)


def _saver(connection: Any) -> PostgresSaver:
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
    except ModuleNotFoundError as error:
        raise InputError(
            "langgraph-checkpoint-postgres is not installed; pip install langgraph-checkpoint-postgres"
        ) from error
    return PostgresSaver(connection, serde=serializer())
