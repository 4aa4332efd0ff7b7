"""A scripted endpoint for the time of a block: a process of its own, or a thread where a test wants to look inside."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from benchmarks.scripted.engine import Engine
from benchmarks.scripted.server import ScriptedApp
from benchmarks.scripted.serving import ServerThread
from benchmarks.scripted.setup import Setup
from knowledge_base.errors import RunError

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: where the process finds its modules."""

STOP_SECONDS = 5.0


class _Reachable:
    """What an endpoint can be asked, wherever it runs."""

    port: int

    @property
    def base_url(self) -> str:
        """Address for a client, such as `http://127.0.0.1:41234/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        """Counts since the last reset, see `GET /stats`."""
        return self._asked("GET", "/stats")

    def reset(self) -> None:
        """Forget counts, attempts, cached blocks and the quota used."""
        self._asked("POST", "/reset")

    def _asked(self, method: str, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path)
            said: dict[str, Any] = orjson.loads(connection.getresponse().read())
            return said
        finally:
            connection.close()


class ScriptedEndpoint(_Reachable):
    """A context manager that runs the endpoint in a process of its own; nothing is left when it exits.

    On Linux it dies with the thread that started it, even if that is killed outright.

    Args:
        setup: what it is told. The answer function must be importable from the checkout.
    """

    def __init__(self, setup: Setup | None = None) -> None:
        self._setup = setup or Setup()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self.port = 0

    def __enter__(self) -> ScriptedEndpoint:
        self._said = tempfile.TemporaryFile()
        try:
            self._start(self._said)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    @property
    def complaints(self) -> str:
        """What the process wrote to its standard error so far."""
        if self._said is None:
            return ""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def _start(self, said: IO[bytes]) -> None:
        command = [sys.executable, "-m", "benchmarks.scripted", "--config", "-", "--parent", str(os.getpid())]
        path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
        # In a session of its own, so that Ctrl-C reaches the owner alone.
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdin as told:
            told.write(self._setup.as_json())
        address = self._process.stdout.readline().decode().strip()
        if not address:
            self._process.wait()
            raise RunError(f"the scripted endpoint did not start: {self.complaints.strip()[-1500:]}")
        self.port = int(address.rpartition(":")[2].partition("/")[0])

    def _close(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._said is not None:
            self._said.close()
            self._said = None


class ThreadedEndpoint(_Reachable):
    """A context manager that runs the endpoint in a thread of this process, whose `engine` can be looked into.

    Args:
        engine: what serves the requests; its answer function may be any callable.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or Setup().engine()
        self._thread: ServerThread | None = None

    def __enter__(self) -> ThreadedEndpoint:
        self._thread = ServerThread(ScriptedApp(self.engine))
        self._thread.start()
        self.port = self._thread.port
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
        self.engine.log.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
