"""`touchstone`, as a test starts it: in this checkout, with the parties of the tests within reach."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parents[1]
PATIENCE = 90.0


def start(
    *arguments: str, environment: Mapping[str, str] | None = None, log: Path, alone: bool = False
) -> subprocess.Popen[bytes]:
    """Start a command; what it prints goes to a file. With `alone`, its variables are those given and no others."""
    path = os.pathsep.join([str(TESTS), str(ROOT)])
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ} if alone else dict(os.environ)
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, str(Path(__file__)), *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=ROOT,
            env={**kept, **(environment or {}), "PYTHONPATH": path},
        )  # fmt: skip


def await_that(condition: Callable[[], Any], *, log: Path | None = None, seconds: float = PATIENCE) -> Any:
    """Wait until something holds; returns what it gave."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, log.read_text() if log is not None and log.exists() else "it took too long"
        time.sleep(0.05)
    return found


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    """Ask a command to end; returns its exit code."""
    process.send_signal(number)
    return process.wait(PATIENCE)


def main() -> None:
    """The command line, with the commands of the roles whether or not they are registered."""
    from services.cli.api import api
    from services.cli.entry import app
    from services.cli.health import health
    from services.cli.migrate import migrate
    from services.cli.retention import retention
    from services.cli.scheduler import scheduler
    from services.cli.up import up
    from services.cli.worker import worker

    known = {info.callback.__name__ for info in app.registered_commands if info.callback is not None}
    for command in (api, health, migrate, retention, scheduler, up, worker):
        if command.__name__ not in known:
            app.command()(command)
    app()


if __name__ == "__main__":
    main()
