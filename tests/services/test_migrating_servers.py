"""A server is brought up by one command, while nobody writes, and is looked at by everything else."""

from __future__ import annotations

import multiprocessing
import threading
from contextlib import closing
from pathlib import Path

import pytest
from postgres import PostgresServer
from revisions import MORE, a_later_revision, brought_to, contents, execute, revision
from sqlalchemy import text

from knowledge_base.errors import InputError
from services import database_server
from services.checkpoints import checkpointer
from services.database import Database
from services.migrations import head
from services.migrations.migrating import migrate

pytestmark = pytest.mark.postgres


def test_a_server_is_brought_up_by_nobody_but_the_command(postgres: PostgresServer) -> None:
    with postgres.empty() as url, closing(Database(url)) as database:
        with pytest.raises(InputError, match=r"has no tables of Touchstone yet.*; run `touchstone migrate`"):
            database.create()
        migrate(database)
        database.create()
        with checkpointer(database) as saver:
            assert list(saver.list(None)) == []


def test_a_server_that_is_behind_is_refused_with_the_command(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.empty() as url, closing(Database(url)) as database:
        migrate(database)
        told = r"stands at revision \d+, and this program needs \d+; run `touchstone migrate`"
        with a_later_revision(tmp_path, monkeypatch, MORE), pytest.raises(InputError, match=told):
            database.create()


def test_a_servers_database_that_holds_anothers_tables_is_left_alone(postgres: PostgresServer) -> None:
    with postgres.empty() as url, closing(Database(url)) as database:
        execute(database, "CREATE TABLE customers (id int)")
        with pytest.raises(InputError, match="give Touchstone a database of its own"):
            migrate(database)


def test_a_server_that_is_too_old_is_refused(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_server, "OLDEST", 99)
    with postgres.empty() as url, closing(Database(url)) as database:
        for use in (database.create, lambda: migrate(database)):
            with pytest.raises(InputError, match=r"is Postgres 1.*, and version 99 or newer is needed"):
                use()


def _migrate(url: str, gate: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    with closing(Database(url)) as database:
        migrate(database)


def test_of_several_that_migrate_a_server_at_once_one_does(postgres: PostgresServer) -> None:
    with postgres.empty() as url:
        context = multiprocessing.get_context("fork")
        gate = context.Barrier(3)
        processes = [context.Process(target=_migrate, args=(url, gate)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 3
        with closing(Database(url).create()) as database:
            assert revision(database) == head()


def test_nobody_writes_while_tables_are_changed(postgres: PostgresServer) -> None:
    with postgres.fresh() as url, closing(Database(url)) as database, closing(Database(url)) as other:
        write = threading.Thread(target=_write, args=(other,))
        with database.moving() as connection:
            with other.read() as reading:
                assert reading.execute(text("SELECT count(*) FROM replies")).scalar_one() == 0
            write.start()
            write.join(0.3)
            assert write.is_alive()
            assert connection.execute(text("SELECT count(*) FROM replies")).scalar_one() == 0
        write.join(10)
        assert len(contents(database)["replies"]) == 1


def _write(database: Database) -> None:
    with database.write(alone=False) as connection:
        connection.execute(text("INSERT INTO replies (key, body, at) VALUES ('k', '{}', 0)"))


def test_a_server_without_the_tables_of_checkpoints_is_told_with_the_remedy(postgres: PostgresServer) -> None:
    with postgres.empty() as url, closing(Database(url)) as database:
        brought_to(database, head())
        with pytest.raises(Exception, match="lacks tables of the installed LangGraph; run `touchstone migrate`"):
            checkpointer(database).__enter__()
