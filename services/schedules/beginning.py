"""A refresh begun: for a window that is due, once and by one scheduler, or because a person asks for it.

A schedule has one refresh at a time. A window that comes due meanwhile waits; if another one comes due while it waits,
the later one stands for both, and the earlier one is missed and says so. So at most one window of a schedule waits.
It waits, too, where the daily allowance of the key that made the schedule is used up.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from knowledge_base.errors import AccessDenied, Conflict, InputError
from services.database import Database
from services.payers import check_daily, daily_of
from services.schedules.refreshes import Refresh, load_refresh
from services.schedules.register import Schedule, load_schedule
from services.schedules.tables import RefreshRow, WindowRow

TRIES = 20
"""Times that a number is taken anew where another process took the same one first."""


class _NotFree(Exception):
    """The window was taken, or the schedule has a refresh already."""


def begin_due(database: Database, schedule: Schedule, now: datetime) -> str:
    """Begin the latest window that waits, unless a refresh of the schedule goes on; returns its id, or nothing."""
    waiting = _waiting(database, schedule.id)
    if len(waiting) > 1:
        _coalesce(database, schedule.id, waiting, now.timestamp())
    if not waiting or occupied(database, schedule.id) or _denied(database, schedule, waiting[-1]):
        return ""
    refresh = f"{schedule.id}-{waiting[-1]}"
    try:
        with database.write() as connection:
            _take_window(connection, schedule.id, waiting[-1], refresh, now.timestamp())
            _insert(connection, schedule, refresh, now.timestamp(), window=waiting[-1], payer=schedule.key)
    except (_NotFree, IntegrityError):
        return ""
    return refresh


def refresh_now(
    database: Database, schedule: str, who: str, now: datetime, *, forced: bool = True, key: str = "", payer: str = ""
) -> Refresh:
    """Begin a refresh outside any window.

    Args:
        database: where.
        schedule: id; it need not be enabled.
        who: asks for it, by name.
        now: the time.
        forced: go on however few new votes there are.
        key: the same key of the same schedule gives the same refresh again, however often it is asked for.
        payer: the API key that it is charged to.

    Raises:
        NotThere: there is no such schedule.
        Conflict: a refresh of it goes on.
        InputError: the key is too long.
    """
    if len(key) > 40:
        raise InputError(f"key is {key!r}; use at most 40 characters")
    found = load_schedule(database, schedule)
    refresh = _by_hand(schedule, key or secrets.token_hex(6))
    for _ in range(TRIES):
        try:
            with database.write() as connection:
                _insert(connection, found, refresh, now.timestamp(), begun_by=who, forced=forced, payer=payer)
            break
        except IntegrityError:
            other = occupied(database, schedule)
            if _exists(database, refresh):
                break
            if other:
                raise Conflict(f"refresh {other} of {found.name!r} goes on; wait for it, or cancel it") from None
    return load_refresh(database, refresh)


def begun_before(database: Database, schedule: str, key: str) -> Refresh | None:
    """The refresh that `refresh_now` began for this key; None without a key, or if there is none."""
    refresh = _by_hand(schedule, key)
    return load_refresh(database, refresh) if key and _exists(database, refresh) else None


def occupied(database: Database, schedule: str) -> str:
    """The refresh of a schedule that goes on; empty if none does."""
    with database.read() as connection:
        found = connection.execute(select(RefreshRow.id).where(RefreshRow.occupies == schedule)).scalar()
    return found or ""


def _by_hand(schedule: str, key: str) -> str:
    return f"{schedule}-by-hand-{key}"


def _denied(database: Database, schedule: Schedule, window: str) -> bool:
    """Whether a window has to wait for another day, which is then written on it."""
    try:
        check_daily(database, schedule.key, daily_of(database, schedule.key))
    except AccessDenied as denied:
        due = (WindowRow.schedule == schedule.id, WindowRow.window == window, WindowRow.status == "due")
        with database.write() as connection:
            connection.execute(update(WindowRow).where(*due).values(why=f"it waits: {denied}"))
        return True
    return False


def _waiting(database: Database, schedule: str) -> list[str]:
    query = select(WindowRow.window).where(WindowRow.schedule == schedule, WindowRow.status == "due")
    with database.read() as connection:
        return list(connection.execute(query.order_by(WindowRow.window)).scalars())


def _coalesce(database: Database, schedule: str, waiting: list[str], at: float) -> None:
    why = f"it waited for a refresh that was under way until window {waiting[-1]} came, which stands for both"
    early = (WindowRow.schedule == schedule, WindowRow.status == "due", WindowRow.window < waiting[-1])
    with database.write() as connection:
        connection.execute(update(WindowRow).where(*early).values(status="missed", why=why, ended_at=at))


def _take_window(connection: Connection, schedule: str, window: str, refresh: str, at: float) -> None:
    due = (WindowRow.schedule == schedule, WindowRow.window == window, WindowRow.status == "due")
    taken = update(WindowRow).where(*due).values(status="running", why="", refresh=refresh, begun_at=at)
    if connection.execute(taken).rowcount != 1:
        raise _NotFree


def _insert(
    connection: Connection,
    schedule: Schedule,
    refresh: str,
    at: float,
    *,
    window: str = "",
    begun_by: str = "",
    forced: bool = False,
    payer: str = "",
) -> None:
    number = connection.execute(select(func.coalesce(func.max(RefreshRow.number), 0))).scalar_one() + 1
    row = {
        "id": refresh, "schedule": schedule.id, "window": window, "occupies": schedule.id, "number": number,
        "terms": schedule.terms.model_dump_json(), "source": schedule.dataset, "criteria_set": schedule.criteria_set,
        "forced": forced, "begun_by": begun_by, "key": payer, "created_at": at,
    }  # fmt: skip
    connection.execute(insert(RefreshRow).values(**row))


def _exists(database: Database, refresh: str) -> bool:
    with database.read() as connection:
        return connection.execute(select(RefreshRow.id).where(RefreshRow.id == refresh)).first() is not None
