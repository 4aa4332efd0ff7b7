"""Whether a role's process is well: a file that it touches while it is, and a look at that file.

A file, not a port: a worker listens nowhere, and a container's check needs neither a client nor a key. The file lies in
the folder for temporary files, which a container has for itself, and says what the process is at.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.alongside import alongside

BEAT_SECONDS = 5.0
STALE_SECONDS = 30.0
"""Seconds without a word after which a process is not well, whatever it said last."""


class Health:
    """What a process says of itself. It says so every few seconds, from a thread of its own.

    Args:
        role: `worker`, `scheduler`, `up`.
    """

    def __init__(self, role: str) -> None:
        self._path = folder() / f"{role}-{os.getpid()}.json"
        self._ill, self._telling = "", False

    def well(self) -> None:
        """All is well."""
        self._say("")

    def ill(self, why: str) -> None:
        """Something that this process needs is not there; it waits for it."""
        self._say(why)

    @contextmanager
    def told(self) -> Iterator[Health]:
        """Say so for as long as the block runs."""
        self._telling = True
        self._write()
        try:
            with alongside(self._beat, "health"):
                yield self
        finally:
            self._telling = False
            self._path.unlink(missing_ok=True)
            tidy()

    def _say(self, why: str) -> None:
        if why != self._ill:
            self._ill = why
            if self._telling:
                self._write()

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(BEAT_SECONDS):
            self._write()

    def _write(self) -> None:
        # A full or missing folder is no reason for the work to end; the check then finds nothing, and says so.
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            draft = self._path.with_suffix(f".{threading.get_ident()}")
            draft.write_text(json.dumps({"pid": os.getpid(), "at": time.time(), "ill": self._ill}))
            draft.replace(self._path)


def folder() -> Path:
    """Where the files lie."""
    return Path(tempfile.gettempdir()) / f"touchstone-health-{os.getuid()}"


def tidy() -> None:
    """Remove what processes that were killed left, and the folder if nothing is left in it."""
    for path in folder().glob("*-*.json"):
        _read(path)
    with suppress(OSError):
        folder().rmdir()


def look(role: str) -> tuple[bool, str]:
    """Whether the processes of a role on this machine are well, and what is to be said of that."""
    found = [_read(path) for path in sorted(folder().glob(f"{role}-*.json"))]
    living = [said for said in found if said is not None]
    if not living:
        return False, f"no {role} runs here"
    faults = [said for said in living if said]
    several = "s" if len(living) > 1 else ""
    return not faults, "; ".join(faults) or f"{len(living)} {role}{several} well"


def _read(path: Path) -> str | None:
    """What is wrong with the process of a file, empty if nothing; None if the process is no more."""
    try:
        said = json.loads(path.read_text())
        pid, at, ill = int(said["pid"]), float(said["at"]), str(said["ill"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _runs(pid):
        path.unlink(missing_ok=True)
        return None
    silent = time.time() - at
    return f"process {pid} was last heard of {silent:.0f} s ago" if silent > STALE_SECONDS else ill


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
