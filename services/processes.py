"""Processes known by more than their id: ids are reused, so a process is named by id and start time together."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

SAME_START = 1.0
"""Start times closer than this (seconds) are one process; the kernel counts in ticks and the clock may be set."""


@dataclass(frozen=True)
class Mark:
    """A process: its id and start time (seconds since the epoch) on a host."""

    host: str
    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Mark:
        """The process that has this id now. Raises `psutil.NoSuchProcess` if there is none."""
        return cls(socket.gethostname(), pid, psutil.Process(pid).create_time())

    @classmethod
    def here(cls) -> Mark:
        """This process."""
        return cls.of(os.getpid())

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """Read what `str` wrote; None if it is something else."""
        parts = text.rsplit(":", 2)
        try:
            return cls(parts[0], int(parts[1]), float(parts[2]))
        except (IndexError, ValueError):
            return None

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started!r}"

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @property
    def local(self) -> bool:
        """Whether it is a process of this host, so that this host can tell if it lives."""
        return self.host == socket.gethostname()

    def process(self) -> psutil.Process | None:
        """The process, if it still runs on this host; one that ended but was not waited for does not run."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < SAME_START
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def dead(self) -> bool:
        """True if it surely runs no more; a process of another host is never surely dead."""
        return self.local and self.process() is None


def end(marks: Sequence[Mark], grace: float) -> None:
    """Ask these processes to end, wait up to `grace` seconds, then kill those left together with their children."""
    running = [p for p in (m.process() for m in marks if m.local) if p is not None]
    families = [*running, *(child for p in running for child in _children(p))]
    for process in running:
        _signal(process.terminate)
    _wait(running, grace)
    families += [child for p in running for child in _children(p)]
    for process in families:
        _signal(process.kill)
    _wait(families, 5.0)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _signal(send: Any) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def _wait(processes: Sequence[psutil.Process], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(_runs(p) for p in processes):
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
