"""Pairs added to an open dataset: texts once, places in the order of their coming."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from agents.pairs import Pair
from knowledge_base.errors import InputError
from services.annotation.dataset import open_dataset
from services.annotation.incoming import name_key, texts_of
from services.annotation.lots import lot
from services.annotation.moment import Held, held
from services.annotation.tables import OpenDatasetRow, OpenPairRow
from services.annotation.tallies import chunks
from services.annotation.vote import Line
from services.database import Database, insert_new
from services.datasets.record import TEXT_BYTES, byte_size
from services.tables import PairRow

MOST = 10_000
"""Most pairs in one call; files hold more."""


class PairIn(BaseModel):
    """A pair to ask people about.

    Attributes:
        a, b: the texts, not blank and not the same; prompt: what both answer.
        id: the user's name for it, unique in the dataset; empty if none.
        group: pairs of one group are never split between mining and sealed; weight: how much it counts, above 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: Line
    b: Line
    prompt: Line = ""
    id: Annotated[Line, Field(max_length=1000)] = ""
    group: Annotated[Line, Field(max_length=1000)] = ""
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class Placed(BaseModel):
    """Where a pair stands.

    Attributes:
        pair: its content hash in the dataset.
        swapped: whether it stands there with its sides exchanged (it had come before, that way round).
        added: whether it is new.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str
    swapped: bool
    added: bool


@dataclass(frozen=True)
class NameTaken:
    """An id that stands for other texts: `index` is the pair's place among those given."""

    index: int
    name: str


def add_pairs(database: Database, dataset: str, pairs: Iterable[PairIn]) -> list[Placed]:
    """Add pairs that people are to be asked about; those that are there already stay as they are.

    Returns:
        Where each stands, in the order given.

    Raises:
        NotThere: there is no such dataset.
        InputError: a text will not do, an id belongs to other texts, or there are too many; nothing is added.
    """
    given = list(pairs)
    if len(given) > MOST:
        raise InputError(f"{len(given):,} pairs in one call; send at most {MOST:,}, or upload a file")
    for number, pair in enumerate(given):
        _check(number, pair)
    open_dataset(database, dataset)
    with database.write(alone=False) as connection:
        keep_texts(connection, [_bare(pair) for pair in given])
    with held(database, dataset) as now:
        placed, taken = place(now, given)
        if taken:
            first = taken[0]
            remedy = "give each pair its own id, or leave ids out"
            raise InputError(f'pair {first.index}: "id" is {first.name[:60]!r}, which stands for other texts; {remedy}')
    return placed


def keep_texts(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Keep the texts of these pairs, whether or not a dataset comes to hold them."""
    rows = {p.hash: {"hash": p.hash, "prompt": p.prompt, "a": p.a, "b": p.b} for p in pairs}
    # In one order for everybody: two that insert the same texts at once then wait for each other in turn.
    insert_new(connection, PairRow, [rows[name] for name in sorted(rows)])


def place(held: Held, pairs: Sequence[PairIn]) -> tuple[list[Placed], list[NameTaken]]:
    """Give pairs whose texts are kept a place in a dataset; also gives back ids that stand for other texts."""
    bare = [_bare(pair) for pair in pairs]
    texts = [texts_of(p.prompt, p.a, p.b) for p in pairs]
    there = _known(held, OpenPairRow.texts, texts)
    names = _known(held, OpenPairRow.name_key, [key for p in pairs if (key := name_key(p.id))])
    placed: list[Placed] = []
    taken: list[NameTaken] = []
    fresh: list[dict[str, Any]] = []
    first = _next_position(held)
    for index, (pair, seen, text) in enumerate(zip(pairs, bare, texts, strict=True)):
        key = name_key(pair.id)
        if key and names.setdefault(key, (seen.hash, text))[1] != text:
            taken.append(NameTaken(index, pair.id))
        known = there.get(text)
        if known is None:
            there[text] = seen.hash, text
            fresh.append(_row(held, pair, seen.hash, text, first + len(fresh)))
        stands = known[0] if known else seen.hash
        placed.append(Placed(pair=stands, swapped=stands != seen.hash, added=known is None))
    if fresh and not taken:
        held.connection.execute(OpenPairRow.__table__.insert(), fresh)  # type: ignore[attr-defined]
        held.change(pairs=first + len(fresh))
    return placed, taken


def _next_position(held: Held) -> int:
    """Pairs are never taken out, so their number is the next place."""
    query = select(OpenDatasetRow.pairs).where(OpenDatasetRow.id == held.id)
    return int(held.connection.execute(query).scalar_one())


def _known(held: Held, column: Any, values: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Pairs of the dataset whose column has one of the values: their hash and texts by that value."""
    row = OpenPairRow
    found: dict[str, tuple[str, str]] = {}
    for some in chunks(sorted(set(values))):
        query = select(column, row.pair, row.texts).where(row.dataset == held.id, column.in_(some))
        found.update((value, (pair, texts)) for value, pair, texts in held.connection.execute(query))
    return found


def _bare(pair: PairIn) -> Pair:
    return Pair(id="-", a=pair.a, b=pair.b, prompt=pair.prompt, preferred="tie")


def _check(number: int, pair: PairIn) -> None:
    for field, text in (("a", pair.a), ("b", pair.b)):
        if not text.strip():
            raise InputError(f'pair {number}: "{field}" is blank; give every pair two texts')
    for field, text in (("a", pair.a), ("b", pair.b), ("prompt", pair.prompt)):
        if byte_size(text) > TEXT_BYTES:
            raise InputError(f'pair {number}: "{field}" is {byte_size(text)} bytes; cut it to at most {TEXT_BYTES}')
    if pair.a == pair.b:
        raise InputError(f'pair {number}: "b" is the same text as "a"; leave the pair out')


def _row(held: Held, pair: PairIn, name: str, texts: str, position: int) -> dict[str, Any]:
    return {
        "dataset": held.id, "pair": name, "position": position, "texts": texts, "name": pair.id,
        "name_key": name_key(pair.id), "group": pair.group, "weight": pair.weight, "added_at": held.moment,
        "lot": lot(held.row.secret, "pair", texts), "since": held.row.draws, "known": held.row.draws,
    }  # fmt: skip
