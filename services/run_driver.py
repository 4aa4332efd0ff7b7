"""Taking a run to its end: a queue, workers, a sweeper, and nothing of them left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import update

from knowledge_base.errors import RunError
from services.database import Database
from services.deployment import Deployment, opened
from services.embedded_redis import EmbeddedRedis
from services.interruption import ending_signals_raise, undisturbed
from services.mining_thread import load_run
from services.processes import Mark
from services.progress import RunProgress, progress_of
from services.result_reading import result_of
from services.run_result import RunResult
from services.settings import Settings
from services.sweeper import Sweeper
from services.tables import RunRow, ThreadRow
from services.workforce import Workforce

POLL_SECONDS = 0.1
OnProgress = Callable[[RunProgress], None]


def run_to_end(
    run: str, settings: Settings, on_progress: OnProgress | None = None, site: Site | None = None
) -> RunResult:
    """Work on a run until it is finished, and read its result; a finished run's result is read at once.

    May be interrupted at any moment and called again: it goes on where it stood. Start it from the main thread where
    SIGTERM is to be handled, and from a thread that lives as long as it does in any case.

    Args:
        run: id of a created run.
        settings: where and how.
        on_progress: called about ten times a second and once at the end.
        site: where to work if there is one already (see `working`); otherwise one is started and ended.

    Raises:
        RunError: there is no such run, or a thread of it failed for good.
        WorkersLost: workers end faster than they work.
    """
    database = Database(settings.database)
    try:
        load_run(database, run)
        if progress_of(database, run).status != "finished":
            _revive(database, run)
            with ending_signals_raise(), _watch(database, run), _lent(site, settings) as place:
                _drive(place, run, on_progress or _unwatched)
        return database.again(lambda: result_of(database, run))
    finally:
        database.close()


@dataclass(frozen=True)
class Site:
    """What a command runs while it works."""

    deployment: Deployment
    workforce: Workforce
    server: EmbeddedRedis | None


@contextmanager
def _lent(site: Site | None, settings: Settings) -> Iterator[Site]:
    if site is not None:
        yield site
        return
    with working(settings) as own:
        yield own


@contextmanager
def working(settings: Settings) -> Iterator[Site]:
    """A queue and workers for several runs, one after the other: workers load their models once."""
    stack = ExitStack()
    try:
        server = stack.enter_context(EmbeddedRedis(settings.home)) if settings.embedded else None
        reached = settings.model_copy(update={"redis_url": server.url}) if server else settings
        folder = server.folder if server else Path(stack.enter_context(TemporaryDirectory(prefix="touchstone-")))
        workforce = stack.enter_context(Workforce(reached, folder, server.adopt if server else _unrecorded))
        yield Site(stack.enter_context(opened(reached)), workforce, server)
    finally:
        with undisturbed():
            stack.close()


def _drive(site: Site, run: str, on_progress: OnProgress) -> None:
    sweeper, database = Sweeper(site.deployment), site.deployment.database
    pause, swept = site.deployment.settings.sweep_seconds, 0.0
    while True:
        begun = time.monotonic()
        progress = database.again(lambda: progress_of(database, run))
        reading = time.monotonic() - begun
        on_progress(progress)
        if progress.status == "finished":
            return
        if progress.status == "failed":
            raise RunError(f"run {run} failed; run the same command again to retry it\n{progress.faults}")
        site.workforce.tend(progress.answered)
        restarted = site.server.tend() if site.server else False
        if restarted or time.monotonic() - swept > pause:
            database.again(lambda: sweeper.sweep(run))
            swept = time.monotonic()
        # Looking must not become the work: on a big run it takes longer, and is then done less often.
        time.sleep(max(POLL_SECONDS, 5 * reading))


@contextmanager
def _watch(database: Database, run: str) -> Iterator[None]:
    """Add the time spent in the block to the run's seconds."""
    start = time.monotonic()
    try:
        yield
    finally:
        spent = time.monotonic() - start
        with database.write() as connection:
            connection.execute(update(RunRow).where(RunRow.id == run).values(seconds=RunRow.seconds + spent))


def _revive(database: Database, run: str) -> None:
    """Give failed threads another chance: whoever asks again may have mended what failed them."""
    failed = update(ThreadRow).where(ThreadRow.run == run, ThreadRow.status == "failed")
    with database.write() as connection:
        connection.execute(failed.values(status="running", attempts=0, fault=""))


def _unrecorded(_child: Mark) -> None:
    return


def _unwatched(_progress: RunProgress) -> None:
    return
