"""What others are told of a refresh, in the transaction of what happened: whoever asked to be told is told once.

To those who listen, a refresh is a run: it ends with `run.finished` or `run.failed` under its own id.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from services.schedules.refreshes import Refresh, end, move_on
from services.webhooks.outbox import announce


def finish(connection: Connection, refresh: Refresh, name: str, told: str, at: float, **columns: str) -> bool:
    """End a refresh well and tell of it; False if somebody else has moved it on.

    Args:
        connection: a transaction that writes.
        refresh: as it was read; name: of the criteria set.
        told: what came of it.
        at: seconds since the epoch.
        columns: what the last step found.
    """
    if not move_on(connection, refresh, "done", told, **columns):
        return False
    end(connection, refresh, "finished", told, at)
    version = columns.get("new", refresh.new)
    announce(connection, "run.finished", {"run": refresh.id, "name": name, "version": version}, once=refresh.id)
    return True


def fail(connection: Connection, refresh: Refresh, name: str, fault: str, at: float) -> bool:
    """Give a refresh up and tell of it; False if it has ended before."""
    if not end(connection, refresh, "failed", fault, at):
        return False
    announce(connection, "run.failed", {"run": refresh.id, "name": name, "fault": fault})
    return True


def tell_of_drift(connection: Connection, refresh: Refresh, name: str, causes: Sequence[str]) -> None:
    """Tell that drift was found; the report is that of the refresh."""
    data = {
        "schedule": refresh.schedule, "report": refresh.id, "name": name, "version": refresh.old,
        "causes": tuple("criteria" if cause == "fit" else cause for cause in causes),
    }  # fmt: skip
    announce(connection, "drift.found", data, once=refresh.id)


def tell_of_proposal(connection: Connection, refresh: Refresh, name: str, version: str) -> None:
    """Tell that a version waits for a decision."""
    data = {
        "name": name, "version": version, "parent": refresh.old, "run": refresh.mining, "schedule": refresh.schedule,
    }  # fmt: skip
    announce(connection, "set.proposed", data, once=refresh.id)
