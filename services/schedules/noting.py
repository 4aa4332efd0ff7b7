"""Windows noted as they come due, each exactly once, whoever looks and whatever the clock does.

- One window is due since the last look: it waits for a refresh to begin.
- Several are (nobody looked, or the clock was put forward): the latest waits, the others are missed, and say so.
- The clock was put back: windows that were noted stay noted. One that was called missed only because the clock was
  ahead of it, and for which nothing was ever begun, waits after all once the clock comes to it again.

The key of a window's row makes a second one impossible, and nothing here depends on who wrote a row.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, update

from services.database import Database, insert_new
from services.schedules.register import Schedule, utc
from services.schedules.tables import ScheduleRow, WindowRow
from services.schedules.windows import window_id

MOST_AT_ONCE = 500
"""Missed windows noted in one look: after a long sleep they are noted over several."""

PUT_BACK = 600.0
"""Seconds that a clock must be behind the last look to count as put back; below, clocks of two hosts just differ."""


def note_windows(database: Database, schedule: Schedule, now: datetime) -> list[str]:
    """Note what has come due since the last look; returns the names of the windows noted in this look, ascending."""
    at, cursor = now.timestamp(), utc(schedule.cursor)
    if at < schedule.cursor:
        _put_back(database, schedule, at)
        return []
    latest = schedule.timetable.latest(now)
    if latest is None or latest <= cursor:
        return []
    missed = [w for w in islice(schedule.timetable.between(cursor, latest), MOST_AT_ONCE) if w < latest]
    all_noted = len(missed) < MOST_AT_ONCE
    with database.write() as connection:
        if not _move_cursor(connection, schedule, at if all_noted else missed[-1].timestamp()):
            return []
        _wait_for(connection, schedule.id, window_id(latest), at)
        _miss(connection, schedule.id, [window_id(w) for w in missed], window_id(latest), at)
    return [window_id(w) for w in [*missed, latest]]


def _put_back(database: Database, schedule: Schedule, at: float) -> None:
    if schedule.cursor - at > PUT_BACK:
        with database.write() as connection:
            _move_cursor(connection, schedule, at)


def _move_cursor(connection: Connection, schedule: Schedule, at: float) -> bool:
    """Move a schedule's cursor; False if another scheduler, or a change of the schedule, has moved it meanwhile."""
    same = (ScheduleRow.id == schedule.id, ScheduleRow.cursor == schedule.cursor, ScheduleRow.enabled)
    return connection.execute(update(ScheduleRow).where(*same).values(cursor=at)).rowcount == 1


def _wait_for(connection: Connection, schedule: str, window: str, at: float) -> None:
    row = {"schedule": schedule, "window": window, "status": "due", "noted_at": at}
    insert_new(connection, WindowRow, [row])
    called_missed = (WindowRow.schedule == schedule, WindowRow.window == window, WindowRow.status == "missed")
    connection.execute(update(WindowRow).where(*called_missed).values(status="due", why="", ended_at=0.0))


def _miss(connection: Connection, schedule: str, windows: list[str], latest: str, at: float) -> None:
    why = f"nobody looked while it was due; window {latest} stands for it"
    rows = [
        {"schedule": schedule, "window": w, "status": "missed", "why": why, "noted_at": at, "ended_at": at}
        for w in windows
    ]
    insert_new(connection, WindowRow, rows)
