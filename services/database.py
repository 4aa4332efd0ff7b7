"""Connections and transactions. Everything that differs between SQLite and Postgres is in this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from knowledge_base.errors import InputError
from services.tables import Tables

BUSY_SECONDS = 60
"""How long an SQLite connection waits for another process's write; writes here take milliseconds."""

Rows = Sequence[Mapping[str, Any]]


class Database:
    """The tables behind an SQLAlchemy URL. Open one in each process: a connection does not survive a fork."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(url) if self.embedded else _server_engine(url)
        self._writer = self._engine.execution_options(immediate=True)

    def create(self) -> Database:
        """Make the tables (and the file's folder) where they are not there yet.

        Raises:
            InputError: the database cannot be opened, or its file is damaged.
        """
        try:
            if self.embedded and self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            _gather()
            with self.write() as connection:
                Tables.metadata.create_all(connection)
        except (DatabaseError, OSError) as error:
            raise InputError(self._told(error)) from error
        return self

    def _told(self, error: DatabaseError | OSError) -> str:
        """What is wrong with the database, and what to do, on one line and without a password."""
        place = self.url.database if self.embedded else self.url.render_as_string(hide_password=True)
        reason = (str(error.orig if isinstance(error, DatabaseError) else error).splitlines() or [""])[0]
        if self.embedded and isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
            return f"{place} is not a database or is damaged ({reason}): move it away, and a new one is made"
        return f"{place} cannot be used ({reason}); check TOUCHSTONE_DATABASE_URL and TOUCHSTONE_HOME"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent view."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes. On SQLite it takes the write lock at once, so it can never fail half way."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def insert_new(connection: Connection, table: type[Tables], rows: Rows) -> None:
    """Insert the rows whose primary key is not there yet; leave the others as they stand."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), [dict(r) for r in rows])


def upsert(connection: Connection, table: type[Tables], rows: Rows) -> None:
    """Insert rows, replacing the given columns where the primary key is there already."""
    if not rows:
        return
    keys = [c.name for c in _table(table).primary_key.columns]
    statement = _insert(connection, table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), [dict(r) for r in rows])


def _gather() -> None:
    """Have the tables known that stand in the modules of their own purpose."""
    import services.labelling.tables

    del services


def _insert(connection: Connection, table: type[Tables]) -> Any:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(_table(table))


def _table(table: type[Tables]) -> Table:
    made = table.__table__
    assert isinstance(made, Table)
    return made


def _server_engine(url: str) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise InputError(f"the database driver {error.name} is not installed; pip install {error.name}") from error


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver would otherwise begin transactions by itself, deferred, and a reader that turns
    # writer fails with "database is locked" whatever its timeout.
    connection.isolation_level = None
    pragmas = (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
