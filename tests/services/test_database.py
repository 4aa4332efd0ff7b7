"""Transactions, and the statements that differ between databases."""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from knowledge_base.errors import InputError
from services.database import Database, insert_new, upsert
from services.tables import CriterionRow, DatasetPairRow, MeasurementRow, Tables


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'x.sqlite'}").create()


def row(digest: str, body: str = "{}") -> dict[str, str]:
    return {"digest": digest, "hash": digest[:4], "body": body}


def bodies(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {d: b for d, b in connection.execute(select(CriterionRow.digest, CriterionRow.body))}  # noqa: C416


def test_the_folder_and_tables_are_made_and_made_again_without_harm(database: Database) -> None:
    with database.write() as connection:
        insert_new(connection, CriterionRow, [row("one")])
    database.create()
    assert bodies(database) == {"one": "{}"}


def test_inserting_new_rows_leaves_old_ones_as_they_stand(database: Database) -> None:
    with database.write() as connection:
        insert_new(connection, CriterionRow, [row("one", "old")])
        insert_new(connection, CriterionRow, [row("one", "new"), row("two", "new")])
    assert bodies(database) == {"one": "old", "two": "new"}


def test_upserting_replaces_what_is_there(database: Database) -> None:
    with database.write() as connection:
        upsert(connection, CriterionRow, [row("one", "old")])
        upsert(connection, CriterionRow, [row("one", "new"), row("two", "new")])
    assert bodies(database) == {"one": "new", "two": "new"}


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.write() as connection:
        insert_new(connection, CriterionRow, [])
        upsert(connection, CriterionRow, [])
    assert bodies(database) == {}


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(database)
    assert bodies(database) == {}


def _write_and_fail(database: Database) -> None:
    with database.write() as connection:
        insert_new(connection, CriterionRow, [row("one")])
        raise ZeroDivisionError


def test_a_file_that_is_no_database_is_refused_with_the_remedy_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"something else" * 400)
    with pytest.raises(InputError, match=r"x\.sqlite is not a database or is damaged .*: move it away"):
        Database(f"sqlite:///{path}").create()
    assert path.read_bytes() == b"something else" * 400


def test_a_database_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be used .*; check TOUCHSTONE_DATABASE_URL"):
        Database(f"sqlite:///{tmp_path}").create()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="TOUCHSTONE_HOME"):
        Database(f"sqlite:///{tmp_path / 'file' / 'x.sqlite'}").create()


def test_a_password_is_not_told_with_a_database_that_cannot_be_reached() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(InputError) as refused:
        Database("postgresql+psycopg://me:secret@127.0.0.1:1/x").create()
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_database_whose_driver_is_not_installed_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"driver psycopg is not installed; pip install psycopg"):
        Database("postgresql+psycopg://me:secret@127.0.0.1:1/x")


def test_foreign_keys_are_kept(database: Database) -> None:
    orphan = {"dataset": "none", "position": 0, "pair": "none", "label": "{}"}
    with pytest.raises(IntegrityError), database.write() as connection:
        insert_new(connection, DatasetPairRow, [orphan])


def test_the_file_is_in_wal_mode(database: Database) -> None:
    assert database.url.database is not None
    with sqlite3.connect(database.url.database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_reader_sees_one_consistent_view_while_another_writes(database: Database) -> None:
    with database.read() as reading:
        assert reading.execute(select(CriterionRow.digest)).all() == []
        with database.write() as writing:
            insert_new(writing, CriterionRow, [row("one")])
        assert reading.execute(select(CriterionRow.digest)).all() == []
    assert bodies(database) == {"one": "{}"}


def test_a_write_that_reads_first_waits_for_another_instead_of_failing(database: Database) -> None:
    """Deferred transactions would fail here: both read, then both want to write."""
    errors: list[Exception] = []

    def read_then_write(name: str) -> None:
        try:
            for i in range(10):
                with database.write() as connection:
                    connection.execute(select(CriterionRow.digest)).all()
                    insert_new(connection, CriterionRow, [row(f"{name}-{i}")])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=read_then_write, args=(n,)) for n in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(bodies(database)) == 30


def _write_twenty(url: str, name: str) -> None:
    database = Database(url)
    for i in range(20):
        with database.write() as connection:
            insert_new(connection, CriterionRow, [row(f"{name}-{i}")])


def test_processes_write_side_by_side(database: Database) -> None:
    context = multiprocessing.get_context("fork")
    url = database.url.render_as_string(hide_password=False)
    processes = [context.Process(target=_write_twenty, args=(url, n)) for n in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(bodies(database)) == 40


def test_every_table_can_be_made_in_postgres() -> None:
    for table in Tables.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=postgresql.dialect())).strip().startswith("CREATE TABLE")


def test_the_upsert_speaks_postgres_too() -> None:
    class Asked:
        """Stands where a connection would, to see the statement."""

        dialect = postgresql.dialect()
        statement = ""

        def execute(self, statement: object, rows: object) -> None:
            self.statement = str(statement.compile(dialect=self.dialect))  # type: ignore[attr-defined]

    asked = Asked()
    measured = {"version": "v", "text": "t", "name": "n", "value": 1.0}
    upsert(asked, MeasurementRow, [measured])  # type: ignore[arg-type]
    assert "ON CONFLICT (version, text, name) DO UPDATE SET value = excluded.value" in asked.statement
    insert_new(asked, MeasurementRow, [measured])  # type: ignore[arg-type]
    assert asked.statement.endswith("ON CONFLICT DO NOTHING")
