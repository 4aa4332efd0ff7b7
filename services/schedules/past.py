"""What an approved version has to do with: the pairs it was mined from, its run, and what was examined since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from agents.pairs import Dataset, Pair
from agents.refresh_plan import Seen
from knowledge_base.errors import RunError
from services.annotation.dataset import open_dataset
from services.annotation.tables import OpenPairRow
from services.database import Database
from services.dataset_store import load_dataset
from services.mining_thread import StoredThread, load_run, load_thread
from services.schedules.groundwork import Groundwork
from services.schedules.tables import AnchorRow, DriftRow, RefreshRow
from services.tables import DatasetPairRow, RunRow

if TYPE_CHECKING:
    from services.criteria_sets.stored import StoredSet


@dataclass(frozen=True)
class Past:
    """An approved version's past.

    Attributes:
        thread: that mined it; None where its run is not in this database.
        seen: the pairs it has to do with.
        since: votes later than this (seconds since the epoch) are new to it.
        known: whether the pairs it was mined from are known; otherwise they are guessed (see `past_of`).
    """

    thread: StoredThread | None
    seen: Seen
    since: float
    known: bool


def past_of(database: Database, schedule: str, approved: StoredSet) -> Past:
    """Find out what a version has to do with.

    Where neither its run nor the dataset of its lineage is in this database, as for a set that was imported, `seen`
    holds no mined pairs and `known` is False.
    """
    thread = _thread(database, approved.run)
    mined, held_out = _pairs(database, thread, approved)
    examined, until = _examined(database, schedule, approved.version)
    anchors = _anchors(database, schedule, approved.version)
    seen = Seen(tuple(mined or ()), held_out, examined, anchors)
    since = max(until, _frozen_at(database, approved))
    return Past(thread, seen, since, mined is not None)


def guessed(seen: Seen, pairs: Sequence[Pair], new: Counter[str]) -> Seen:
    """Of a version whose past is not known: every pair that was voted on before it came may be one it was mined from.

    Args:
        seen: as far as is known.
        pairs: of the dataset as it is now.
        new: how many votes came since, by pair (content hash).
    """
    old = tuple(p for p in pairs if max(1, len(p.votes)) > new[p.hash])
    return replace(seen, mined=old)


def steered_pairs(database: Database, dataset: str) -> tuple[str, ...]:
    """Hashes of an open dataset's pairs that were first shown because much was to be learnt from them, ascending."""
    row = OpenPairRow
    query = select(row.pair).where(row.dataset == open_dataset(database, dataset).id, row.why == "information")
    with database.read() as connection:
        return tuple(sorted(connection.execute(query).scalars()))


def overtaken_by(connection: Connection, schedule: str, version: str, since: float) -> str:
    """The refresh that has examined a version on votes later than `since` already; empty if none has.

    Whoever gathered votes from `since` on would count some of them again.
    """
    row = DriftRow
    later = (row.schedule == schedule, row.version == version, row.votes_until > since)
    return connection.execute(select(row.refresh).where(*later)).scalar() or ""


def _thread(database: Database, run: str) -> StoredThread | None:
    if not run:
        return None
    try:
        return load_thread(database, f"{run}-main", load_run(database, run))
    except RunError:
        return None


def _pairs(
    database: Database, thread: StoredThread | None, approved: StoredSet
) -> tuple[Sequence[Pair] | None, frozenset[str]]:
    """Pairs that the version was mined from (None: not known), and hashes of those that were held out."""
    if thread is not None:
        return thread.mining, frozenset(p.hash for p in thread.sealed)
    lineage = approved.criteria_set.lineage.dataset
    dataset = _dataset(database, lineage or approved.dataset)
    return (dataset.pairs if dataset else None), frozenset()


def _dataset(database: Database, version: str) -> Dataset | None:
    try:
        return load_dataset(database, version) if version else None
    except RunError:
        return None


def _examined(database: Database, schedule: str, version: str) -> tuple[frozenset[str], float]:
    """Pairs that earlier refreshes have examined a version on, and up to when they had seen votes."""
    row, place = DriftRow, DatasetPairRow
    query = select(row.dataset, row.votes_until).where(row.schedule == schedule, row.version == version)
    with database.read() as connection:
        found = connection.execute(query).one_or_none()
        if found is None:
            return frozenset(), 0.0
        pairs = connection.execute(select(place.pair).where(place.dataset == found.dataset))
        return frozenset(pairs.scalars()), found.votes_until


def _anchors(database: Database, schedule: str, version: str) -> frozenset[str]:
    query = select(AnchorRow.pair).where(AnchorRow.schedule == schedule, AnchorRow.version == version)
    with database.read() as connection:
        return frozenset(connection.execute(query).scalars())


def _frozen_at(database: Database, approved: StoredSet) -> float:
    """When the votes were frozen that a version was mined from, as closely as is known."""
    laid = select(RefreshRow.plan).where(RefreshRow.new == approved.version, RefreshRow.mining == approved.run)
    created = select(RunRow.created_at).where(RunRow.id == approved.run)
    with database.read() as connection:
        groundwork: str | None = connection.execute(laid.order_by(RefreshRow.number).limit(1)).scalar()
        if groundwork:
            return Groundwork.model_validate_json(groundwork).until
        found: float | None = connection.execute(created).scalar()
    return found or approved.created_at
