"""Stopping the job at hand: a worker that is asked to end and has waited long enough for it.

A job that judges is many calls at once: they are cancelled in their event loop, and the answers that came are kept. Any
other job is interrupted where it stands. Either ends in `Stopped`, on which it gives back what it has not done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(SystemExit):
    """The job at hand was stopped. No `Exception`: nobody is to note it as a fault of the work."""


_ways: list[tuple[asyncio.AbstractEventLoop, Callable[[], object]]] = []


@contextmanager
def stoppable(cancel: Callable[[], object]) -> Iterator[None]:
    """Have `stop` call `cancel` in the event loop that runs this block; the block is then to end in `Stopped`."""
    _ways.append((asyncio.get_running_loop(), cancel))
    try:
        yield
    finally:
        _ways.pop()


def stop() -> None:
    """Stop the job at hand; to be called in the main thread, such as by a signal.

    Raises:
        Stopped: the job has no way of its own to be stopped.
    """
    if not _ways:
        raise Stopped("the worker was asked to end")
    loop, cancel = _ways[-1]
    loop.call_soon_threadsafe(cancel)
