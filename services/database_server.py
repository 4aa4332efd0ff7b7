"""The database on a server: Postgres. Who may write beside whom, how long anybody waits, and what a restart does.

**Writers.** The code reads, decides and writes in one transaction, and is right if nobody else writes meanwhile. SQLite
has one writer at a time; here a writer takes a lock of the whole database for its transaction (`alone`), after which
each statement sees everything that was written before. Isolation by snapshots (`SERIALIZABLE`) would do as much, but
fails transactions that then have to be done again, and one here may have been paid for. Writers that are right beside
each other take the lock together: rows inserted by content, an answer by key where there is none, sums under a lock of
their own rows. Datasets that people annotate have tables to themselves and a row each that all their writers lock: they
stand apart, so that a large file keeps nobody else waiting. Only whoever changes tables waits for those, too.

**A commit whose answer is lost** with the connection is looked up by the transaction's number, so that nothing is done
twice, or thought lost, because a server restarted at the wrong moment.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

from sqlalchemy import URL, Connection, Engine, RootTransaction, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from knowledge_base.errors import InputError
from services.migrations import head
from services.migrations.standing import standing_of

OLDEST = 13
"""First version of Postgres that will do: it numbers transactions in 64 bits."""

KEPT, MORE = 4, 12
"""Connections that a process keeps open, and how many more it opens when threads ask for them at once."""

LOCK_SECONDS, STATEMENT_SECONDS, IDLE_SECONDS = 60, 300, 120
"""Longest wait for a lock, longest statement, and how long a transaction may stand still before the server ends it."""

RETURN_SECONDS = 60.0
"""How long a server that was reached before is waited for once it is gone."""

PAUSE_SECONDS = 0.1

Writers = Literal["alone", "together", "apart"]
"""Beside whom somebody writes; see `services.database.Database.write`."""

WRITERS, MOVERS, APART = (
    int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    for name in ("touchstone writers", "touchstone migrations", "touchstone writers apart")
)
"""Numbers of the locks, which are shared by everybody who uses this database for anything."""

LOCKS: dict[Writers, str] = {
    "alone": f"pg_advisory_xact_lock({WRITERS})",
    "together": f"pg_advisory_xact_lock_shared({WRITERS})",
    "apart": f"pg_advisory_xact_lock_shared({APART})",
}

HELD_UP = ("55P03", "40P01", "40001")
"""Error codes of what others held up: a wait for a lock that took too long, two that waited for each other."""

GONE = ("08", "57P01", "57P02", "57P03")
"""How the error codes begin that tell of a connection or a server that is gone or not yet there."""

R = TypeVar("R")


class DatabaseServer:
    """A Postgres database.

    Args:
        url: of the database.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = _engine(url, pool_size=KEPT, max_overflow=MORE)
        self._reader = self._engine.execution_options(entry="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._plain = self._engine.execution_options(entry="")
        self._reached = False

    @property
    def place(self) -> str:
        """What people are told of where it is."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See `Database.read`."""
        with self._when_there(lambda: _begun(self._reader)) as connection, _current(connection):
            yield connection

    @contextmanager
    def write(self, writers: Writers = "alone") -> Iterator[Connection]:
        """See `Database.write`."""
        with self._when_there(lambda: _begun(self._engine)) as connection:
            transaction = _current(connection)
            try:
                number = _locked(connection, writers)
                yield connection
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                if not (lost(error) and self._committed(number)):
                    raise

    def prepare(self) -> None:
        """Refuse a server that is too old, and tables that are not those of this program: nothing is changed here.

        Raises:
            InputError: so it is; the message says what to do.
        """
        with self.read() as connection:
            check_version(connection, self.place)
            found = standing_of(connection)
        found.check_known(self.place)
        if not found.current:
            stands = f"stands at revision {found.revision}" if found.revision else "has no tables of Touchstone yet"
            raise InputError(f"{self.place} {stands}, and this program needs {head()}; run `touchstone migrate`")

    @contextmanager
    def moving(self) -> Iterator[Connection]:
        """A transaction for changing tables: no other such, no writer, and no limit of time but the user's patience."""
        with self.guarded(), _engine(self._url, limited=False, poolclass=NullPool).begin() as connection:
            for lock in (WRITERS, APART):
                connection.execute(text(f"SELECT pg_advisory_xact_lock({lock})"))
            yield connection

    @contextmanager
    def guarded(self) -> Iterator[Any]:
        """As `bare`, while nobody else changes tables."""
        engine = _engine(self._url, limited=False, poolclass=NullPool).execution_options(entry="")
        with engine.connect() as connection:
            check_version(connection, self.place)
            # Asked for again and again: whoever waits for a lock holds a view of the tables, and an index that is made
            # without keeping writers out waits until all such views are gone.
            while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({MOVERS})").scalar_one():
                time.sleep(PAUSE_SECONDS)
            yield connection.connection.driver_connection

    @contextmanager
    def bare(self) -> Iterator[Any]:
        """A connection of the driver's own that commits each statement, for code that knows no SQLAlchemy."""
        with self._when_there(lambda: _begun(self._plain, "SELECT 1")) as connection:
            yield connection.connection.driver_connection

    def again(self, error: Exception) -> bool:
        """Whether what failed so failed because the server went away."""
        return isinstance(error, DBAPIError) and self._reached and lost(error)

    def busy(self, error: Exception) -> bool:
        """Whether what failed so failed because others held what it waited for."""
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in HELD_UP

    def forget(self) -> None:
        """In a forked child: leave the parent's connections alone, they are in use there."""
        self._engine.dispose(close=False)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def told(self, _error: Exception) -> None:
        """Nothing that would not be said of any database."""
        return

    def _when_there(self, do: Callable[[], R]) -> R:
        """Do it; where the server was there before and is gone, wait for it. Nothing of it may have been done."""
        until = time.monotonic() + RETURN_SECONDS
        while True:
            try:
                done = do()
            except (OperationalError, InterfaceError) as error:
                if not (self._reached and lost(error)) or time.monotonic() > until:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                self._reached = True
                return done

    def _committed(self, number: str) -> bool:
        """What became of a transaction whose connection was lost as it committed."""
        with suppress(DBAPIError):
            while (state := self._state(number)) == "in progress":
                time.sleep(PAUSE_SECONDS)
            return state == "committed"
        return False

    def _state(self, number: str) -> str | None:
        with self.read() as connection:
            asked = text("SELECT pg_xact_status(CAST(:number AS xid8))")
            return connection.execute(asked, {"number": number}).scalar()


def lost(error: DBAPIError) -> bool:
    """Whether an error tells of a connection or a server that is gone, and of nothing else."""
    code = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated:
        return True
    return isinstance(error, OperationalError) and (code is None or code.startswith(GONE))


def check_version(connection: Connection, place: str) -> None:
    """Refuse a server that is too old.

    Raises:
        InputError: it is.
    """
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < OLDEST:
        told = ".".join(map(str, version))
        raise InputError(f"{place} is Postgres {told}, and version {OLDEST} or newer is needed; update the server")


def _begun(engine: Engine, first: str = "") -> Connection:
    """A connection over which the server was reached just now; one that lay in the pool may be to one long gone."""
    connection = engine.connect()
    try:
        connection.begin()
        if first:
            connection.exec_driver_sql(first)
        return connection
    except BaseException:
        connection.close()
        raise


def _current(connection: Connection) -> RootTransaction:
    transaction = connection.get_transaction()
    assert transaction is not None
    return transaction


def _locked(connection: Connection, writers: Writers) -> str:
    """Wait for the lock of writers; returns the transaction's number."""
    asked = f"SELECT {LOCKS[writers]}, CAST(pg_current_xact_id() AS text)"
    return str(connection.exec_driver_sql(asked).one()[1])


def _engine(url: URL, limited: bool = True, **options: Any) -> Engine:
    limits = (
        f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s "
    )
    # What the address says comes last, and so has the last word.
    said = url.query.get("options", "")
    told = f"{limits if limited else ''}-c timezone=UTC {said if isinstance(said, str) else ' '.join(said)}"
    keep = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "connect_timeout": 10}
    arguments = {name: value for name, value in keep.items() if name not in url.query}
    try:
        engine = create_engine(
            url.difference_update_query(["options"]),
            connect_args={"application_name": "touchstone", **arguments, "options": told.strip()},
            # Transactions are begun below, in one message that tells at once whether the server is there.
            isolation_level="AUTOCOMMIT",
            **options,
        )
    except ModuleNotFoundError as error:
        raise InputError(f"the database driver {error.name} is not installed; pip install {error.name}") from error
    event.listen(engine, "connect", _adapt)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if entry := connection.get_execution_options().get("entry", "BEGIN"):
        connection.exec_driver_sql(entry)


def _adapt(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    from services.postgres_text import adapt

    adapt(connection)
