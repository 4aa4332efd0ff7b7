"""A run as it happens, for the person who started it: a display that moves on a terminal, plain lines in a log."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from agents.chronicle import RoundRecord
from services.call_tally import Took
from services.inert import shown
from services.progress import RunProgress, ThreadProgress
from services.round_table import round_lines, round_table

DOING = {
    "screen": "trying the knowledge base",
    "race": "comparing criteria",
    "sealed": "judging held-out pairs",
    "finished": "finished",
}


class Watcher(Protocol):
    """A context manager that is told of progress, and at the end of every round."""

    def __enter__(self) -> Watcher: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def update(self, progress: RunProgress) -> None:
        """Where the run stands now."""
        ...

    def finish(self, rounds: tuple[RoundRecord, ...]) -> None:
        """The run has ended after these rounds of its main thread."""
        ...


def watcher(console: Console, *, quiet: bool = False) -> Watcher:
    """The display that suits where the output goes."""
    if quiet:
        return SilentWatcher()
    return LiveWatcher(console) if console.is_terminal and not console.is_dumb_terminal else LogWatcher(console)


class SilentWatcher:
    """Shows nothing."""

    def __enter__(self) -> SilentWatcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def update(self, progress: RunProgress) -> None:
        """Nothing."""

    def finish(self, rounds: tuple[RoundRecord, ...]) -> None:
        """Nothing."""


class LogWatcher(SilentWatcher):
    """One plain line an event: a thread that moves on to another round or stage, a round of the main thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._places: dict[str, tuple[int, str]] = {}
        self._told = 0

    def update(self, progress: RunProgress) -> None:
        """Print what is new."""
        for thread in progress.threads:
            place = (thread.round, thread.stage)
            if self._places.get(thread.name) != place and thread.round:
                self._places[thread.name] = place
                self._line(f"{thread.name}: {_doing(thread)}{_paid(progress.paid)}")
        if progress.latest:
            self._rounds((progress.latest,))

    def finish(self, rounds: tuple[RoundRecord, ...]) -> None:
        """Print the rounds that passed between two looks."""
        self._rounds(rounds)

    def _rounds(self, records: tuple[RoundRecord, ...]) -> None:
        for record in records:
            if record.number > self._told:
                self._told = record.number
                for line in round_lines(record):
                    self._line(line)

    def _line(self, text: str) -> None:
        self._console.print(Text(shown(text)), soft_wrap=True)


class LiveWatcher(SilentWatcher):
    """A table for every round that ends, and under them a bar of judgments for each thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, expand=True,
        )  # fmt: skip
        self._heading = Text("starting workers …", style="dim")
        self._live = Live(Group(self._heading, self._bars), console=console, refresh_per_second=8, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._told = 0

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, progress: RunProgress) -> None:
        """Move the bars, and print the round that has ended since, if one has."""
        self._heading.plain = f"{progress.answered:,} of {progress.wanted:,} judgments{_paid(progress.paid)}"
        for thread in progress.threads:
            self._bar(thread)
        if progress.latest:
            self._rounds((progress.latest,))

    def finish(self, rounds: tuple[RoundRecord, ...]) -> None:
        """Print the rounds that passed between two looks."""
        self._rounds(rounds)

    def _bar(self, thread: ThreadProgress) -> None:
        task = self._tasks.get(thread.name)
        if task is None:
            task = self._tasks[thread.name] = self._bars.add_task("")
        told = f"{thread.name:<8}{_doing(thread)}"
        self._bars.update(task, total=max(thread.wanted, 1), completed=thread.answered, description=told)

    def _rounds(self, records: tuple[RoundRecord, ...]) -> None:
        for record in records:
            if record.number > self._told:
                self._told = record.number
                self._console.print(round_table(record))


def _paid(paid: Took) -> str:
    """What models took so far; nothing where none was asked."""
    if not paid.calls:
        return ""
    cost = "" if paid.cost is None else f", cost {paid.cost:,.4f}"
    failed = f", {paid.retries:,} tries failed" if paid.retries else ""
    return f"; {paid.calls:,} calls, {paid.prompt + paid.completion:,} tokens{cost}{failed}"


def _doing(thread: ThreadProgress) -> str:
    if not thread.round:
        return "waiting"
    where = f"round {thread.round}, " if thread.stage == "race" else ""
    return where + DOING.get(thread.stage, thread.stage)
