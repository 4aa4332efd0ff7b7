"""What people decided about the versions of a line, and the status that follows from it.

    proposed   -> approve -> approved       proposed   -> reject -> rejected
    rejected   -> approve -> approved       superseded -> reject -> rejected
    superseded -> approve -> approved       approved   -> reject -> rejected

A version is `proposed` until somebody decides. Approving one makes the version of the line that was approved before
`superseded`; approving that again rolls back. Rejecting the approved version takes the approval back, and the line then
has none. Nothing else changes a status, and the record of decisions, in the order of their numbers, is all that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from services.criteria_sets.tables import SetDecisionRow
from services.database import Database

SetStatus = Literal["proposed", "approved", "rejected", "superseded"]
Wish = Literal["approve", "reject"]

ALLOWED: dict[SetStatus, tuple[Wish, ...]] = {
    "proposed": ("approve", "reject"),
    "rejected": ("approve",),
    "superseded": ("approve", "reject"),
    "approved": ("reject",),
}


class Decision(BaseModel):
    """One decision on record.

    Attributes:
        name, version: about which version of which line; number: from 1, over the whole line.
        decision, note, who: what was decided, why, and by whom; at: seconds since the epoch.
        superseded: the version whose approval ended with it; empty if none did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    number: int
    version: str
    decision: Wish
    note: str
    who: str
    at: float
    superseded: str = ""


def decisions_of(database: Database, name: str) -> tuple[Decision, ...]:
    """All decisions about a line, oldest first."""
    with database.read() as connection:
        return read_decisions(connection, [name]).get(name, ())


def read_decisions(connection: Connection, names: Iterable[str]) -> dict[str, tuple[Decision, ...]]:
    """Decisions by line, oldest first; nothing for lines about which nobody has decided."""
    row, found = SetDecisionRow, dict[str, list[Decision]]()
    query = select(row).where(row.name.in_(sorted(set(names)))).order_by(row.name, row.number)
    for r in connection.execute(query):
        line = found.setdefault(r.name, [])
        before = approved_in(line)
        ended = before if r.decision == "approve" and before != r.version else ""
        line.append(
            Decision(
                name=r.name, number=r.number, version=r.version, decision=r.decision, note=r.note, who=r.who, at=r.at,
                superseded=ended,
            )
        )  # fmt: skip
    return {name: tuple(line) for name, line in found.items()}


def statuses(decisions: Sequence[Decision]) -> dict[str, SetStatus]:
    """Status by version, of those that anybody has decided about; the others are `proposed`."""
    found: dict[str, SetStatus] = {}
    for each in decisions:
        if each.decision == "approve":
            found = {v: "superseded" if status == "approved" else status for v, status in found.items()}
        found[each.version] = "approved" if each.decision == "approve" else "rejected"
    return found


def approved_in(decisions: Sequence[Decision]) -> str:
    """The approved version of a line; empty if there is none."""
    approved = ""
    for each in decisions:
        if each.decision == "approve":
            approved = each.version
        elif each.version == approved:
            approved = ""
    return approved


def status_of(decisions: Sequence[Decision], version: str) -> SetStatus:
    """Status of a version, from the decisions about its line."""
    return statuses(decisions).get(version, "proposed")
