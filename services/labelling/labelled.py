"""Labelled pairs read back in file order, a page at a time, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from services.database import Database
from services.labelling.chunks import pack
from services.labelling.label import Label, label_of
from services.labelling.pair_vote import ANSWERS, Answer
from services.labelling.register import Labelling
from services.labelling.tables import LabelRow
from services.tables import PairRow

PAGE, LOOKED_AT = 500, 5000
"""Most pairs in a page; how many are looked at to cut pages of bounded size."""


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A pair with its label.

    Attributes:
        name: the user's id; given: the preference that the file states, empty if none.
        label: what the criteria say; answers: what it rests on.
        asked, reused, saved, failed, early, audited, turned: see `PairResult`.
    """

    name: str
    a: str
    b: str
    prompt: str
    given: str
    label: Label
    answers: tuple[Answer, ...]
    asked: int
    reused: int
    saved: int
    failed: int
    early: bool
    audited: bool
    turned: bool


def pages(database: Database, labelling: Labelling) -> Iterator[list[LabelledPair]]:
    """Every pair that has its label, in file order, in pages bounded in number and bytes."""
    last = -1
    while looked := _look(database, labelling.id, last):
        for positions in pack(looked, PAGE):
            yield [_read(row, labelling) for row in _page(database, labelling.id, positions)]
        last = looked[-1][0]


def _look(database: Database, labelling: str, after: int) -> Sequence[Any]:
    row = LabelRow
    query = select(row.position, row.size).where(row.labelling == labelling, row.done, row.position > after)
    with database.read() as connection:
        return connection.execute(query.order_by(row.position).limit(LOOKED_AT)).all()


def _page(database: Database, labelling: str, positions: Sequence[int]) -> Sequence[Any]:
    row, pair = LabelRow, PairRow
    plain = (row.name, row.given, row.asked, row.reused, row.saved, row.failed, row.early, row.audited, row.turned)
    query = (
        select(row.answers, pair.a, pair.b, pair.prompt, *plain)
        .join(pair, pair.hash == row.pair)
        .where(row.labelling == labelling, row.done, row.position.between(positions[0], positions[-1]))
        .order_by(row.position)
    )
    with database.read() as connection:
        return connection.execute(query).all()


def _read(row: Any, labelling: Labelling) -> LabelledPair:
    answers = ANSWERS.validate_json(row.answers)
    return LabelledPair(
        row.name, row.a, row.b, row.prompt, row.given, label_of(labelling.sheet, answers), answers,
        row.asked, row.reused, row.saved, row.failed, row.early, row.audited, row.turned,
    )  # fmt: skip
