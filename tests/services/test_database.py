"""Transactions, and the statements that differ between databases."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from knowledge_base.errors import InputError
from services.database import Database, insert_new, upsert
from services.tables import CriterionRow, DatasetPairRow


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'x.sqlite'}").create()) as made:
        yield made


def row(digest: str, body: str = "{}") -> dict[str, str]:
    return {"digest": digest, "hash": digest[:4], "body": body}


def bodies(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {d: b for d, b in connection.execute(select(CriterionRow.digest, CriterionRow.body))}  # noqa: C416


def test_the_folder_and_tables_are_made_and_made_again_without_harm(file: Database) -> None:
    with file.write() as connection:
        insert_new(connection, CriterionRow, [row("one")])
    file.create()
    assert bodies(file) == {"one": "{}"}


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


def _room(database: Database, pages: int) -> None:
    """Have the file grow to so many pages and no further, as on a full disk; one thread here has one connection."""
    with database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_undoes_the_transaction_and_reads_go_on_and_so_does_all_once_there_is_room(file: Database) -> None:
    rows = [row(f"{i:04d}", "x" * 1000) for i in range(500)]
    with file.write() as connection:
        insert_new(connection, CriterionRow, rows[:10])
    _room(file, 1)
    with pytest.raises(OperationalError, match="full"), file.write() as connection:
        insert_new(connection, CriterionRow, rows)
    assert len(bodies(file)) == 10
    _room(file, 1_000_000)
    with file.write() as connection:
        insert_new(connection, CriterionRow, rows)
    assert len(bodies(file)) == 500


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


def test_the_file_is_in_wal_mode(file: Database) -> None:
    assert file.url.database is not None
    with closing(sqlite3.connect(file.url.database)) as connection:
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
    with closing(Database(url)) as database:
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


def test_the_first_of_two_that_insert_the_same_stands(database: Database) -> None:
    """The second waits for the first to end, and then leaves its row as it stands."""
    first, second = threading.Event(), threading.Event()

    def insert_one(body: str, mine: threading.Event, go_on: threading.Event) -> None:
        with database.write(alone=False) as connection:
            insert_new(connection, CriterionRow, [row("one", body)])
            mine.set()
            go_on.wait(0.2)

    threads = [threading.Thread(target=insert_one, args=("first", first, second))]
    threads[0].start()
    first.wait(5)
    threads.append(threading.Thread(target=insert_one, args=("second", second, second)))
    threads[1].start()
    for thread in threads:
        thread.join(10)
    assert bodies(database) == {"one": "first"}


def test_many_that_insert_the_same_rows_in_any_order_never_block_each_other_for_good(database: Database) -> None:
    names, errors = [f"{i:02d}" for i in range(40)], list[Exception]()

    def insert_all(seed: int) -> None:
        try:
            for _ in range(5):
                shuffled = random.Random(seed).sample(names, len(names))
                with database.write(alone=False) as connection:
                    insert_new(connection, CriterionRow, [row(name) for name in shuffled])
                    upsert(connection, CriterionRow, [row(name, str(seed)) for name in shuffled])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=insert_all, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(bodies(database).values())) == 1, "each writes all rows or none"


def test_a_child_that_was_forked_off_opens_connections_of_its_own(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(select(CriterionRow.digest)).all() == []
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_write_ten, args=(database, name)) for name in "ab"]
    for child in children:
        child.start()
    _write_ten(database, "c")
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0, 0]
    assert len(bodies(database)) == 30


def _write_ten(database: Database, name: str) -> None:
    for i in range(10):
        with database.write() as connection:
            insert_new(connection, CriterionRow, [row(f"{name}-{i}")])


def test_a_fault_of_the_code_is_not_tried_again(database: Database) -> None:
    tried = []

    def fail() -> None:
        tried.append(1)
        with database.write() as connection:
            connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError):
        database.again(fail)
    assert tried == [1]
