"""Two versions that are kept here, compared with the reasons that were kept with them."""

from __future__ import annotations

from agents.set_diff import SetDiff, diff_sets
from services.criteria_sets.reading import load_set, set_details
from services.database import Database


def compare(database: Database, name: str, old: str, new: str) -> SetDiff:
    """From one version of a line to another; the reasons of both are known, those of the new one come first.

    Raises:
        NotThere: there is no such version.
    """
    before, after = load_set(database, old, name), load_set(database, new, name)
    known = [set_details(database, name, version).reasons for version in (old, new)]
    why = {**known[0].why, **known[1].why}
    # What the old run said of a criterion that the new one dropped was why it was kept then.
    gone = {m.criterion.hash for m in before.criteria_set.members} - known[1].why.keys()
    why = {key: reason for key, reason in why.items() if key not in gone}
    parents = {**known[0].parents, **known[1].parents}
    return diff_sets(before.criteria_set, after.criteria_set, why, parents)
