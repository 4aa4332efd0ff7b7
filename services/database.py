"""Connections and transactions, the same over an SQLite file (`embedded_file`) and a server (`database_server`)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakSet, finalize

from sqlalchemy import URL, Connection, Table, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from knowledge_base.errors import InputError
from services.database_server import DatabaseServer
from services.embedded_file import BUSY_SECONDS, EmbeddedFile
from services.tables import Tables

WAITS = 10
"""How often what met a lock is tried again before it fails."""

PAUSE_SECONDS = 0.1

Rows = Sequence[Mapping[str, Any]]
R = TypeVar("R")


class Database:
    """The tables behind an SQLAlchemy URL. Connections are opened when needed, in each process its own."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(make_url(url))
        self.embedded = self.url.get_backend_name() == "sqlite"
        self._behind = EmbeddedFile(self.url, gather) if self.embedded else DatabaseServer(self.url)
        _open.add(self)
        # Whoever forgets to close it leaves no connection behind on the server.
        finalize(self, self._behind.close)

    def create(self) -> Database:
        """Have the tables there. A file is made, or brought up to this program; a server is only looked at.

        Raises:
            InputError: the database cannot be opened, is damaged, belongs to a newer program, or is on a server and
                waits for `touchstone migrate`.
        """
        try:
            self._behind.prepare()
        except (DatabaseError, OSError) as error:
            raise InputError(self.told(error)) from error
        return self

    def told(self, error: DatabaseError | OSError) -> str:
        """What is wrong with the database, and what to do, on one line and without a password."""
        reason = (str(error.orig if isinstance(error, DatabaseError) else error).splitlines() or [""])[0]
        unusable = f"{self.place} cannot be used ({reason}); check TOUCHSTONE_DATABASE_URL and TOUCHSTONE_HOME"
        return self._behind.told(error) or unusable

    @property
    def place(self) -> str:
        """Where it is, for people: without a password."""
        return self._behind.place

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent view."""
        with self._behind.read() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: bool = True, apart: bool = False) -> Iterator[Connection]:
        """A transaction that writes. What it reads stays so until it ends.

        Args:
            alone: no other writer is at work meanwhile, whatever it writes; the transaction can never fail half way
                over another's. Without it, others that are not alone may be: for what is right beside all of those,
                in any order, such as inserting what nobody changes.
            apart: it neither waits for any other writer nor has one wait, where the database can have that: for what
                changes only tables that no other kind of writer looks at, under a lock of rows of its own.
        """
        with self._behind.write("apart" if apart else "alone" if alone else "together") as connection:
            yield connection

    @contextmanager
    def moving(self) -> Iterator[Connection]:
        """A transaction that changes the tables themselves; see `services.migrations`."""
        with self._behind.moving() as connection:
            yield connection

    @property
    def server(self) -> DatabaseServer:
        """What only a server has.

        Raises:
            TypeError: the database is a file.
        """
        if not isinstance(self._behind, DatabaseServer):
            raise TypeError(f"{self.place} is not on a server")
        return self._behind

    def again(self, do: Callable[[], R]) -> R:
        """Do it, and once more if the server went away amid it; only for what may be done twice.

        Where others hold what it waits for, it waits on, `WAITS` times as long as a single statement would.
        """
        waits, gone = 0, False
        while True:
            try:
                return do()
            except (DBAPIError, PoolTimeout) as error:
                lost, waits = isinstance(error, DBAPIError) and self._behind.again(error), waits + 1
                busy = isinstance(error, PoolTimeout) or self._behind.busy(error)
                if (gone or not lost) and (waits > WAITS or not busy):
                    raise
                gone = gone or lost
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Give all connections back."""
        self._behind.close()

    def _forget(self) -> None:
        self._behind.forget()


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


_open: WeakSet[Database] = WeakSet()


def _forget_all() -> None:
    """A connection that a forked child inherited is the parent's: two that use one garble each other's answers."""
    for database in _open:
        database._forget()


os.register_at_fork(after_in_child=_forget_all)


def insert_new(connection: Connection, table: type[Tables], rows: Rows) -> None:
    """Insert the rows whose primary key is not there yet; leave the others as they stand."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), _ordered(table, rows))


def upsert(connection: Connection, table: type[Tables], rows: Rows) -> None:
    """Insert rows, replacing the given columns where the primary key is there already."""
    if not rows:
        return
    keys = _keys(table)
    statement = _insert(connection, table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), _ordered(table, rows))


def gather() -> None:
    """Have the tables known that stand in the modules of their own purpose."""
    import services.access.tables
    import services.annotation.tables
    import services.api.tables
    import services.criteria_sets.tables
    import services.knowledge.tables
    import services.labelling.tables
    import services.orders.tables
    import services.roles.tables
    import services.schedules.tables
    import services.telemetry.tables
    import services.webhooks.tables

    del services


def _ordered(table: type[Tables], rows: Rows) -> list[dict[str, Any]]:
    """Rows by key: two that insert the same ones side by side then wait for each other in one direction only."""
    keys = [key for key in _keys(table) if key in rows[0]]
    return sorted((dict(r) for r in rows), key=lambda row: [row[key] for key in keys])


def _keys(table: type[Tables]) -> list[str]:
    return [c.name for c in _table(table).primary_key.columns]


def _insert(connection: Connection, table: type[Tables]) -> Any:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(_table(table))


def _table(table: type[Tables]) -> Table:
    made = table.__table__
    assert isinstance(made, Table)
    return made


__all__ = ["BUSY_SECONDS", "Database", "Rows", "gather", "insert_new", "upsert"]
