"""A copy made while work goes on is a database of its own: the run in it comes to the same end, with an empty queue."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from postgres import PostgresServer
from sqlalchemy import make_url, select
from workbench import bench, execute, new_run, outcome, take_job, work_off

from services.database import Database
from services.deployment import Deployment
from services.migrations.migrating import planned
from services.sweeper import Sweeper
from services.tables import OutcomeRow

Copy = Callable[[str], str]
"""Makes a copy of the database at an address; returns the copy's address."""


@pytest.fixture
def copied(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Copy]:
    """Copies as docs/databases.md says."""
    if database_url.startswith("sqlite"):
        yield lambda url: _vacuumed(url, tmp_path / "copy.sqlite")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.empty() as target:
        yield lambda url: _restored(server, url, target)


def _vacuumed(url: str, copy: Path) -> str:
    with closing(sqlite3.connect(str(make_url(url).database))) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    return f"sqlite:///{copy}"


def _restored(server: PostgresServer, url: str, target: str) -> str:
    dump = server.folder / "run.dump"
    server.run("pg_dump", "--format=custom", f"--file={dump}", server.plain(url))
    server.run("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={server.plain(target)}", str(dump))
    dump.unlink()
    return target


def steps(deployment: Deployment, count: int) -> None:
    """Do so many jobs."""
    for _ in range(count):
        job = take_job(deployment)
        assert job is not None
        execute(deployment, job)


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("done", [1, 7])
def test_a_run_goes_on_in_a_copy_as_it_would_have(place: Path, copied: Copy, done: int) -> None:
    with bench(place, batch_size=20) as deployment:
        run = new_run(deployment.database)
        deployment.queue.advance([f"{run}-main"])
        steps(deployment, done)
        copy = copied(deployment.settings.database)
        work_off(deployment)
        expected = outcome(deployment, run)
    with bench(place, batch_size=20, home=place / "restored", database_url=copy) as restored:
        with restored.database.read() as connection:
            assert connection.execute(select(OutcomeRow.thread)).first() is None
        Sweeper(restored).sweep()
        work_off(restored)
        assert outcome(restored, run) == expected


def test_a_copy_notes_its_revision(database_url: str, copied: Copy) -> None:
    with closing(Database(database_url).create()):
        copy = copied(database_url)
    with closing(Database(copy)) as database:
        move = planned(database)
        assert move.before == move.after
        database.create()


def test_a_file_copied_without_its_log_may_lack_what_was_written_last(tmp_path: Path) -> None:
    """Why docs/databases.md forbids `cp` while anybody works: what was written last stands in the log beside it."""
    path, copy = tmp_path / "x.sqlite", tmp_path / "copy.sqlite"
    with closing(Database(f"sqlite:///{path}").create()) as database, database.read():
        subprocess.run(["cp", path, copy], check=True)
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert Path(f"{path}-wal").stat().st_size > 0
