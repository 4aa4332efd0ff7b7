"""What people decide about entries: a record that only grows, and the status that it leads to.

    proposed -> approved -> withdrawn -> approved ...        proposed -> withdrawn

Whoever decides has looked at the entry. If somebody else decides in the meantime the second decision is refused,
never quietly put on top: both would otherwise believe that theirs stands.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from knowledge_base.errors import Conflict, InputError, NotThere
from services.database import Database
from services.knowledge.entry import EntryDecision, PriorEntry
from services.knowledge.listing import entries_of, load_entry
from services.knowledge.remark import Remark
from services.knowledge.tables import EntryStatus, PriorDecisionRow, PriorRow

Wish = Literal["approve", "withdraw"]
LEADS_TO: dict[Wish, EntryStatus] = {"approve": "approved", "withdraw": "withdrawn"}
SHORTEST = 6
"""Digits of a digest or hash by which an entry may be named."""


def approve(database: Database, entry: str, who: str, note: str = "") -> EntryDecision:
    """Let managers draw on an entry.

    Args:
        database: where.
        entry: its digest.
        who, note: for the record.

    Raises:
        NotThere: there is no such entry.
        Conflict: it is approved already, somebody decided at the same moment, or its content stands in another entry.
        InputError: `who` or `note` cannot be put on record.
    """
    return _decide(database, entry, "approve", Remark(who, note))


def withdraw(database: Database, entry: str, who: str, note: str = "") -> EntryDecision:
    """Let no new run draw on an entry; runs that began with it keep it. Takes and raises as `approve`."""
    return _decide(database, entry, "withdraw", Remark(who, note))


def history(database: Database, entry: str) -> tuple[EntryDecision, ...]:
    """All decisions about an entry, oldest first."""
    row = PriorDecisionRow
    query = select(row).where(row.entry == entry).order_by(row.number)
    with database.read() as connection:
        found = connection.execute(query).all()
    return tuple(
        EntryDecision(entry=r.entry, number=r.number, decision=r.decision, note=r.note, who=r.who, at=r.at)
        for r in found
    )


def find_entry(database: Database, given: str) -> PriorEntry:
    """The entry that a person means by a digest or hash, by the first 6 or more of its digits, or by its name.

    Raises:
        NotThere: there is none.
        InputError: there are several.
    """
    row = PriorRow
    digits = len(given) >= SHORTEST and set(given) <= set("0123456789abcdef")
    with database.read() as connection:
        if digits:
            begins = or_(row.digest.startswith(given), row.hash.startswith(given))
            found = entries_of(connection, connection.execute(select(row).where(begins).limit(3)).all())
        else:
            everything = entries_of(connection, connection.execute(select(row)).all())
            found = tuple(e for e in everything if e.criterion.name.casefold() == given.strip().casefold())
    if len(found) > 1:
        among = ", ".join(f"{e.digest[:12]} ({e.status})" for e in found)
        raise InputError(f"{given!r} names several entries: {among}; give more digits of one")
    if not found:
        remedy = "`touchstone knowledge list` shows what can be decided about"
        raise NotThere(f"no entry of the knowledge base is named {given!r}; {remedy}")
    return found[0]


def record_decision(connection: Connection, entry: str, number: int, wish: Wish, remark: Remark) -> EntryDecision:
    """Put a decision on record and set the status that it leads to, in the caller's transaction.

    Raises:
        sqlalchemy.exc.IntegrityError: somebody put a decision of this number on record, or the content stands in
            another entry that is not withdrawn.
    """
    row = {
        "entry": entry, "number": number, "decision": wish, "note": remark.note, "who": remark.who, "at": time.time(),
    }  # fmt: skip
    connection.execute(insert(PriorDecisionRow).values(row))
    live: Any = PriorRow.hash if wish == "approve" else None
    mine = update(PriorRow).where(PriorRow.digest == entry)
    connection.execute(mine.values(status=LEADS_TO[wish], live=live))
    return EntryDecision.model_validate(row)


def decisions_so_far(connection: Connection, entry: str) -> int:
    """How many decisions about an entry are on record."""
    query = select(func.count()).select_from(PriorDecisionRow).where(PriorDecisionRow.entry == entry)
    return int(connection.execute(query).scalar_one())


def _decide(database: Database, entry: str, wish: Wish, remark: Remark) -> EntryDecision:
    # Read apart from the write, on purpose: what is decided meanwhile takes this number and refuses this decision.
    found = load_entry(database, entry)
    with database.read() as connection:
        number = decisions_so_far(connection, entry) + 1
    if found.status == LEADS_TO[wish]:
        raise Conflict(f"{found.criterion.name!r} is {found.status} already; there is nothing to decide")
    try:
        with database.write() as connection:
            return record_decision(connection, entry, number, wish, remark)
    except IntegrityError:
        remedy = "look at it and its like again, and decide anew if you still want to"
        raise Conflict(
            f"{found.criterion.name!r} cannot be {LEADS_TO[wish]} now: somebody decided about it at the same moment, "
            f"or another entry holds the same content; {remedy}"
        ) from None
