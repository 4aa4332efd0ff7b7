"""Processes that are kept running: started in order, started again when they end, and ended in the opposite order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import psutil

from services.processes import Mark, end
from services.roles.ending import SAME_SECONDS, Ending
from services.roles.health import tidy
from services.telemetry.logs import log

SOONEST, LATEST = 0.5, 30.0
"""Seconds before a process that ended in an error is started again: at first, and at last, doubling."""

STEADY_SECONDS = 60.0
"""Seconds after which a process that runs is no longer held to be one that keeps ending."""

MARGIN_SECONDS = 5.0
"""Time beyond its grace that a process is given to end before it is killed."""

logger = log(__name__)


@dataclass(frozen=True)
class Member:
    """A process to keep running.

    Attributes:
        name: for people: `worker 1`.
        module: what it runs, `python -m module`.
        arguments: given to it, after the process to die with.
        inherits: file descriptors that it is given.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    inherits: tuple[int, ...] = ()


@dataclass
class _Seat:
    """A member and the process that is it at the moment."""

    member: Member
    process: subprocess.Popen[bytes] | None = None
    mark: Mark | None = None
    started: float = 0.0
    due: float = 0.0
    failures: int = 0
    restarts: int = field(default=0)


class Supervisor:
    """A context manager that keeps its members running while it is tended.

    Args:
        members: in the order in which they are started.
        environment: their variables, all of them.
        grace: seconds that each is given to end.
        adopt: told of each process started.
        quiet: log nothing of members that end, since people are told.
    """

    def __init__(
        self,
        members: Sequence[Member],
        environment: Mapping[str, str],
        grace: float,
        adopt: Callable[[Mark], None] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        self._seats = [_Seat(member) for member in members]
        self._environment, self._grace, self._adopt = dict(environment), grace, adopt
        self._quiet, self._ending = quiet, Ending(grace)

    def __enter__(self) -> Supervisor:
        try:
            for seat in self._seats:
                self._start(seat)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> list[str]:
        """Names of the members that run."""
        return [s.member.name for s in self._seats if s.process is not None and s.process.poll() is None]

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the members that run, by name."""
        return {s.member.name: s.process.pid for s in self._seats if s.process and s.process.poll() is None}

    @property
    def restarts(self) -> int:
        """How often a member was started again."""
        return sum(s.restarts for s in self._seats)

    def tend(self) -> list[str]:
        """Start again what has ended, once it is time to; returns what there is to say of it, a line each."""
        said: list[str] = []
        for seat in self._seats:
            if seat.process is not None and seat.process.poll() is not None:
                said.append(self._bury(seat, seat.process.returncode))
            if seat.process is None and time.monotonic() >= seat.due:
                self._start(seat)
                seat.restarts += 1
            elif seat.failures and seat.process and time.monotonic() - seat.started > STEADY_SECONDS:
                seat.failures = 0
        return said

    def keep(self, ending: Ending, tell: Callable[[str], object], also: Callable[[], object] | None = None) -> None:
        """Tend the members until this process is asked to end.

        Args:
            ending: when to end.
            tell: takes lines for people.
            also: called about five times a second.
        """
        self._ending = ending
        while not ending.asked:
            for line in self.tend():
                tell(line)
            if also is not None:
                also()
            ending.pause(0.2)

    def stop(self) -> None:
        """End all members: the last kind first, all of a kind at once. Asked again meanwhile, they are asked again."""
        for kind in dict.fromkeys(_kind(seat) for seat in reversed(self._seats)):
            seats = [seat for seat in self._seats if _kind(seat) == kind]
            self._await_end([seat.process for seat in seats if seat.process is not None])
            end([seat.mark for seat in seats if seat.process and seat.mark], 0.0)
            for seat in seats:
                if seat.process is not None:
                    seat.process.wait()
                    seat.process = None
        tidy()

    def _await_end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        """Ask these to end, and give them the time to; again as soon as this process is asked again."""
        for process in processes:
            process.terminate()
        began, hurried = time.monotonic(), False
        while any(process.poll() is None for process in processes):
            lasted = time.monotonic() - began
            if lasted > self._grace + MARGIN_SECONDS:
                return
            # Not sooner, or they would take it for the same request.
            if self._ending.hurried and not hurried and lasted > 1.1 * SAME_SECONDS:
                hurried = True
                for process in processes:
                    process.terminate()
            time.sleep(0.02)

    def _bury(self, seat: _Seat, code: int) -> str:
        lived = time.monotonic() - seat.started
        seat.failures = 0 if code == 0 else 1 if lived > STEADY_SECONDS else seat.failures + 1
        pause = min(LATEST, SOONEST * 2 ** (seat.failures - 1)) if seat.failures else 0.0
        seat.process, seat.due = None, time.monotonic() + pause
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"
        if not self._quiet:
            logger.log(30 if code else 20, "process ended", process=seat.member.name, code=code, restart_seconds=pause)
        return f"{seat.member.name} {how}; starting it again{f' in {pause:g} s' if pause else ''}"

    def _start(self, seat: _Seat) -> None:
        member = seat.member
        command = [sys.executable, "-m", member.module, "--parent", str(os.getpid()), *member.arguments]
        # In a session of its own, so that Ctrl-C reaches this process alone, which ends its members in order.
        seat.process = subprocess.Popen(
            command, env=self._environment, start_new_session=True, stdin=subprocess.DEVNULL, pass_fds=member.inherits,
        )  # fmt: skip
        seat.started = time.monotonic()
        try:
            seat.mark = Mark.of(seat.process.pid)
        except psutil.NoSuchProcess:
            seat.mark = None
        if self._adopt is not None and seat.mark is not None:
            self._adopt(seat.mark)


def _kind(seat: _Seat) -> str:
    return seat.member.module
