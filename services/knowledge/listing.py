"""Entries read back, with what is known of how they did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError, NotThere
from services.database import Database
from services.knowledge.entry import CriterionEvidence, PriorEntry
from services.knowledge.tables import EntryStatus, PriorEvidenceRow, PriorRow

MOST = 1000
"""Items on one page."""

CHUNK = 500


def count_approved(database: Database) -> int:
    """How many entries managers may draw on beside the catalogue; copies among them are drawn on once."""
    query = select(func.count()).select_from(PriorRow).where(PriorRow.status == "approved")
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def list_entries(
    database: Database, status: EntryStatus | None = None, after: str = "", limit: int = 50
) -> tuple[PriorEntry, ...]:
    """Entries that were added, newest first.

    Args:
        database: where.
        status: only those.
        after: digest of the last entry of the page before; empty for the first page.
        limit: at most so many, 1 to 1000.

    Raises:
        NotThere: there is no entry `after`.
        InputError: `limit` is out of range.
    """
    if not 1 <= limit <= MOST:
        raise InputError(f"limit is {limit}; give 1 to {MOST}")
    row = PriorRow
    query = select(row).order_by(row.at.desc(), row.digest.desc()).limit(limit)
    if status is not None:
        query = query.where(row.status == status)
    with database.read() as connection:
        if after:
            at = connection.execute(select(row.at).where(row.digest == after)).scalar()
            if at is None:
                raise NotThere(f"there is no entry {after!r} to go on after; start with the first page")
            query = query.where(or_(row.at < at, and_(row.at == at, row.digest < after)))
        return entries_of(connection, connection.execute(query).all())


def load_entry(database: Database, digest: str) -> PriorEntry:
    """The entry with this digest.

    Raises:
        NotThere: there is none.
    """
    with database.read() as connection:
        found = connection.execute(select(PriorRow).where(PriorRow.digest == digest)).all()
        if not found:
            raise NotThere(f"the knowledge base has no entry {digest!r}; `touchstone knowledge list` shows what it has")
        return entries_of(connection, found)[0]


def entries_of(connection: Connection, rows: Sequence[Any]) -> tuple[PriorEntry, ...]:
    """Rows of `prior_criteria` as entries."""
    known = evidence_of(connection, [row.hash for row in rows])
    return tuple(
        PriorEntry(
            digest=row.digest, criterion=Criterion.model_validate_json(row.body), source=row.source, status=row.status,
            who=row.who, at=row.at, note=row.note, evidence=known.get(row.hash, ()),
        )
        for row in rows
    )  # fmt: skip


def evidence_of(connection: Connection, hashes: Iterable[str]) -> dict[str, tuple[CriterionEvidence, ...]]:
    """What is known of criteria by hash, oldest first; nothing for those of which nothing is."""
    found: dict[str, list[CriterionEvidence]] = {}
    row = PriorEvidenceRow
    for some in chunks(sorted(set(hashes))):
        query = select(row.criterion, row.body).where(row.criterion.in_(some)).order_by(row.at, row.name, row.version)
        for criterion, body in connection.execute(query):
            found.setdefault(criterion, []).append(CriterionEvidence.model_validate_json(body))
    return {criterion: tuple(known) for criterion, known in found.items()}


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values a few hundred at a time, as many as an IN list may hold."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
