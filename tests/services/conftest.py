"""A short place of its own for each test, and proof that nothing a test started outlives it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "agents")]

PATIENCE = 5.0


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
