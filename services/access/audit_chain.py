"""Whether the record of actions is whole: nothing changed, taken out, put in, or cut off at its end.

Whoever may write to the database can also compute the hashes anew. Against that helps only a head that was noted
elsewhere, in a log or a ticket: give it to `verify_actions`, and it tells whether the record still runs through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, select

from services.access.audit import HEAD, chained
from services.access.tables import ActionHeadRow, ActionRow
from services.database import Database

BATCH = 1000


class ChainHead(BaseModel):
    """Where the record ends: number and hash of its last action; 0 and empty where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = 0
    chain: str = ""


class ChainReport(BaseModel):
    """What a look through the record found.

    Attributes:
        checked: actions that fit.
        head: the last of them.
        broken_at: number of the first action that does not fit or is not there; None if the record is whole.
        fault: what is wrong there, in words; empty if nothing is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checked: int
    head: ChainHead
    broken_at: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken_at is None


def verify_actions(database: Database, noted: ChainHead | None = None) -> ChainReport:
    """Look through the whole record.

    Args:
        noted: a head of an earlier report, kept where nobody who can write to the database can.
    """
    last, fault = ChainHead(), ""
    with database.read() as connection:
        query = select(ActionHeadRow.number, ActionHeadRow.chain).where(ActionHeadRow.id == HEAD)
        end = connection.execute(query).one_or_none()
        columns: list[Any] = list(ActionRow.__table__.columns)
        every = select(*columns).order_by(ActionRow.number).execution_options(yield_per=BATCH)
        with connection.execute(every) as rows:
            last, fault = _follow(rows, noted)
    if not fault and end is not None and (end.number, end.chain) != (last.number, last.chain):
        fault = f"the record ends at {last.number}, but {end.number} actions were recorded"
    if not fault and noted is not None and noted.number > last.number:
        fault = f"the record ends at {last.number}, before the action {noted.number} that was noted"
    return ChainReport(checked=last.number, head=last, broken_at=last.number + 1 if fault else None, fault=fault)


def _follow(rows: Iterable[Row[Any]], noted: ChainHead | None) -> tuple[ChainHead, str]:
    """The last action up to which all fits, and what is wrong with the next."""
    last = ChainHead()
    for row in rows:
        expected = last.number + 1
        if row.number != expected:
            return last, f"action {expected} is not there; the next is {row.number}"
        if row.chain != chained(last.chain, dict(row._mapping)):
            return last, f"action {expected} does not fit its hash: it, or one before it, was changed"
        if noted is not None and row.number == noted.number and row.chain != noted.chain:
            return last, f"action {expected} is another than the one that was noted"
        last = ChainHead(number=row.number, chain=row.chain)
    return last, ""
