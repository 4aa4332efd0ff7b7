"""What the scheduler does every few seconds: windows noted, refreshes begun, and those under way looked after.

Any number of schedulers may do it at once, and any of them may die at any moment: all that must happen once rests on a
primary key or on a row that is changed only while it is as it was read. What takes long is done by workers. Work that
was begun and is not done is under way in the database, not in a scheduler: the next look by anybody goes on with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from services.database import Database
from services.deployment import Deployment
from services.schedules.announcing import fail
from services.schedules.beginning import begin_due
from services.schedules.gathering import gather
from services.schedules.mining import faults, standing
from services.schedules.noting import note_windows
from services.schedules.refreshes import Refresh, load_refresh
from services.schedules.register import load_schedule
from services.schedules.tables import RefreshRow, ScheduleRow
from services.tables import ThreadRow

logger = logging.getLogger(__name__)


class Happened(BaseModel):
    """Something that a look brought about.

    Attributes:
        schedule: id.
        what: windows were `noted`, a refresh was `begun`, its votes were `gathered`, its thread was `woken`, it
            `failed`; or the look itself came to a `fault`.
        refresh: id; empty if it is about none.
        told: names of windows, or a fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: str
    what: Literal["noted", "begun", "gathered", "woken", "failed", "fault"]
    refresh: str = ""
    told: str = ""


def tick(deployment: Deployment, now: datetime) -> list[Happened]:
    """Look once, as at `now` (aware). One schedule at fault does not hold up the others.

    Returns:
        What was brought about, in order; empty where there was nothing to do.
    """
    happened: list[Happened] = []
    for schedule in _enabled(deployment.database):
        happened += _guarded(deployment.database, schedule, partial(_look, deployment, schedule, now))
    for refresh, schedule in _running(deployment.database):
        happened += _guarded(deployment.database, schedule, partial(care, deployment, refresh, now))
    return happened


def care(deployment: Deployment, refresh_id: str, now: datetime) -> list[Happened]:
    """Do for a refresh under way what is the scheduler's to do."""
    refresh = load_refresh(deployment.database, refresh_id)
    if refresh.status != "running":
        return []
    if refresh.step == "gather":
        return _gather(deployment, refresh, now)
    thread = _thread(deployment.database, refresh)
    if thread.status == "failed":
        return _fail(deployment, refresh, thread.fault, now)
    if thread.status != "waiting":
        return []
    mined = standing(deployment.database, refresh.mining)
    if mined == "failed":
        told = faults(deployment.database, refresh.mining)
        return _fail(deployment, refresh, f"run {refresh.mining} failed: {told}", now)
    return _wake(deployment, refresh) if mined == "finished" else []


def _look(deployment: Deployment, schedule_id: str, now: datetime) -> list[Happened]:
    schedule = load_schedule(deployment.database, schedule_id)
    noted = note_windows(deployment.database, schedule, now)
    begun = begin_due(deployment.database, schedule, now)
    if schedule.fault:
        _note_fault(deployment.database, schedule.id, "")
    return [
        *([Happened(schedule=schedule.id, what="noted", told=", ".join(noted[-20:]))] if noted else ()),
        *([Happened(schedule=schedule.id, what="begun", refresh=begun)] if begun else ()),
    ]


def _gather(deployment: Deployment, refresh: Refresh, now: datetime) -> list[Happened]:
    try:
        moved = gather(deployment, refresh, now)
    except OperationalError:
        # The database is busy or away: the next look tries again.
        raise
    except Exception as error:
        logger.exception("votes could not be gathered")
        return _fail(deployment, refresh, f"{type(error).__name__}: {error}", now)
    # What is written is under way. Should the queue be away, a sweep wakes the thread.
    deployment.queue.advance(_idle_thread(deployment.database, refresh))
    return [Happened(schedule=refresh.schedule, what="gathered", refresh=refresh.id)] if moved else []


def _idle_thread(database: Database, refresh: Refresh) -> list[str]:
    """The refresh's thread, if there is work for it."""
    query = select(ThreadRow.id).where(ThreadRow.id == refresh.thread, ThreadRow.status == "running")
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def _fail(deployment: Deployment, refresh: Refresh, fault: str, now: datetime) -> list[Happened]:
    with deployment.database.write() as connection:
        failed = fail(connection, refresh, refresh.criteria_set, fault, now.timestamp())
    return [Happened(schedule=refresh.schedule, what="failed", refresh=refresh.id, told=fault)] if failed else []


def _wake(deployment: Deployment, refresh: Refresh) -> list[Happened]:
    """Have a refresh go on whose run has ended."""
    waiting = update(ThreadRow).where(ThreadRow.id == refresh.thread, ThreadRow.status == "waiting")
    with deployment.database.write() as connection:
        woken = connection.execute(waiting.values(status="running", attempts=0)).rowcount == 1
    if not woken:
        return []
    deployment.queue.advance([refresh.thread])
    return [Happened(schedule=refresh.schedule, what="woken", refresh=refresh.id)]


def _thread(database: Database, refresh: Refresh) -> ThreadRow:
    with database.read() as connection:
        found = connection.execute(select(ThreadRow.status, ThreadRow.fault).where(ThreadRow.id == refresh.thread))
        row: ThreadRow = found.one()  # type: ignore[assignment]
        return row


def _enabled(database: Database) -> list[str]:
    query = select(ScheduleRow.id).where(ScheduleRow.enabled).order_by(ScheduleRow.id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def _running(database: Database) -> list[tuple[str, str]]:
    """Refreshes that go on, and whose they are; the oldest first."""
    row = RefreshRow
    query = select(row.id, row.schedule).where(row.status == "running").order_by(row.number)
    with database.read() as connection:
        return [(r.id, r.schedule) for r in connection.execute(query)]


def _guarded(database: Database, schedule: str, work: Callable[[], list[Happened]]) -> list[Happened]:
    """Do something for a schedule; whatever goes wrong is written on it and ends here."""
    try:
        return work()
    except Exception as error:
        logger.exception("schedule %s", schedule)
        told = f"{type(error).__name__}: {error}"
        with suppress(OperationalError):
            _note_fault(database, schedule, told)
        return [Happened(schedule=schedule, what="fault", told=told)]


def _note_fault(database: Database, schedule: str, fault: str) -> None:
    with database.write() as connection:
        connection.execute(update(ScheduleRow).where(ScheduleRow.id == schedule).values(fault=fault))
