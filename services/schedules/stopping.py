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
from services.schedules.groundwork import Groundwork
from services.schedules.past import overtaken_by
from services.schedules.refreshes import Refresh, end, load_refresh
from services.schedules.tables import RefreshRow, WindowRow
from services.tables import ThreadRow


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
            halt(connection, [refresh, *own_mining(connection, found.id, found.mining)], told)
    found = load_refresh(database, refresh)
    if found.status != "cancelled":
        raise Conflict(f"refresh {refresh} has {found.status}; only one that runs can be cancelled")
    return found


def resume_refresh(deployment: Deployment, refresh: str, now: datetime) -> Refresh:
    """Take up a refresh that failed or was cancelled, at the step where it stood; nothing is asked or paid twice.

    Raises:
        NotThere: there is no such refresh.
        Conflict: it ended well, another refresh of the schedule goes on, or a later one has examined what it gathered.
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


def own_mining(connection: Connection, refresh: str, run: str) -> list[str]:
    """The run that mines for a refresh, unless somebody else waits for the very same run."""
    row = RefreshRow
    shared = or_(
        exists().where(row.mining == run, row.status == "running", row.id != refresh),
        exists().where(OrderRow.run == run),
    )
    return [run] if run and not connection.execute(select(shared)).scalar_one() else []


def _reopen(connection: Connection, refresh: Refresh, at: float) -> bool:
    row = RefreshRow
    ended = update(row).where(row.id == refresh.id, row.status.in_(["failed", "cancelled"]))
    opened = ended.values(status="running", occupies=refresh.schedule, fault="", ended_at=0.0)
    if connection.execute(opened).rowcount != 1:
        return False
    _demand_unseen(connection, refresh)
    # A worker may have been amid a step as it was stopped, and have left the thread in another state than failed.
    asleep = update(ThreadRow).where(ThreadRow.id == refresh.thread, ThreadRow.status != "waiting")
    connection.execute(asleep.values(status="running", attempts=0, fault=""))
    window = (WindowRow.schedule == refresh.schedule, WindowRow.refresh == refresh.id)
    connection.execute(update(WindowRow).where(*window).values(status="running", why="", begun_at=at, ended_at=0.0))
    return True


def _demand_unseen(connection: Connection, refresh: Refresh) -> None:
    """What a refresh gathered and did not examine yet may have been examined meanwhile, and counts once."""
    query = select(RefreshRow.step, RefreshRow.plan).where(RefreshRow.id == refresh.id)
    step, plan = connection.execute(query).one()
    if step not in ("judge", "examine"):
        return
    since = Groundwork.model_validate_json(plan).since
    if later := overtaken_by(connection, refresh.schedule, refresh.old, since):
        raise Conflict(f"refresh {later} has examined the votes that {refresh.id} gathered; begin another one")
