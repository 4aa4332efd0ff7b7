"""Adding a criterion to the knowledge base: as a proposal, checked, and told what it resembles."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.exc import IntegrityError

from knowledge_base.criterion import Criterion
from knowledge_base.entries import load_catalogue
from knowledge_base.errors import Conflict, NotThere
from services.database import Database
from services.knowledge.entry import PriorEntry, Value
from services.knowledge.holdings import knowledge
from services.knowledge.listing import entries_of, list_entries, load_entry
from services.knowledge.remark import Remark
from services.knowledge.tables import PriorRow, Source
from services.knowledge.validation import check_criterion

SHOWN = 5
"""Likenesses that are told, the closest first."""


class Alike(Value):
    """A criterion that means the same by its words: cosine (at most 1) at or above `SAME_MEANING`."""

    name: str
    hash: str
    similarity: float


class Added(Value):
    """What was added, and what of the knowledge base (or waiting to enter it) means the same."""

    entry: PriorEntry
    alike: tuple[Alike, ...]


def add(database: Database, home: Path, criterion: Criterion, who: str, note: str = "") -> Added:
    """Propose a criterion. Managers draw on it only once somebody approves it.

    Args:
        database: where.
        home: folder in which the index is kept (`Settings.home`).
        criterion: with its provenance.
        who, note: for the record.

    Raises:
        InputError: the criterion cannot be stored or judged by; every fault is told.
        Conflict: the same content is there already.
    """
    check_criterion(criterion)
    # Read anew: a copy with other content may still carry the hash that was computed for the original.
    criterion = Criterion.model_validate_json(criterion.model_dump_json())
    remark = Remark(who, note)
    if any(known.hash == criterion.hash for known in load_catalogue()):
        raise Conflict(f"{criterion.name!r} stands in the catalogue, word for word; there is no need to add it")
    alike = likenesses(database, home, criterion)
    row = row_of(criterion, "person", remark)
    try:
        with database.write() as connection:
            connection.execute(insert(PriorRow).values(row))
    except IntegrityError:
        raise Conflict(_told(database, criterion)) from None
    return Added(entry=load_entry(database, digest_of(criterion)), alike=alike)


def added_by(database: Database, home: Path, criterion: Criterion, who: str) -> Added | None:
    """What `add` gave when `who` added this criterion; None if somebody else did, or nobody."""
    criterion = Criterion.model_validate_json(criterion.model_dump_json())
    try:
        entry = load_entry(database, digest_of(criterion))
    except NotThere:
        return None
    return Added(entry=entry, alike=likenesses(database, home, criterion)) if entry.who == who else None


def likenesses(database: Database, home: Path, criterion: Criterion) -> tuple[Alike, ...]:
    """What means the same, among what managers draw on and what waits to be approved; the closest first."""
    from knowledge_base.embedding import embed
    from knowledge_base.retrieval import SAME_MEANING

    waiting = [e.criterion for e in list_entries(database, "proposed", limit=1000)]
    query = embed([criterion.words])[0]
    near = [(hit.criterion, hit.similarity) for hit in knowledge(database, home).search(query, SHOWN)]
    if waiting:
        near += zip(waiting, map(float, embed([c.words for c in waiting]) @ query), strict=True)
    alike = [(c, s) for c, s in near if s >= SAME_MEANING and c.hash != criterion.hash]
    alike.sort(key=lambda found: (-found[1], found[0].hash))
    return tuple(Alike(name=c.name, hash=c.hash, similarity=min(1.0, round(s, 4))) for c, s in alike[:SHOWN])


def digest_of(criterion: Criterion) -> str:
    """sha256 (64 hex digits) of a criterion's whole body, as `criteria` rows are named."""
    return hashlib.sha256(criterion.model_dump_json().encode()).hexdigest()


def row_of(criterion: Criterion, source: Source, remark: Remark) -> dict[str, Any]:
    """A criterion as a proposed row of `prior_criteria`."""
    return {
        "digest": digest_of(criterion), "hash": criterion.hash, "live": criterion.hash,
        "body": criterion.model_dump_json(), "source": source, "status": "proposed", "who": remark.who,
        "note": remark.note, "at": time.time(),
    }  # fmt: skip


def _told(database: Database, criterion: Criterion) -> str:
    """What to do about a content that is there already."""
    same = or_(PriorRow.live == criterion.hash, PriorRow.digest == digest_of(criterion))
    with database.read() as connection:
        found = entries_of(connection, connection.execute(select(PriorRow).where(same)).all())[0]
    remedies = {
        "approved": "there is no need to add it",
        "proposed": f"approve it with `touchstone knowledge approve {found.digest[:12]}`",
        "withdrawn": f"`touchstone knowledge approve {found.digest[:12]}` takes it up again",
    }
    name = found.criterion.name
    return f"{name!r} is in the knowledge base, {found.status}, since {found.who} added it; {remedies[found.status]}"
