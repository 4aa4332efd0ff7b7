"""Which pairs a version was mined from: figures on those flatter it."""

from __future__ import annotations

from collections.abc import Sequence

from agents.pairs import Pair
from knowledge_base.errors import RunError
from services.criteria_sets.stored import StoredSet
from services.database import Database
from services.dataset_store import load_dataset
from services.mining_thread import StoredThread, load_run, load_thread


def mining_thread_of(database: Database, stored: StoredSet) -> StoredThread | None:
    """The thread that mined a version; None where its run is not in this database."""
    if not stored.run:
        return None
    try:
        return load_thread(database, f"{stored.run}-main", load_run(database, stored.run))
    except RunError:
        return None


def mined_pairs(database: Database, stored: StoredSet, thread: StoredThread | None) -> Sequence[Pair] | None:
    """The pairs that a version was mined from, at most; None where neither its run nor their version is known here.

    Args:
        database: where.
        stored: the version.
        thread: that mined it, as `mining_thread_of` gives.
    """
    if thread is not None:
        return thread.mining
    version = stored.criteria_set.lineage.dataset or stored.dataset
    try:
        return load_dataset(database, version).pairs if version else None
    except RunError:
        return None
