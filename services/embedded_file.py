"""The embedded database: an SQLite file. One writer at a time, and readers that wait for nobody."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool
from sqlalchemy.schema import CreateIndex, CreateTable

from knowledge_base.errors import InputError
from services.migrations import head
from services.migrations.standing import note, noted, standing_of
from services.tables import Tables

BUSY_SECONDS = 60
"""How long a connection waits for another process's write; nearly all take milliseconds, a large upload seconds."""

PAUSE_SECONDS = 0.01


class EmbeddedFile:
    """An SQLite file.

    Args:
        url: of the file; its folder is made when the tables are.
        gather: has all tables known.
    """

    def __init__(self, url: URL, gather: Callable[[], None]) -> None:
        self._url, self._gather = url, gather
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(immediate=True)
        self._inherited: list[Pool] = []
        self._turn = threading.RLock()

    @property
    def place(self) -> str:
        """What people are told of where it is."""
        return str(self._url.database)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See `Database.read`."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, _writers: str = "alone") -> Iterator[Connection]:
        """See `Database.write`; a writer is always alone.

        Threads of a process wait for each other before they take a connection, so that as many as wait leave all
        connections to readers, and nobody asks the file again and again. Whoever has waited for long asks all the same.
        """
        mine = self._turn.acquire(timeout=BUSY_SECONDS)
        try:
            with self._writer.begin() as connection:
                yield connection
        finally:
            if mine:
                self._turn.release()

    def prepare(self) -> None:
        """Have the file hold the tables of this program: made if it is new, brought up if it is older.

        Raises:
            InputError: a newer program wrote it, or one from before revisions were noted, with other tables.
        """
        self._make_folder()
        if not self._current():
            self._gather()
            with self.moving() as connection:
                self._bring_up(connection)

    @contextmanager
    def moving(self) -> Iterator[Connection]:
        """A transaction that may copy and drop tables, alone in the file.

        Raises:
            InputError: rows were left that refer to nothing; nothing is changed then.
        """
        self._make_folder()
        # With keys in force, dropping a table that was copied would take with it whatever refers to it, and they
        # cannot be turned off within a transaction.
        engine = _engine(self._url, keys="OFF", poolclass=NullPool)
        with engine.execution_options(immediate=True).begin() as connection:
            yield connection
            if orphans := connection.execute(text("PRAGMA foreign_key_check")).all():
                raise InputError(
                    f"{self.place} was not changed: {len(orphans)} rows refer to nothing: {orphans[0]} ..."
                )

    def again(self, _error: Exception) -> bool:
        """Whether what failed so may be done again: no, a file is not lost and found."""
        return False

    def busy(self, error: Exception) -> bool:
        """Whether what failed so failed because another wrote for too long."""
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

    def forget(self) -> None:
        """In a forked child: leave the parent's connections alone; SQLite forbids to use or to close them."""
        self._turn = threading.RLock()
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def told(self, error: DatabaseError | OSError) -> str | None:
        """What is wrong and what to do about it, where it is the file that is damaged."""
        if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
            reason = (str(error.orig).splitlines() or [""])[0]
            return f"{self.place} is not a database or is damaged ({reason}): move it away, and a new one is made"
        return None

    def _make_folder(self) -> None:
        if self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)

    def _current(self) -> bool:
        # Every command asks this first, so with one statement and nothing of Alembic.
        with self.read() as connection, suppress(OperationalError):
            return noted(connection) == head()
        return False

    def _bring_up(self, connection: Connection) -> None:
        found = standing_of(connection)
        found.check_known(self.place)
        if found.current:
            return  # another process came first
        if not found.tables:
            _make_all(connection)
            return
        from services.migrations.moving import move, recognise

        if found.unnoted:
            note(connection, recognise(connection, self.place))
        move(connection, head())


def _make_all(connection: Connection) -> None:
    for statement in _everything():
        connection.exec_driver_sql(statement)
    note(connection, head())


@cache
def _everything() -> tuple[str, ...]:
    """Statements that make all tables; a test holds them against the revisions."""
    tables = Tables.metadata.sorted_tables
    made: list[Any] = [part for t in tables for part in (CreateTable(t), *(map(CreateIndex, sorted_indexes(t))))]
    return tuple(str(part.compile(dialect=sqlite.dialect())) for part in made)


def sorted_indexes(table: Any) -> list[Any]:
    """Indexes by name: a set has no order."""
    return sorted(table.indexes, key=lambda index: str(index.name))


def _engine(url: URL, keys: str = "ON", **options: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **options)
    event.listen(engine, "do_connect", partial(_make_private, url.database))
    event.listen(engine, "connect", partial(_prepare, keys))
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: str | None, *_connecting: Any) -> None:
    """Make a new file so that only its owner reads it: it is to hold people's texts, and digests of keys.

    SQLite gives the files that lie beside it the same mode. What is there already stays as its owner made it.
    """
    if path and not path.startswith((":", "file:")):
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare(keys: str, connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver would otherwise begin transactions by itself, deferred, and a reader that turns
    # writer fails with "database is locked" whatever its timeout.
    connection.isolation_level = None
    pragmas = (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=NORMAL", f"foreign_keys={keys}")
    for pragma in pragmas:
        _execute_patiently(connection, f"PRAGMA {pragma}")


def _execute_patiently(connection: Any, statement: str) -> None:
    """Execute a statement, waiting for others.

    Of several that turn a new file to WAL side by side, SQLite refuses all but one without waiting at all.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(connection.execute(statement)):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(PAUSE_SECONDS)


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
