"""The end of a worker: asked once, it takes no more jobs and gives the one at hand time; asked twice, it stops it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any, NoReturn

from services.stopping import Stopped, stop

INTERRUPT = signal.SIGUSR1
"""Sent by the process to itself when the grace is over: only the main thread, in a handler, can stop what it is at."""

SAME_SECONDS = 1.0
"""Signals within so many seconds are one request: a terminal, a supervisor and the container may all send theirs."""


class Ending:
    """Signals that ask a worker to end. Make it in the main thread.

    Args:
        grace: seconds that the job at hand is given.

    Attributes:
        asked: whether it was asked to end.
        hurried: whether it was asked again, some time after.
    """

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.asked = self.hurried = False
        self._resting = self._working = False
        self._timer: threading.Timer | None = None
        self._first = 0.0

    def install(self) -> None:
        """Have SIGTERM, SIGINT and SIGHUP ask it to end, the last unless it was started under `nohup`."""
        signal.signal(signal.SIGTERM, self._asked)
        signal.signal(signal.SIGINT, self._asked)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._asked)
        signal.signal(INTERRUPT, self._interrupt)

    def resting(self, rests: bool) -> None:
        """The worker begins or ends to wait for a job; while it waits it may be stopped at once.

        Raises:
            Stopped: it was asked to end already.
        """
        self._resting = rests
        if rests and self.asked:
            self._resting = False
            raise Stopped("asked to end while waiting")

    def working(self, works: bool) -> None:
        """The worker begins or ends a job."""
        self._working = works
        if works and self.asked:
            self._give_grace()
        elif not works:
            self.close()

    def close(self) -> None:
        """Forget a grace that is still running."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause(self, seconds: float) -> None:
        """Sleep, but not longer than until it is asked to end."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(0.1, left))

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        first, now = not self.asked, time.monotonic()
        self.asked, self._first = True, now if first else self._first
        again = now - self._first >= SAME_SECONDS
        self.hurried = self.hurried or again
        if self._resting:
            self._resting = False
            raise Stopped("asked to end while waiting")
        if self._working and again:
            stop()
        elif self._working and first:
            self._give_grace()

    def _give_grace(self) -> None:
        self._timer = threading.Timer(self.grace, self._time_is_up)
        self._timer.daemon = True
        self._timer.start()

    def _time_is_up(self) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, INTERRUPT)

    def _interrupt(self, _number: int, _frame: Any) -> None:
        if self._working:
            stop()


def leave() -> NoReturn:
    """End this process, whose work is done, without taking its interpreter apart.

    Where a model was loaded, that takes seconds of processor time, for which nobody should wait.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
