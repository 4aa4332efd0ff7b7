"""Tables go from revision to revision with what is in them, on both databases, all or nothing."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from postgres import PostgresServer
from revisions import MORE, a_later_revision, brought_to, columns_in, contents, execute, fill, revision
from sqlalchemy import create_engine, inspect

from knowledge_base.errors import InputError
from services.checkpoints import checkpointer
from services.database import Database, gather
from services.migrations import VERSIONS, __main__, head, moving, revisions
from services.migrations.migrating import migrate, planned, sql_of_move
from services.migrations.moving import differences
from services.migrations.standing import standing_of

FIRST = revisions()[0]

LESS = """
with op.batch_alter_table("datasets") as batch:
    batch.alter_column("title", new_column_name="name", existing_type=sa.Text())
with op.batch_alter_table("pairs") as batch:
    batch.drop_column("length")
op.drop_table("later")
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, of each kind in turn."""
    if request.param == "sqlite":
        with closing(Database(f"sqlite:///{tmp_path / 'x.sqlite'}")) as database:
            yield database
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.empty() as url, closing(Database(url)) as database:
        yield database


def file(path: Path) -> Database:
    return Database(f"sqlite:///{path / 'x.sqlite'}")


def shape(database: Database) -> dict[str, Any]:
    """Every column, key and index."""
    with database.read() as connection:
        return moving._shape(connection)


def test_revisions_follow_each_other_in_one_line_numbered_as_their_files() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(VERSIONS.parent))
    walked = [r.revision for r in script.walk_revisions()][::-1]
    assert script.get_heads() == [head()]
    assert tuple(walked) == revisions() == tuple(f"{i + 1:04d}" for i in range(len(walked)))
    assert not any(r.is_branch_point or r.is_merge_point for r in script.walk_revisions())


def test_the_tables_after_all_revisions_are_those_the_program_means(bare: Database) -> None:
    migrate(bare)
    with bare.read() as connection:
        assert differences(connection) == [], 'run: python -m services.migrations revision "what changed"'


def test_a_table_that_no_revision_makes_would_be_noticed(bare: Database) -> None:
    migrate(bare)
    execute(bare, "DROP TABLE replies", "ALTER TABLE pairs DROP COLUMN prompt")
    with bare.read() as connection:
        assert sorted(d[0] for d in differences(connection)) == ["add_column", "add_table"]


def test_a_new_file_is_given_at_once_the_tables_that_revisions_would_make(tmp_path: Path) -> None:
    with (
        closing(file(tmp_path).create()) as made,
        made.read() as at_once,
        create_engine("sqlite://").connect() as moved,
    ):
        moving.move(moved, head())
        assert moving._shape(at_once) == moving._shape(moved)
        assert standing_of(at_once) == standing_of(moved)


@pytest.mark.parametrize("start", revisions())
def test_rows_survive_the_way_up_from_each_revision(bare: Database, start: str) -> None:
    brought_to(bare, start)
    before = fill(bare)
    assert migrate(bare).after == head()
    after = contents(bare)
    assert before.keys() <= after.keys()
    assert columns_in(after, before) == columns_in(before, after)


@pytest.mark.parametrize("goal", revisions()[:-1])
def test_rows_survive_the_way_down_to_each_revision_and_up_again(bare: Database, goal: str) -> None:
    """What the older revision can hold stays; what only a newer one can is gone, its tables with it."""
    brought_to(bare, goal)
    meant = shape(bare)
    migrate(bare)
    before = fill(bare)
    assert migrate(bare, goal).down
    assert shape(bare) == meant
    older = contents(bare)
    assert older.keys() < before.keys()
    assert older == columns_in(before, older)
    migrate(bare)
    after = contents(bare)
    assert after.keys() == before.keys()
    assert columns_in(after, older) == older
    assert not any(rows for name, rows in after.items() if name not in older)


def test_down_to_nothing_and_up_again(bare: Database) -> None:
    migrate(bare)
    fill(bare)
    assert (migrate(bare, "base").before, revision(bare)) == (head(), "")
    with bare.read() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    assert migrate(bare).before == ""
    assert not any(contents(bare).values())
    with bare.read() as connection:
        assert standing_of(connection).current


def test_going_down_takes_the_places_of_graphs_with_their_threads(bare: Database) -> None:
    migrate(bare)
    with checkpointer(bare) as saver:
        assert list(saver.list(None)) == []
    migrate(bare, "base")
    migrate(bare)
    with checkpointer(bare) as saver:
        assert list(saver.list(None)) == []


def test_what_a_later_revision_changes_keeps_the_rows_up_and_down(
    bare: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite can alter little: its tables are copied, with rows of other tables referring to them."""
    migrate(bare)
    before = fill(bare)
    with a_later_revision(tmp_path, monkeypatch, MORE, LESS) as later:
        assert migrate(bare).after == later
        after = contents(bare)
        assert {r["length"] for r in after["pairs"]} == {7}
        assert [r["title"] for r in after["datasets"]] == [r["name"] for r in before["datasets"]]
        assert after["labels"] == before["labels"], "which refer to pairs"
        migrate(bare, revisions()[-2])
    assert contents(bare) == before


def test_a_revision_that_fails_half_way_changes_nothing(
    bare: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(bare)
    before = fill(bare)
    broken = 'op.create_table("half", sa.Column("id", sa.Integer()))\nop.drop_table("calls")\nop.drop_table("no such")'
    with a_later_revision(tmp_path, monkeypatch, broken), pytest.raises(InputError, match="no such"):
        migrate(bare)
    assert (revision(bare), contents(bare)) == (head(), before)


def test_a_revision_that_would_leave_rows_referring_to_nothing_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an SQLite file is altered nothing watches its keys; a server does all the time."""
    with closing(file(tmp_path).create()) as database:
        before = fill(database)
        removing = a_later_revision(tmp_path, monkeypatch, 'op.execute("DELETE FROM pairs")')
        with removing, pytest.raises(InputError, match="rows refer to nothing"):
            database.create()
        assert contents(database) == before


def test_an_older_file_is_brought_up_by_whoever_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(file(tmp_path).create()) as database:
        before = fill(database)
        with a_later_revision(tmp_path, monkeypatch, MORE, LESS) as later:
            assert revision(database.create()) == later
            assert columns_in(contents(database), before)["calls"] == before["calls"]


def _create(url: str, gate: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    Database(url).create().close()


def _at_once(url: str, number: int) -> list[int | None]:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(number)
    processes = [context.Process(target=_create, args=(url, gate)) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def test_of_processes_that_open_a_new_file_at_once_all_find_its_tables(tmp_path: Path) -> None:
    gather()
    assert _at_once(f"sqlite:///{tmp_path / 'x.sqlite'}", 4) == [0] * 4
    with closing(file(tmp_path)) as database:
        assert revision(database) == head()


def test_of_processes_that_open_an_older_file_at_once_one_brings_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(file(tmp_path).create()) as database:
        before = fill(database)
    with a_later_revision(tmp_path, monkeypatch, MORE) as later:
        assert _at_once(f"sqlite:///{tmp_path / 'x.sqlite'}", 4) == [0] * 4
        assert revision(database) == later
    assert contents(database)["labels"] == before["labels"]
    database.close()


def _before_revisions(path: Path) -> Database:
    """A file as it was written before revisions were noted, with rows."""
    database = file(path)
    brought_to(database, FIRST)
    fill(database)
    execute(database, "DROP TABLE alembic_version")
    return database


def test_a_file_from_before_revisions_is_recognised_and_keeps_its_rows(tmp_path: Path) -> None:
    with closing(_before_revisions(tmp_path)) as database:
        before = contents(database)
        with checkpointer(database) as saver:
            assert list(saver.list(None)) == []
        assert revision(database.create()) == head()
        assert columns_in(contents(database), before) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE threads DROP COLUMN spent", "threads.spent"),
        ("ALTER TABLE pairs ADD COLUMN more TEXT", "pairs.more"),
        ("DROP INDEX wants_of_key", "index wants_of_key"),
        ("DROP TABLE outcomes", "outcomes"),
    ],
)
def test_a_file_from_before_revisions_with_other_tables_is_refused_with_the_remedy_and_kept(
    tmp_path: Path, change: str, told: str
) -> None:
    with closing(_before_revisions(tmp_path)) as database:
        execute(database, change)
        before = contents(database)
        with pytest.raises(InputError, match=rf"x\.sqlite was written before .*{told}.* move it away"):
            database.create()
        assert contents(database) == before
        with pytest.raises(InputError, match="move it away"):
            planned(database)


def test_a_database_of_a_newer_program_is_refused_and_kept(bare: Database) -> None:
    migrate(bare)
    execute(bare, "UPDATE alembic_version SET version_num = '9999'")
    for use in (bare.create, lambda: migrate(bare), lambda: planned(bare), lambda: migrate(bare, "base")):
        with pytest.raises(InputError, match=rf"'9999'.* up to {head()}: a newer Touchstone wrote it"):
            use()
    assert revision(bare) == "9999"


def test_an_unknown_revision_is_refused_with_those_there_are(bare: Database) -> None:
    with pytest.raises(InputError, match=rf"revision 'next' is not known; use base, {FIRST}"):
        migrate(bare, "next")


def test_the_statements_that_are_shown_do_what_a_move_does(bare: Database, tmp_path: Path) -> None:
    shown = sql_of_move(bare, planned(bare))
    assert sql_of_move(bare, planned(bare, "base")) == ""
    _execute_script(bare, shown)
    with bare.read() as connection:
        assert standing_of(connection).current
    migrate(bare, "base")
    migrate(bare)
    _execute_script(bare, sql_of_move(bare, planned(bare, "base")))
    assert revision(bare) == ""


def _execute_script(database: Database, script: str) -> None:
    statements = [
        s for s in re.split(r";\s*$", script, flags=re.M) if s.strip() and s.strip() not in ("BEGIN", "COMMIT")
    ]
    assert statements
    with database.moving() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_looking_at_a_file_that_is_not_there_makes_none_and_bringing_it_up_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "x.sqlite"
    with closing(Database(f"sqlite:///{path}")) as database:
        assert planned(database).before == ""
        assert not path.parent.exists()
        assert migrate(database).after == head()
        assert path.exists()


def test_showing_a_move_changes_nothing(bare: Database) -> None:
    assert "CREATE TABLE" in sql_of_move(bare, planned(bare))
    assert (revision(bare), contents(bare)) == ("", {})


def test_a_current_file_is_opened_in_milliseconds_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    Database(url).create().close()
    code = f"""
import sys, time
from services.database import Database
Database({url!r}).create().close()
spent = []
for _ in range(9):
    start = time.perf_counter()
    Database({url!r}).create().close()
    spent.append(time.perf_counter() - start)
assert not any(name.startswith(("alembic", "psycopg", "langgraph")) for name in sys.modules), "imported"
print(min(spent))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # A hundred times what it takes on an idle machine would still be less than importing Alembic.
    assert float(done.stdout) < 0.2


def test_a_new_file_does_not_go_through_the_revisions(tmp_path: Path) -> None:
    gather()
    spent = []
    for i in range(7):
        start = time.perf_counter()
        Database(f"sqlite:///{tmp_path / f'{i}.sqlite'}").create().close()
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.5, "going through all revisions takes seconds"


def test_the_next_revision_is_written_by_comparing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_later_revision(tmp_path, monkeypatch, 'op.drop_table("replies")') as later:
        assert __main__.main(["revision", "Replies come back"]) == 0
        (made,) = (tmp_path / "migrations" / "versions").glob(f"{int(later) + 1:04d}_*.py")
        written = made.read_text(encoding="utf-8")
        assert made.name.endswith("_replies_come_back.py")
        assert "create_table('replies'" in written.replace('"', "'")
        assert f"down_revision = '{later}'" in written
        compile(written, made.name, "exec")


def test_anything_but_a_message_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert [__main__.main(a) for a in ([], ["revision"], ["revision", " "], ["upgrade", "head"])] == [2] * 4
    assert "python -m services.migrations revision" in capsys.readouterr().err
