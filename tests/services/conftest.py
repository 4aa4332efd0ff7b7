"""A short place of its own for each test, and proof that nothing a test started outlives it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "agents")]

from postgres import PostgresServer, demand_postgres  # noqa: E402 - found once the path is set

from services.database import Database  # noqa: E402

PATIENCE = 5.0


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real Postgres server, started when first asked for."""
    demand_postgres()
    with PostgresServer() as server:
        yield server


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database, of each kind in turn; one on a server has all tables."""
    with _fresh(request, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database of each kind in turn: what a store promises holds on both."""
    with closing(Database(database_url).create()) as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def shared_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """As `database`, for all tests of a module, which then keep out of each other's way."""
    with _fresh(request, tmp_path_factory.mktemp("shared")) as url, closing(Database(url).create()) as made:
        yield made


@pytest.fixture
def configured(database_url: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `load_settings` name a database of each kind in turn, for tests that open theirs by settings."""
    if not database_url.startswith("sqlite"):
        monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", database_url)


@contextmanager
def _fresh(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'x.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh() as url:
        yield url


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short path, used as home and for temporary files, with the letter parties in force."""
    # Made before the folder below becomes the one for temporary files, or it would lie in it and vanish with it.
    tmp_path_factory.getbasetemp()
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name, value in {
        "TMPDIR": str(folder),
        "PYTHONPATH": str(HERE),
        "TOUCHSTONE_HOME": str(folder / "home"),
        "TOUCHSTONE_PARTIES": "letter_parties",
        "TOUCHSTONE_WORKERS": "2",
    }.items():
        monkeypatch.setenv(name, value)
    yield folder
    left = _await_none(folder)
    for process in left:
        process.kill()
    remains = [p.name for p in folder.glob("touchstone-*")]
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes left behind: {left}"
    assert not remains, f"folders left behind: {remains}"


def processes_of(folder: Path) -> list[psutil.Process]:
    """Living processes, other than this one, that were started with `folder` as home or in their command line."""
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and _belongs(p, folder)]


def _belongs(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        told = " ".join(process.cmdline())
        return str(folder) in told or process.environ().get("TOUCHSTONE_HOME", "").startswith(str(folder))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _await_none(folder: Path) -> list[psutil.Process]:
    until = time.monotonic() + PATIENCE
    while (left := processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return left
