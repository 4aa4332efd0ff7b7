"""The steps of a refresh that workers do, one short job at a time; each may be killed at any moment and done again.

    gather (by the scheduler) -> judge -> examine -> mine -> propose -> (approve) -> done

A step that has to wait gives its worker back: for judgments, as any thread does, woken by whoever writes the last one;
for the mining of the new version, with its thread put to sleep (`waiting`) until the scheduler sees the run ended.
What a step found is written in the same transaction in which the refresh moves on, so a step done twice counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import update

from services.batches import hand_out
from services.database import Database
from services.deployment import Deployment
from services.halting import halt
from services.lease import Lease
from services.schedules.anchors import pin_standing
from services.schedules.examining import examine_set
from services.schedules.mining import advance_mining
from services.schedules.proposing import approve, propose
from services.schedules.refreshes import Refresh, load_refresh, move_on
from services.schedules.tables import RefreshRow
from services.schedules.work import Pause, Work
from services.sql_ledger import SqlLedger

if TYPE_CHECKING:
    from services.schedules.refreshes import Step


def proceed(deployment: Deployment, lease: Lease) -> bool:
    """Take a refresh as far as it gets, and give its thread's lease back; returns whether it waits for judgments."""
    while True:
        refresh = load_refresh(deployment.database, lease.thread.removesuffix("-refresh"))
        if refresh.status in ("finished", "skipped"):
            lease.release(attempts=0, fault="", status="finished", stage="finished")
            return False
        if refresh.status != "running":
            if not _stopped(deployment.database, refresh):
                continue
            lease.release(attempts=0)
            return False
        pause = STEPS[refresh.step](Work(deployment, refresh))
        if pause == "judgments":
            return _wait_for_judgments(deployment, lease)
        if pause == "mining":
            lease.release(attempts=0, fault="", status="waiting")
            return False
        lease.progressed()


def judge(work: Work) -> Pause:
    """Want what the approved set says of pairs it has not voted on, and what it says of anchors when asked again."""
    ledger = SqlLedger(work.database, work.refresh.id, work.refresh.thread)
    if not work.wanted:
        pin_standing(work)
        ledger.remember(work.criteria)
        ledger.want(work.asks.all)
    if ledger.missing():
        return "judgments"
    with work.database.write() as connection:
        move_on(connection, work.refresh, "examine", _told(work, ledger.spent()))
    return "none"


def _stopped(database: Database, refresh: Refresh) -> bool:
    """Whether a refresh was cancelled or has failed; its thread then stands still as well, until it is taken up again.

    Taking up writes the refresh first, too: of the two, the later one sees what the earlier one wrote.
    """
    row = RefreshRow
    still = update(row).where(row.id == refresh.id, row.status.in_(["failed", "cancelled"])).values(status=row.status)
    with database.write() as connection:
        stopped = connection.execute(still).rowcount == 1
        if stopped:
            halt(connection, [refresh.id], refresh.fault)
    return stopped


def _told(work: Work, spent: bool) -> str:
    silent = len(work.old.members) - len(work.criteria)
    return (
        f"{len(work.asks.all)} judgments wanted by {len(work.criteria)} criteria"
        + (f"; {silent} more are left out, for these workers cannot judge by them" if silent else "")
        + ("; the budget was used up before all came" if spent else "")
    )


def _wait_for_judgments(deployment: Deployment, lease: Lease) -> bool:
    new_batch, parts = deployment.queue.new_batch, deployment.parts
    batches = hand_out(deployment.database, lease.thread, deployment.batch_size, new_batch, parts)
    deployment.turns.offer(lease.thread.removesuffix("-refresh"), lease.thread, batches)
    lease.release(attempts=0, fault="")
    return True


STEPS: dict[Step, Callable[[Work], Pause]] = {
    "judge": judge, "examine": examine_set, "mine": advance_mining, "propose": propose, "approve": approve,
}  # fmt: skip
