"""Versions read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from knowledge_base.errors import InputError, NotThere
from services.criteria_sets.evidence import Reasons, SetEvidence
from services.criteria_sets.standing import approved_in, read_decisions, status_of
from services.criteria_sets.stored import SetDetails, StoredSet, stored_of
from services.criteria_sets.tables import CriteriaSetRow
from services.database import Database

MOST = 1000
"""Versions on one page."""


def load_set(database: Database, version: str, name: str = "") -> StoredSet:
    """A version. Without a `name` it is that of the line that kept it first: the set is the same in every line, its
    status need not be.

    Raises:
        NotThere: there is no such version.
    """
    with database.read() as connection:
        return stored_of(*_found(connection, version, name))


def approved_set(database: Database, name: str) -> StoredSet | None:
    """The approved version of a line; None if it has none."""
    with database.read() as connection:
        version = approved_in(read_decisions(connection, [name]).get(name, ()))
        return stored_of(*_found(connection, version, name)) if version else None


def list_sets(database: Database, name: str = "", after: str = "", limit: int = 50) -> tuple[StoredSet, ...]:
    """Versions, newest first.

    Args:
        database: where.
        name: of one line; every line if empty.
        after: `cursor_of` the last version of the page before; empty for the first page.
        limit: at most so many, 1 to 1000.

    Raises:
        NotThere: there is no version `after`.
        InputError: `limit` is out of range.
    """
    if not 1 <= limit <= MOST:
        raise InputError(f"limit is {limit}; give 1 to {MOST}")
    row = CriteriaSetRow
    query = select(row).order_by(row.created_at.desc(), row.name.desc(), row.version.desc()).limit(limit)
    if name:
        query = query.where(row.name == name)
    with database.read() as connection:
        if after:
            query = query.where(_older(connection, after))
        return _with_status(connection, connection.execute(query).all())


def cursor_of(stored: StoredSet) -> str:
    """Where a version stands in a list: `name@version`."""
    return f"{stored.name}@{stored.version}"


def set_details(database: Database, name: str, version: str) -> SetDetails:
    """Evidence, reasons and decisions of a version.

    Raises:
        NotThere: there is no such version.
    """
    with database.read() as connection:
        row, _ = _found(connection, version, name)
        decisions = read_decisions(connection, [name]).get(name, ())
    return SetDetails(
        evidence=SetEvidence.model_validate_json(row.evidence) if row.evidence else None,
        reasons=Reasons.model_validate_json(row.why),
        created_by=row.created_by,
        decisions=tuple(d for d in decisions if d.version == version),
    )


def _found(connection: Connection, version: str, name: str) -> Any:
    """Row and status of a version."""
    row = CriteriaSetRow
    query = select(row).where(row.version == version).order_by(row.created_at, row.name).limit(1)
    found = connection.execute(query.where(row.name == name) if name else query).one_or_none()
    if found is None:
        place = f" in {name!r}" if name else ""
        raise NotThere(f"there is no criteria set {version!r}{place}; `touchstone sets list` shows what there is")
    return found, status_of(read_decisions(connection, [found.name]).get(found.name, ()), version)


def _older(connection: Connection, after: str) -> Any:
    row = CriteriaSetRow
    name, _, version = after.rpartition("@")
    at = connection.execute(select(row.created_at).where(row.name == name, row.version == version)).scalar()
    if at is None:
        raise NotThere(f"there is no criteria set {after!r} to go on after; start with the first page")
    same = and_(row.created_at == at, or_(row.name < name, and_(row.name == name, row.version < version)))
    return or_(row.created_at < at, same)


def _with_status(connection: Connection, rows: Sequence[Any]) -> tuple[StoredSet, ...]:
    decided = read_decisions(connection, {row.name for row in rows})
    return tuple(stored_of(row, status_of(decided.get(row.name, ()), row.version)) for row in rows)
