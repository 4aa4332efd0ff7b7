"""A budget kept by several processes at once: what each has set aside stands in the database beside what was spent.

Whoever sets aside does so in one transaction that holds the run's sums, so that what is spent and set aside never
exceeds the budget. A process that dies leaves what it set aside: it may have spent it, and nobody knows. Until its time
is over it counts as spent, then it is free again. So no recorded sum ever exceeds the budget, and no part of it is lost
for good; what an endpoint answered to a process that was killed before it could write that down (at most what that
process had set aside) comes on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from services.budget import NOTHING, WORKS, Amount, Budget, Work, refusal, room, share_out
from services.database import Database, insert_new, upsert
from services.tables import CallRow, ReservationRow, SpendingRow


@dataclass(frozen=True)
class Claim:
    """What a process tells the database, and asks of it, in one go.

    Attributes:
        run, work, holder: who; `holder` is unique to the process and moment.
        rows: calls to record, as columns of `CallRow`; taken: their sum.
        stays: what it keeps set aside from before.
        needs: of calls that wait to be made, first come first.
        until: when what is set aside becomes free again, in seconds since the epoch; now: the time at present.
    """

    run: str
    work: Work
    holder: str
    rows: list[dict[str, Any]]
    taken: Amount
    stays: Amount
    needs: Sequence[Amount]
    now: float
    until: float


@dataclass(frozen=True)
class Decision:
    """What became of a claim.

    Attributes:
        met: how many of its needs may be made, from the first on.
        granted: set aside for them, and to spare.
        refused: why the first need that was not met never will be; empty if it may be once others have settled.
    """

    met: int = 0
    granted: Amount = NOTHING
    refused: str = ""


def open_account(database: Database, run: str) -> None:
    """Make room for a run's sums."""
    with database.write(alone=False) as connection:
        insert_new(connection, SpendingRow, [{"run": run, "work": work, **_columns(NOTHING)} for work in WORKS])


def settle(database: Database, claim: Claim, budget: Budget) -> Decision:
    """Record a claim's calls, and decide on its needs."""
    with database.write(alone=False) as connection:
        # Taken first, as a lock: on a server, transactions of other processes wait here for this one to end.
        spent = spending(connection, claim.run, lock=budget.limited)
        _record(connection, claim)
        if not budget.limited:
            return Decision()
        spent[claim.work] += claim.taken
        return _decide(connection, claim, budget, spent)


def spending(connection: Connection, run: str, lock: bool = False) -> dict[Work, Amount]:
    """What each kind of work of a run has spent."""
    row = SpendingRow
    query = select(row.work, row.calls, row.tokens, row.money).where(row.run == run).order_by(row.work)
    found = connection.execute(query.with_for_update() if lock else query)
    return dict.fromkeys(WORKS, NOTHING) | {r.work: Amount(r.calls, r.tokens, r.money) for r in found}


def _record(connection: Connection, claim: Claim) -> None:
    if not claim.rows:
        return
    row, taken = SpendingRow, claim.taken
    connection.execute(insert(CallRow), claim.rows)
    more = {"calls": row.calls + taken.calls, "tokens": row.tokens + taken.tokens, "money": row.money + taken.money}
    connection.execute(update(row).where(row.run == claim.run, row.work == claim.work).values(**more))


def _decide(connection: Connection, claim: Claim, budget: Budget, spent: Mapping[Work, Amount]) -> Decision:
    held = _held_by_others(connection, claim)
    taken = {work: spent[work] + held[work] + (claim.stays if work == claim.work else NOTHING) for work in WORKS}
    met, granted = share_out(claim.needs, room(budget, claim.work, taken))
    decision = Decision(met, granted)
    if met < len(claim.needs) and not claim.needs[met].fits(room(budget, claim.work, spent)):
        decision = replace(decision, refused=refusal(budget, claim.work, spent, claim.needs[met]))
    _keep(connection, claim, claim.stays + granted)
    return decision


def _held_by_others(connection: Connection, claim: Claim) -> dict[Work, Amount]:
    row = ReservationRow
    connection.execute(delete(row).where(row.run == claim.run, row.until < claim.now))
    sums = (func.sum(row.calls), func.sum(row.tokens), func.sum(row.money))
    query = select(row.work, *sums).where(row.run == claim.run, row.holder != claim.holder).group_by(row.work)
    found = connection.execute(query)
    return dict.fromkeys(WORKS, NOTHING) | {r.work: Amount(*map(int, r[1:])) for r in found}


def _keep(connection: Connection, claim: Claim, amount: Amount) -> None:
    if amount == NOTHING:
        mine = (ReservationRow.run == claim.run, ReservationRow.holder == claim.holder)
        connection.execute(delete(ReservationRow).where(*mine))
        return
    columns = {"work": claim.work, **_columns(amount), "until": claim.until}
    upsert(connection, ReservationRow, [{"run": claim.run, "holder": claim.holder, **columns}])


def _columns(amount: Amount) -> dict[str, int]:
    return {"calls": amount.calls, "tokens": amount.tokens, "money": amount.money}
