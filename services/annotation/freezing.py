"""A version of an open dataset: its votes at one moment, settled as those of a file with the same votes are.

The rows that files brought are rebuilt as they were read, the other votes stand as a list of votes on their pair, and
`services.datasets` makes pairs of them: so a file that is uploaded to an empty dataset freezes to what reading the file
gives. Only votes that stand are used (`services.annotation.standing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Connection, and_, select

from agents.pairs import Dataset, Pair, Point, Preference, Vote
from knowledge_base.errors import InputError
from services.annotation.dataset import Sampling, row_of
from services.annotation.standing import standing
from services.annotation.tables import OpenPairRow, OpenPointRow, StatementRow, VoteRow
from services.database import Database
from services.dataset_store import save_dataset
from services.datasets import Sides
from services.datasets.allowance import Allowance
from services.datasets.ballots import plain
from services.datasets.drafts import PairDraft
from services.datasets.pooling import PairPool
from services.datasets.settling import settle
from services.tables import PairRow

_ANY = 10**15
"""No limit: what is in the database was counted when it came in."""


def freeze(database: Database, dataset: str, *, until: float | None = None, sides: Sides = "keep") -> Dataset:
    """The settled version of a dataset, kept for runs under its content hash. The same votes give the same version.

    Args:
        dataset: id or name.
        until: only what had come in by this moment, seconds since the epoch; None: everything.
        sides: `keep`, or `shuffle` them by content (see `services.datasets.settling`).

    Raises:
        NotThere: there is no such dataset.
        InputError: no pair has a vote that stands.
    """
    with database.read() as connection:
        row = row_of(connection, dataset)
        # The dataset's clock, read first: what is written while this reads is later, and left out of every query.
        moment = row.changed_at if until is None else min(until, row.changed_at)
        pool = PairPool(row.name, Allowance(row.name, _ANY, _ANY))
        empty = _fill(connection, row, moment, pool)
        points = _points(connection, row.id, moment)
    if not pool.pairs():
        raise InputError(f"no pair of dataset {row.name!r} has a vote that stands; add votes first")
    pairs, notes = settle(pool.pairs(), sides)
    frozen = Dataset(
        name=row.name, description=row.description, pairs=pairs, points=points, notes=(*notes, *_notes(pairs, empty))
    )
    save_dataset(database, frozen)
    return frozen


def _fill(connection: Connection, row: Any, moment: float, pool: PairPool) -> int:
    """Send everything that stands to the pool, pair by pair; returns how many pairs have nothing."""
    repeats = Sampling.model_validate_json(row.sampling).repeats
    votes = _Positions(connection.execute(_votes_of(row.id, moment)))
    statements = _Positions(connection.execute(_statements_of(row.id, moment)))
    empty = 0
    for place in connection.execute(_pairs_of(row.id, moment)):
        cast_here, said = votes.upto(place.position), statements.upto(place.position)
        drafts = _drafts(place, said, standing(cast_here, repeats))
        for draft in drafts:
            pool.add(draft)
        empty += not drafts
    return empty


def _drafts(place: Any, statements: Sequence[Any], votes: Sequence[Any]) -> list[PairDraft]:
    """The rows that said something of a pair, as they would be read, in the order of files and rows."""
    by_statement: dict[str, list[Any]] = {}
    for vote in votes:
        by_statement.setdefault(vote.statement, []).append(vote)
    ordered = sorted(statements, key=lambda s: (s.recorded_at, s.row, s.id))
    rows = [_row(place, said, by_statement.get(said.id, [])) for said in ordered]
    loose = by_statement.get("", [])
    single = [_draft(place, votes=tuple(map(_vote, loose)))] if loose else []
    return [draft for draft in rows if draft is not None] + single


def _row(place: Any, said: Any, votes: Sequence[Any]) -> PairDraft | None:
    """A row of a file with those of its votes that stand; None if nothing is left of it."""
    inside = sorted(votes, key=lambda vote: vote.number)
    if said.listed:
        stated = cast("Preference | None", said.preferred or None)
        if not inside and stated is None:
            return None
        return _draft(place, row=said.row, preferred=stated, votes=tuple(map(_vote, inside)), reason=said.reason)
    if not inside:
        return None
    vote = inside[0]
    return _draft(place, row=said.row, preferred=vote.choice, annotator=vote.annotator, reason=vote.reason)


def _draft(place: Any, *, row: int = 0, **said: Any) -> PairDraft:
    return PairDraft(
        row=row, id=place.name, a=place.a, b=place.b, prompt=place.prompt, group=place.group, weight=place.weight,
        **({"preferred": None} | said),
    )  # fmt: skip


def _vote(row: Any) -> Vote:
    if row.reason.strip():
        return Vote(preferred=row.choice, annotator=row.annotator, reason=row.reason)
    return plain(row.choice, row.annotator)


def _pairs_of(dataset: str, moment: float) -> Any:
    row, text = OpenPairRow, PairRow
    columns = (row.position, row.name, row.group, row.weight, text.prompt, text.a, text.b)
    query = select(*columns).join(text, text.hash == row.pair)
    return query.where(row.dataset == dataset, row.added_at <= moment).order_by(row.position)


def _votes_of(dataset: str, moment: float) -> Any:
    row, place = VoteRow, OpenPairRow
    columns = (
        place.position, row.id, row.annotator, row.choice, row.reason, row.at, row.upload, row.withdraws,
        row.statement, row.number,
    )  # fmt: skip
    query = select(*columns).join(place, and_(place.dataset == row.dataset, place.pair == row.pair))
    return query.where(row.dataset == dataset, row.recorded_at <= moment).order_by(place.position)


def _statements_of(dataset: str, moment: float) -> Any:
    row, place = StatementRow, OpenPairRow
    columns = (place.position, row.id, row.row, row.listed, row.preferred, row.reason, row.recorded_at)
    query = select(*columns).join(place, and_(place.dataset == row.dataset, place.pair == row.pair))
    return query.where(row.dataset == dataset, row.recorded_at <= moment).order_by(place.position)


class _Positions:
    """Rows that come in the order of positions, handed out position by position."""

    def __init__(self, rows: Any) -> None:
        self._groups: Iterator[tuple[int, Iterator[Any]]] = groupby(rows, key=lambda row: int(row.position))
        self._next: tuple[int, list[Any]] | None = None

    def upto(self, position: int) -> list[Any]:
        """The rows of this position; those of earlier ones must have been asked for."""
        if self._next is None or self._next[0] < position:
            found = next(self._groups, None)
            self._next = (found[0], list(found[1])) if found else (position + _ANY, [])
        return self._next[1] if self._next[0] == position else []


def _points(connection: Connection, dataset: str, moment: float) -> tuple[Point, ...]:
    row = OpenPointRow
    query = select(row.body).where(row.dataset == dataset, row.added_at <= moment).order_by(row.position)
    return tuple(Point.model_validate_json(found.body) for found in connection.execute(query))


def _notes(pairs: Sequence[Pair], empty: int) -> list[str]:
    ties = sum(pair.preferred == "tie" for pair in pairs)
    notes = {
        f"{ties} of {len(pairs)} pairs are ties; they are kept and carry no accuracy": ties,
        f"{empty} pairs have no vote that stands yet and were left out": empty,
    }
    return [note for note, count in notes.items() if count]
