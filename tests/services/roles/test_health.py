"""A role's file says whether it is well; one that is silent, gone or waiting is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.health import health as command
from services.roles import health
from services.roles.health import Health, folder, look


@pytest.fixture(autouse=True)
def _own_folder(place: Path) -> None:
    """Files lie in the folder for temporary files, which is the test's own."""


def write(pid: int, at: float, ill: str = "", role: str = "worker") -> None:
    folder().mkdir(exist_ok=True)
    (folder() / f"{role}-{pid}.json").write_text(json.dumps({"pid": pid, "at": at, "ill": ill}))


@pytest.fixture
def _cleared() -> None:
    yield  # type: ignore[misc]
    for path in folder().glob("*"):
        path.unlink()
    folder().rmdir()


def test_nobody_is_not_well() -> None:
    assert look("worker") == (False, "no worker runs here")


def test_a_role_is_well_while_it_says_so_and_leaves_nothing_behind() -> None:
    with Health("worker").told():
        assert look("worker") == (True, "1 worker well")
        assert not look("scheduler")[0]
    assert not look("worker")[0]
    assert not folder().exists()


def test_what_a_role_waits_for_is_said_and_taken_back() -> None:
    state = Health("worker")
    state.ill("before it says anything, nothing is written")
    assert not folder().exists()
    with state.told():
        state.ill("Redis is away")
        assert look("worker") == (False, "Redis is away")
        state.well()
        assert look("worker")[0]


@pytest.mark.usefixtures("_cleared")
def test_a_process_that_is_silent_is_not_well() -> None:
    write(os.getpid(), time.time() - 2 * health.STALE_SECONDS)
    well, told = look("worker")
    assert not well
    assert "last heard of 60 s ago" in told


@pytest.mark.usefixtures("_cleared")
def test_one_of_several_that_is_not_well_is_told() -> None:
    with Health("worker").told():
        write(os.getppid(), time.time(), "the database is away")
        assert look("worker") == (False, "the database is away")


def test_the_file_of_a_process_that_is_gone_is_cleared_away() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    write(process.pid, time.time())
    assert not look("worker")[0]
    assert list(folder().iterdir()) == []
    folder().rmdir()


@pytest.mark.usefixtures("_cleared")
def test_a_file_that_cannot_be_read_counts_as_none() -> None:
    folder().mkdir()
    (folder() / "worker-1.json").write_text("{")
    assert not look("worker")[0]


def test_the_beat_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BEAT_SECONDS", 0.05)
    with Health("worker").told():
        [path] = folder().iterdir()
        first = json.loads(path.read_text())["at"]
        time.sleep(0.3)
        assert json.loads(path.read_text())["at"] > first


def test_the_command_says_it_by_its_exit_code() -> None:
    import typer

    app = typer.Typer()
    app.command()(command)
    assert CliRunner().invoke(app, ["worker"]).exit_code == 1
    with Health("worker").told():
        found = CliRunner().invoke(app, ["worker"])
    assert (found.exit_code, found.stdout.strip()) == (0, "1 worker well")


def test_the_api_is_asked_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    monkeypatch.setenv("TOUCHSTONE_API_HOST", "0.0.0.0")
    monkeypatch.setenv("TOUCHSTONE_API_PORT", "9")
    app = typer.Typer()
    app.command()(command)
    found = CliRunner().invoke(app, ["api"])
    assert found.exit_code == 1
    assert "http://127.0.0.1:9/healthz" in found.stdout
