"""Where the manager graph keeps its place between jobs: the database of the run itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from knowledge_base.errors import RunError
from services.database import BUSY_SECONDS, Database


@contextmanager
def checkpointer(database: Database) -> Iterator[BaseCheckpointSaver[str]]:
    """A LangGraph checkpointer in this database; it stores ids and labels as msgpack, never pickle.

    Raises:
        RunError: the database is not SQLite.
    """
    if not database.embedded or not database.url.database:
        kind = database.url.get_backend_name()
        raise RunError(
            f"checkpoints in {kind} are not supported yet; leave TOUCHSTONE_DATABASE_URL empty to use SQLite"
        )
    connection = sqlite3.connect(database.url.database, timeout=BUSY_SECONDS, check_same_thread=False)
    with closing(connection):
        connection.execute("PRAGMA synchronous=NORMAL")
        yield SqliteSaver(connection)
