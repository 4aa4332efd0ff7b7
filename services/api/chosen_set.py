"""The criteria set that a request means."""

from __future__ import annotations

from knowledge_base.errors import NotThere
from services.criteria_sets.naming import version_meant
from services.criteria_sets.reading import approved_set, load_set
from services.criteria_sets.stored import StoredSet
from services.database import Database
from services.deployment import Deployment


def chosen_set(place: Deployment, name: str, version: str | None) -> StoredSet:
    """A version of a line, or the approved one.

    Args:
        place: where.
        name: of the line.
        version: the version, or the first 4 or more of its digits; None: the approved one.

    Raises:
        NotThere: there is no such version, or none is approved.
        Conflict: several versions begin so.
    """
    if version is not None:
        return version_meant(place.database, name, version)
    found = approved_set(place.database, name)
    if found is None:
        raise NotThere(f"no version of {name!r} is approved; approve one, or give `version`")
    return found


def earlier_set(database: Database, stored: StoredSet) -> StoredSet:
    """What a version is compared with if nothing is named: its parent, or else the approved version of its line.

    Raises:
        NotThere: it has no parent in its line, and no other version is approved.
    """
    try:
        return load_set(database, stored.parent, stored.name)
    except NotThere:
        approved = approved_set(database, stored.name)
    if approved is None or approved.version == stored.version:
        told = f"version {stored.version} of {stored.name!r} has no parent there, and no other version is approved"
        raise NotThere(f"{told}; say with `old` what to compare it with")
    return approved
