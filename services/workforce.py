"""The worker processes of a command: started, replaced when they die, and gone when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil

import services
from knowledge_base.errors import WorkersLost
from services.processes import Mark, end
from services.settings import Settings

STOP_SECONDS = 2.0
"""Grace for a job at hand; what it has not written by then is judged again, so it may be short."""

GRACE_SECONDS = 1.0
"""Of those, until a job is stopped and gives back what it has not done."""

KILLED_PATIENCE = 30
"""Workers killed by a signal, with no progress in between, after which something outside kills them for good."""

FAULTY_PATIENCE = 2
"""Workers that ended in an error by themselves, with no progress in between: the next would too."""

MOST_JOBS = 2000
"""Jobs after which a worker ends and the next is started, so that no leak lasts."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Workforce:
    """A context manager that keeps `settings.workers` workers running while it is tended.

    Args:
        settings: with `redis_url` set; workers get them through their environment.
        folder: for the workers' logs.
        adopt: told of each process started, before anything else can happen to it.
    """

    def __init__(self, settings: Settings, folder: Path, adopt: Callable[[Mark], None]) -> None:
        self._settings, self._folder, self._adopt = settings, folder, adopt
        self._workers: list[subprocess.Popen[bytes]] = []
        self._marks: list[Mark] = []
        self._killed = self._faulty = 0
        self._progress = -1

    def __enter__(self) -> Workforce:
        for _ in range(self._settings.workers):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._marks, STOP_SECONDS)
        for worker in self._workers:
            worker.wait()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [w.pid for w in self._workers if w.poll() is None]

    def tend(self, progress: int) -> int:
        """Replace workers that have ended; returns how many.

        Args:
            progress: any count of work done; while it grows, deaths are forgiven.

        Raises:
            WorkersLost: they end faster than they work.
        """
        if progress != self._progress:
            self._killed = self._faulty = 0
            self._progress = progress
        dead = [w for w in self._workers if w.poll() is not None]
        for worker in dead:
            self._bury(worker)
            self._start()
        return len(dead)

    def _bury(self, worker: subprocess.Popen[bytes]) -> None:
        at = self._workers.index(worker)
        del self._workers[at], self._marks[at]
        # One that ends well has done all the jobs that one worker does; several may at once, and that is no fault.
        self._killed += worker.returncode < 0
        self._faulty += worker.returncode > 0
        if self._faulty > FAULTY_PATIENCE or self._killed > KILLED_PATIENCE:
            raise WorkersLost(self._complaint(worker))

    def _complaint(self, worker: subprocess.Popen[bytes]) -> str:
        if worker.returncode < 0:
            number = -worker.returncode
            return f"{self._killed} workers were killed by signal {number} and none got anything done; is memory short?"
        log = self._log(worker.pid)
        said = log.read_text(errors="replace").strip()[-1500:] if log.exists() else ""
        return f"{self._faulty} workers ended with exit status {worker.returncode} and none got anything done:\n{said}"

    def _start(self) -> None:
        told = ["--parent", str(os.getpid()), "--jobs", str(MOST_JOBS), "--grace", str(GRACE_SECONDS)]
        command = [sys.executable, "-m", "services.worker_main", *told]
        draft = self._folder / "worker.log"
        with draft.open("wb") as log:
            # In a session of its own, so that Ctrl-C reaches the owner alone, which stops its workers in order.
            worker = subprocess.Popen(
                command,
                env=environment_of(self._settings),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        draft.replace(self._log(worker.pid))
        self._workers.append(worker)
        self._marks.append(_mark(worker.pid))
        self._adopt(self._marks[-1])

    def _log(self, pid: int) -> Path:
        return self._folder / f"worker-{pid}.log"


def environment_of(settings: Settings) -> dict[str, str]:
    """Variables for a process that works with these settings."""
    checkout = str(Path(services.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH", "")]))
    threads = dict.fromkeys(THREAD_VARIABLES, str(settings.threads))
    fixed = {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **threads, **settings.environment(), **fixed}


def _mark(pid: int) -> Mark:
    """The mark of a child that was not waited for yet, so that its id is surely still its own."""
    try:
        return Mark.of(pid)
    except psutil.NoSuchProcess:
        return Mark("", pid, 0.0)
