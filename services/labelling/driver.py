"""Taking a labelling to its end: a queue, workers, a sweeper, and nothing of them left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import update

from knowledge_base.errors import RunError
from services.budget import Budget
from services.database import Database
from services.interruption import ending_signals_raise
from services.labelling.answer_store import reopen
from services.labelling.progress import LabelProgress, label_progress
from services.labelling.register import Labelling, load_labelling
from services.labelling.sweeping import LabelSweeper
from services.labelling.tables import LabellingRow
from services.run_driver import POLL_SECONDS, Site, working
from services.settings import Settings

OnProgress = Callable[[LabelProgress], None]


def label_to_end(
    labelling: str,
    settings: Settings,
    on_progress: OnProgress | None = None,
    budget: Budget | None = None,
    site: Site | None = None,
) -> Labelling:
    """Work on a labelling until every pair has its label; a finished one asks again only what failed.

    May be interrupted at any moment and called again: it goes on where it stood. Start it from the main thread where
    SIGTERM is to be handled.

    Args:
        labelling: id of a created labelling.
        settings: where and how.
        on_progress: called about ten times a second and once at the end.
        budget: what may be spent on it in all, earlier commands included.
        site: where to work if there is one already (see `services.run_driver.working`).

    Raises:
        RunError: there is no such labelling, or it was given up: the message says why.
        WorkersLost: workers end faster than they work.
    """
    tell = on_progress or _unwatched
    database = Database(settings.database)
    try:
        found = load_labelling(database, labelling)
        if found.status == "reading":
            raise RunError(f"labelling {labelling} has not all of its pairs yet; run `touchstone label` again")
        _note(database, labelling, budget=(budget or Budget()).model_dump_json())
        reopen(database, labelling)
        if not label_progress(database, labelling).finished:
            with ending_signals_raise(), _timed(database, labelling), _at(site, settings) as place:
                _drive(place, found, tell)
        _note(database, labelling, status="finished")
        tell(label_progress(database, labelling))
        return found
    finally:
        database.close()


def _at(site: Site | None, settings: Settings) -> Any:
    return working(settings) if site is None else nullcontext(site)


def _drive(site: Site, labelling: Labelling, tell: OnProgress) -> None:
    sweeper, database = LabelSweeper(site.deployment, labelling), site.deployment.database
    pause, swept = site.deployment.settings.sweep_seconds, 0.0
    while True:
        begun = time.monotonic()
        progress = database.again(lambda: label_progress(database, labelling.id))
        reading = time.monotonic() - begun
        tell(progress)
        if progress.status == "failed":
            raise RunError(
                f"the labelling was given up: {progress.fault}\nMend that; the same command goes on from here"
            )
        if progress.finished:
            return
        site.workforce.tend(progress.done + progress.asked)
        restarted = site.server.tend() if site.server else False
        if restarted or time.monotonic() - swept > pause:
            database.again(sweeper.sweep)
            swept = time.monotonic()
        # Looking must not become the work.
        time.sleep(max(POLL_SECONDS, 5 * reading))


@contextmanager
def _timed(database: Database, labelling: str) -> Iterator[None]:
    """Add the time spent in the block to the labelling's seconds."""
    start = time.monotonic()
    try:
        yield
    finally:
        _note(database, labelling, seconds=LabellingRow.seconds + (time.monotonic() - start))


def _note(database: Database, labelling: str, **columns: Any) -> None:
    with database.write() as connection:
        connection.execute(update(LabellingRow).where(LabellingRow.id == labelling).values(**columns))


def _unwatched(_progress: LabelProgress) -> None:
    return
