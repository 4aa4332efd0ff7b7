"""The criteria set that a request means."""

from __future__ import annotations

from knowledge_base.errors import NotThere
from services.criteria_sets.reading import approved_set, load_set
from services.criteria_sets.stored import StoredSet
from services.deployment import Deployment


def chosen_set(place: Deployment, name: str, version: str | None) -> StoredSet:
    """A version of a line, or the approved one.

    Raises:
        NotThere: there is no such version, or none is approved.
    """
    if version is not None:
        return load_set(place.database, version, name)
    found = approved_set(place.database, name)
    if found is None:
        raise NotThere(f"no version of {name!r} is approved; approve one, or give `version`")
    return found
