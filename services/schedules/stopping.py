"""Refreshes stopped and taken up again by people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from knowledge_base.errors import Conflict
from services.deployment import Deployment
from services.halting import going_on, halt, take_up
from services.orders.tables import OrderRow
from services.schedules.beginning import occupied
from services.schedules.refreshes import Refresh, end, load_refresh
from services.schedules.tables import RefreshRow, WindowRow


def cancel_refresh(deployment: Deployment, refresh: str, who: str, now: datetime) -> Refresh:
    """Stop a refresh; what was judged stays, and what it found of drift so far does, too. A stopped one stays so.

    Raises:
        NotThere: there is no such refresh.
        Conflict: it has ended otherwise.
    """
    database = deployment.database
    found = load_refresh(database, refresh)
    told = f"cancelled by {who}"
    with database.write() as connection:
        if end(connection, found, "cancelled", told, now.timestamp()):
            halt(connection, [refresh, *_own_mining(connection, found)], told)
    found = load_refresh(database, refresh)
    if found.status != "cancelled":
        raise Conflict(f"refresh {refresh} has {found.status}; only one that runs can be cancelled")
    return found


def resume_refresh(deployment: Deployment, refresh: str, now: datetime) -> Refresh:
    """Take up a refresh that failed or was cancelled, at the step where it stood; nothing is asked or paid twice.

    Raises:
        NotThere: there is no such refresh.
        Conflict: it ended well, or another refresh of the schedule goes on.
    """
    database = deployment.database
    found = load_refresh(database, refresh)
    if found.status in ("finished", "skipped"):
        raise Conflict(f"refresh {refresh} has {found.status}; begin another one")
    try:
        with database.write() as connection:
            if _reopen(connection, found, now.timestamp()):
                take_up(connection, [refresh, *([found.mining] if found.mining else ())])
    except IntegrityError:
        other = occupied(database, found.schedule)
        raise Conflict(f"refresh {other} of the same schedule goes on; wait for it, or cancel it") from None
    deployment.queue.advance(going_on(database, [refresh, found.mining]))
    return load_refresh(database, refresh)


def _own_mining(connection: Connection, refresh: Refresh) -> list[str]:
    """The run that mines for a refresh, unless somebody else waits for the very same run."""
    row, run = RefreshRow, refresh.mining
    shared = or_(
        exists().where(row.mining == run, row.status == "running", row.id != refresh.id),
        exists().where(OrderRow.run == run),
    )
    return [run] if run and not connection.execute(select(shared)).scalar_one() else []


def _reopen(connection: Connection, refresh: Refresh, at: float) -> bool:
    row = RefreshRow
    ended = update(row).where(row.id == refresh.id, row.status.in_(["failed", "cancelled"]))
    opened = ended.values(status="running", occupies=refresh.schedule, fault="", ended_at=0.0)
    if connection.execute(opened).rowcount != 1:
        return False
    window = (WindowRow.schedule == refresh.schedule, WindowRow.refresh == refresh.id)
    connection.execute(update(WindowRow).where(*window).values(status="running", why="", begun_at=at, ended_at=0.0))
    return True
