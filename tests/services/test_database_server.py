"""Postgres keeps what an SQLite file keeps: writers see each other's work, and a restart loses and doubles nothing."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cut_off import Relay, When
from postgres import PostgresServer, demand_postgres
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from services import database_server
from services.database import Database
from services.database_server import KEPT, MORE
from services.tables import ReplyRow

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.fresh() as made:
        yield made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(url).create()) as made:
        yield made


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that no other test uses, so that it may be stopped."""
    demand_postgres()
    with PostgresServer() as server:
        yield server


@pytest.fixture
def unsteady(own: PostgresServer) -> Iterator[Database]:
    """A database on it, which was reached before."""
    with own.fresh() as made, closing(Database(made).create()) as opened:
        yield opened


def add(database: Database, key: str, **how: bool) -> None:
    with database.write(**how) as connection:
        connection.execute(insert(ReplyRow).values(key=key, body="{}", at=0.0))


def keys(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(ReplyRow.key)).scalars())


def restart(server: PostgresServer, how: signal.Signals = signal.SIGINT) -> None:
    server.stop(how)
    server.start()


def in_threads(*work: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=each, daemon=True) for each in work]
    for thread in threads:
        thread.start()
    return threads


def test_an_address_needs_no_name_of_a_driver(url: str) -> None:
    with closing(Database(url.replace("+psycopg", "")).create()) as database:
        assert keys(database) == []


def _count_up(url: str, times: int) -> None:
    with closing(Database(url)) as database:
        for _ in range(times):
            with database.write() as connection:
                at = connection.execute(select(ReplyRow.at).where(ReplyRow.key == "count")).scalar_one()
                connection.execute(update(ReplyRow).where(ReplyRow.key == "count").values(at=at + 1))


def test_what_a_writer_has_read_nobody_changes_before_it_writes(database: Database, url: str) -> None:
    """Read, then write, without a lock on any row: the order in which the code does nearly everything."""
    add(database, "count")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_count_up, args=(url, 50)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    with database.read() as connection:
        assert connection.execute(select(ReplyRow.at)).scalar_one() == 200


def test_writers_that_need_not_be_alone_go_side_by_side_and_one_that_must_be_waits(database: Database) -> None:
    order: list[str] = []

    def alone() -> None:
        add(database, "alone")
        order.append("alone")

    with database.write(alone=False) as one:
        add(database, "side by side", alone=False)
        waiting = in_threads(alone)
        waiting[0].join(0.2)
        order.append("one")
        one.execute(insert(ReplyRow).values(key="one", body="{}", at=0.0))
    waiting[0].join(10)
    assert order == ["one", "alone"]
    assert keys(database) == ["alone", "one", "side by side"]


@pytest.mark.parametrize("how", [{"alone": True}, {"alone": False}, {"apart": True}])
def test_who_writes_apart_waits_for_nobody_and_has_nobody_wait(database: Database, how: dict[str, bool]) -> None:
    with database.write(apart=True) as one:
        add(database, "beside", **how)
        one.execute(insert(ReplyRow).values(key="apart", body="{}", at=0.0))
    with database.write(**how):
        add(database, "after", apart=True)
    assert keys(database) == ["after", "apart", "beside"]


@pytest.mark.parametrize("how", [{"alone": True}, {"alone": False}, {"apart": True}])
def test_whoever_changes_tables_waits_for_every_kind_of_writer(database: Database, how: dict[str, bool]) -> None:
    order: list[str] = []

    def move() -> None:
        with database.moving():
            order.append("moved")

    with database.write(**how):
        waiting = in_threads(move)
        waiting[0].join(0.3)
        order.append("written")
    waiting[0].join(10)
    assert order == ["written", "moved"]


def test_readers_wait_for_no_writer_and_cannot_write(database: Database) -> None:
    with database.write() as writing:
        writing.execute(insert(ReplyRow).values(key="new", body="{}", at=0.0))
        assert keys(database) == []
    with pytest.raises(DBAPIError, match="read-only"), database.read() as connection:
        connection.execute(insert(ReplyRow).values(key="more", body="{}", at=0.0))
    assert keys(database) == ["new"]


def test_whoever_waits_too_long_for_a_writer_is_told(url: str, database: Database) -> None:
    hasty = Database(f"{url}&options=-c%20lock_timeout%3D50ms")
    with closing(hasty), database.write(), pytest.raises(DBAPIError, match="lock timeout"):
        add(hasty, "late")
    assert keys(database) == []


def test_connections_have_limits_of_time_which_the_address_may_change(url: str, database: Database) -> None:
    def shown(asked: Database, name: str) -> str:
        with asked.read() as connection:
            return str(connection.execute(text(f"SHOW {name}")).scalar_one())

    with closing(Database(f"{url}&options=-c%20statement_timeout%3D7s")) as own_way:
        assert shown(own_way, "statement_timeout") == "7s"
        assert shown(own_way, "lock_timeout") == "1min"
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
    assert [shown(database, name) for name in names] == ["5min", "1min", "2min", "touchstone"]


def test_a_process_opens_so_many_connections_and_no_more(database: Database, postgres: PostgresServer) -> None:
    ready = threading.Barrier(KEPT + MORE + 1)

    def hold() -> None:
        with database.read():
            ready.wait(20)
            ready.wait(20)

    threads = in_threads(*[hold] * (KEPT + MORE))
    ready.wait(20)
    assert database._behind._engine.pool.checkedout() == KEPT + MORE  # type: ignore[attr-defined]
    ready.wait(20)
    for thread in threads:
        thread.join()
    assert _connections(postgres, database) == KEPT


def _connections(server: PostgresServer, database: Database) -> int:
    return int(server.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.url.database}'")[0][0])


def test_a_database_that_nobody_holds_any_more_leaves_no_connection(url: str, postgres: PostgresServer) -> None:
    forgotten = Database(url)
    assert keys(forgotten) == []
    name = forgotten.url.database
    del forgotten
    gc.collect()
    until = time.monotonic() + 5
    while (left := _connections(postgres, Database(url))) and time.monotonic() < until:
        time.sleep(0.02)
    assert (name, left) == (name, 0)


def test_a_nul_character_that_slipped_into_a_fault_is_replaced(database: Database) -> None:
    add(database, "a\x00b")
    assert keys(database) == ["a�b"]


def test_a_server_that_was_never_there_is_not_waited_for(tmp_path: Path) -> None:
    start = time.monotonic()
    with closing(Database(f"postgresql://me@/x?host={tmp_path}")) as database, pytest.raises(OperationalError):
        keys(database)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped in order", "crashed"])
def test_a_restart_between_transactions_is_not_noticed_and_loses_nothing(
    own: PostgresServer, unsteady: Database, how: signal.Signals
) -> None:
    for round_ in range(3):
        add(unsteady, f"{round_}-before")
        restart(own, how)
        assert f"{round_}-before" in keys(unsteady)
        restart(own, how)
        add(unsteady, f"{round_}-after")
    assert len(keys(unsteady)) == 6


def test_a_server_that_is_gone_for_a_while_is_waited_for(own: PostgresServer, unsteady: Database) -> None:
    own.stop()
    threads = in_threads(lambda: add(unsteady, "one"), lambda: add(unsteady, "two"), lambda: keys(unsteady))
    time.sleep(0.4)
    assert all(thread.is_alive() for thread in threads)
    own.start()
    for thread in threads:
        thread.join(10)
    assert keys(unsteady) == ["one", "two"]


def test_a_server_that_does_not_come_back_is_not_waited_for_for_ever(
    own: PostgresServer, unsteady: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_server, "RETURN_SECONDS", 0.3)
    own.stop()
    try:
        with pytest.raises(OperationalError):
            keys(unsteady)
    finally:
        own.start()


def test_a_transaction_amid_which_the_server_goes_is_undone_and_can_be_done_again(
    own: PostgresServer, unsteady: Database
) -> None:
    tried: list[int] = []

    def write() -> None:
        tried.append(1)
        with unsteady.write() as connection:
            connection.execute(insert(ReplyRow).values(key="one", body="{}", at=0.0))
            if len(tried) == 1:
                restart(own)
            connection.execute(insert(ReplyRow).values(key="two", body="{}", at=0.0))

    unsteady.again(write)
    assert (len(tried), keys(unsteady)) == (2, ["one", "two"])


@pytest.fixture
def relay(own: PostgresServer) -> Iterator[tuple[Relay, Path]]:
    with TemporaryDirectory(prefix="ts", dir="/tmp") as folder:
        made = Relay(own.folder, Path(folder))
        with made.running():
            yield made, Path(folder)


@pytest.fixture
def cut_off(own: PostgresServer, unsteady: Database, relay: tuple[Relay, Path]) -> Iterator[Database]:
    """The same database, behind a connection that can be cut."""
    through = unsteady.url.update_query_dict({"host": str(relay[1])}).render_as_string(hide_password=False)
    with closing(Database(through)) as database:
        assert keys(database) == []
        yield database


def test_a_commit_whose_answer_is_lost_was_done_and_is_known_to_be(
    cut_off: Database, unsteady: Database, relay: tuple[Relay, Path]
) -> None:
    relay[0].cut = "before its answer does"
    add(cut_off, "one")
    assert (relay[0].cuts, keys(unsteady)) == (1, ["one"])


@pytest.mark.parametrize("when", ["before the commit arrives", "before its answer does"])
def test_what_is_done_again_after_a_lost_commit_is_done_once(
    cut_off: Database, unsteady: Database, relay: tuple[Relay, Path], when: When
) -> None:
    add(unsteady, "count")

    def more() -> None:
        with cut_off.write() as connection:
            connection.execute(update(ReplyRow).values(at=ReplyRow.at + 1))

    for _ in range(3):
        relay[0].cut = when
        cut_off.again(more)
    with unsteady.read() as connection:
        assert (relay[0].cuts, connection.execute(select(ReplyRow.at)).scalar_one()) == (3, 3)


def test_a_commit_that_never_arrived_is_not_taken_for_done(
    cut_off: Database, unsteady: Database, relay: tuple[Relay, Path]
) -> None:
    relay[0].cut = "before the commit arrives"
    with pytest.raises(OperationalError):
        add(cut_off, "one")
    assert keys(unsteady) == []
