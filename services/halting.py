"""Runs stopped before their end, and taken up again where they stood."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from services.batches import awaited
from services.database import Database
from services.tables import JudgmentRow, ThreadRow, WantRow


def halt(connection: Connection, runs: Sequence[str], why: str) -> int:
    """Have the running threads of these runs go no further; returns how many there were.

    What only they wait for is taken out of its batches: a job that comes for it finds nothing to do. What a thread
    works out to ask after this is not handed out (`services.batches.hand_out`). What was judged stays.
    """
    running = update(ThreadRow).where(ThreadRow.run.in_(runs), ThreadRow.status == "running")
    stopped = connection.execute(running.values(status="failed", fault=why)).rowcount
    if stopped:
        _take_back(connection, runs)
    return stopped


def take_up(connection: Connection, runs: Sequence[str]) -> None:
    """Let the failed threads of these runs go on; `going_on` are then to be advanced."""
    failed = update(ThreadRow).where(ThreadRow.run.in_(runs), ThreadRow.status == "failed")
    connection.execute(failed.values(status="running", attempts=0, fault=""))


def going_on(database: Database, runs: Sequence[str]) -> list[str]:
    """Ids of the running threads of these runs."""
    query = select(ThreadRow.id).where(ThreadRow.run.in_(runs), ThreadRow.status == "running").order_by(ThreadRow.id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def _take_back(connection: Connection, runs: Sequence[str]) -> None:
    threads = select(ThreadRow.id).where(ThreadRow.run.in_(runs))
    mine = select(WantRow.key).where(WantRow.thread.in_(threads), WantRow.void == "")
    waiting = update(JudgmentRow).where(JudgmentRow.status == "missing", JudgmentRow.key.in_(mine), ~awaited())
    connection.execute(waiting.values(batch="", attempts=0))
