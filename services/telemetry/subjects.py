"""Whose work a job is, so that every line about it names the run, whatever becomes of the job."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from services.database import Database
from services.roles.tables import TurnRow
from services.tables import ThreadRow

ADVANCE, LABEL = "advance-", "label-"


def subject_of(database: Database, job: str) -> dict[str, str]:
    """Ids for the log lines of a job.

    Args:
        database: says whose a batch or a thread is.
        job: its id, see `services.queue.JobQueue`.

    Returns:
        `run` or `labelling`, and `thread` for an advance; what is not known is left out.
    """
    try:
        return _thread_of(database, job) if job.startswith(ADVANCE) else _batch_of(database, job)
    except DBAPIError:
        # The job itself will say that the database is away.
        return {}


def _thread_of(database: Database, job: str) -> dict[str, str]:
    thread = job.removeprefix(ADVANCE).rpartition("-")[0]
    with database.read() as connection:
        run = connection.execute(select(ThreadRow.run).where(ThreadRow.id == thread)).scalar()
    return {"thread": thread, "run": run or ""}


def _batch_of(database: Database, batch: str) -> dict[str, str]:
    with database.read() as connection:
        owner = connection.execute(select(TurnRow.owner).where(TurnRow.batch == batch)).scalar()
    return {"labelling" if batch.startswith(LABEL) else "run": owner or ""}
