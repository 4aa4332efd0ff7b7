"""The embedded database is its owner's alone: it holds people's texts, and digests of keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from services.database import Database


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """A usual umask, by which new files are anybody's to read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}


def test_a_new_file_and_those_beside_it_are_read_by_nobody_else(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'x.sqlite'}").create()) as database, database.write() as connection:
        connection.execute(text("CREATE TABLE more (x INTEGER)"))
        assert modes(tmp_path) == {"x.sqlite": 0o600, "x.sqlite-wal": 0o600, "x.sqlite-shm": 0o600}


def test_so_is_one_that_is_only_looked_for(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'x.sqlite'}")) as database, database.read():
        assert set(modes(tmp_path).values()) == {0o600}


def test_an_existing_file_stays_as_its_owner_made_it(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    Database(f"sqlite:///{path}").create().close()
    path.chmod(0o640)
    with closing(Database(f"sqlite:///{path}").create()) as database, database.write():
        assert set(modes(tmp_path).values()) == {0o640}


def test_a_database_in_memory_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Database("sqlite:///:memory:")) as database, database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    assert modes(tmp_path) == {}
