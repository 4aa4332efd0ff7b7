"""A labelling as it happens: a line that moves on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from services.labelling.progress import LabelProgress

LOG_SECONDS = 10.0
"""Pause between two lines of a log."""


class Watcher(Protocol):
    """A context manager that is told of progress."""

    def __enter__(self) -> Watcher: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def update(self, progress: LabelProgress) -> None:
        """Where the labelling stands now."""
        ...


def watcher(console: Console, *, quiet: bool = False) -> Watcher:
    """The display that suits where the output goes."""
    if quiet:
        return SilentWatcher()
    return LiveWatcher(console) if console.is_terminal and not console.is_dumb_terminal else LogWatcher(console)


class Pace:
    """How fast pairs get their labels in this command, from the first look on."""

    def __init__(self) -> None:
        self._start: tuple[float, int] | None = None

    def told(self, progress: LabelProgress) -> str:
        """Judgments so far, pairs a second, and the time left; empty parts are not known yet."""
        counts = f"{progress.asked:,} judgments asked, {progress.reused:,} reused, {progress.saved:,} saved"
        now = time.monotonic()
        if self._start is None:
            self._start = now, progress.done
        seconds, done = now - self._start[0], progress.done - self._start[1]
        if done <= 0 or seconds <= 0:
            return counts
        left = (progress.pairs - progress.done) * seconds / done
        return f"{counts}; {done / seconds:,.1f} pairs/s, {clock(left)} left"


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds: `1:02:03`, or `02:03` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


class SilentWatcher:
    """Shows nothing."""

    def __enter__(self) -> SilentWatcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def update(self, progress: LabelProgress) -> None:
        """Nothing."""


class LogWatcher(SilentWatcher):
    """A plain line every `LOG_SECONDS`, and one at the end."""

    def __init__(self, console: Console) -> None:
        self._console, self._pace = console, Pace()
        self._next = 0.0
        self._told = -1

    def update(self, progress: LabelProgress) -> None:
        """Print a line if one is due and something has changed."""
        told = self._pace.told(progress)
        due = time.monotonic() >= self._next or progress.finished
        if due and progress.done != self._told:
            self._told, self._next = progress.done, time.monotonic() + LOG_SECONDS
            line = f"{progress.done:,} of {progress.pairs:,} pairs; {told}"
            self._console.print(Text(line), soft_wrap=True)


class LiveWatcher(SilentWatcher):
    """A bar of pairs, and the counts beside it."""

    def __init__(self, console: Console) -> None:
        self._pace = Pace()
        self._bar = Progress(TextColumn("pairs"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._task = self._bar.add_task("starting workers …", total=None)
        self._live = Live(self._bar, console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, progress: LabelProgress) -> None:
        """Move the bar."""
        told = self._pace.told(progress)
        self._bar.update(self._task, total=max(1, progress.pairs), completed=progress.done, description=told)
