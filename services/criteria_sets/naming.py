"""The version that people mean by the first digits of its name."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge_base.errors import Conflict, NotThere
from services.criteria_sets.reading import MOST, list_sets, load_set
from services.criteria_sets.stored import StoredSet
from services.database import Database

SHORTEST = 4
NAMED = 5
"""Candidates that a message names."""


def version_meant(database: Database, name: str, given: str) -> StoredSet:
    """The version of a line that is called so in full, or by its first 4 or more digits.

    Raises:
        NotThere: there is none; the message names those that there are.
        Conflict: several begin so; the message names them.
    """
    try:
        return load_set(database, given, name)
    except NotThere:
        line = list_sets(database, name, limit=MOST)
    meant = [stored for stored in line if stored.version.startswith(given)]
    if len(meant) == 1 and len(given) >= SHORTEST:
        return meant[0]
    if meant:
        told = f"{given!r} is short for {_named(meant)} of {name!r}"
        raise Conflict(f"{told}; give {SHORTEST} digits or more, and enough to tell it from others")
    if not line:
        raise NotThere(f"there is no line {name[:64]!r} of criteria sets; list the sets to see which there are")
    raise NotThere(f"there is no version {given[:64]!r} of {name!r}; there are {_named(line)}")


def _named(sets: Sequence[StoredSet]) -> str:
    more = f" and {len(sets) - NAMED} more" if len(sets) > NAMED else ""
    return ", ".join(stored.version for stored in sets[:NAMED]) + more
