"""Datasets in the database: texts once by content hash, labels beside them, so that a run needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from agents.pairs import Dataset, Pair, Point
from knowledge_base.errors import RunError
from services.database import Database, insert_new
from services.tables import DatasetPairRow, DatasetRow, PairRow

SEEN = {"prompt", "a", "b"}
"""Fields of a pair that a judge sees."""


def save_dataset(database: Database, dataset: Dataset) -> str:
    """Keep a dataset; returns its content hash. Saving it again changes nothing."""
    pairs = [{"hash": p.hash, "prompt": p.prompt, "a": p.a, "b": p.b} for p in dataset.pairs]
    places = [
        {"dataset": dataset.hash, "position": i, "pair": p.hash, "label": p.model_dump_json(exclude=SEEN)}
        for i, p in enumerate(dataset.pairs)
    ]
    with database.write(alone=False) as connection:
        insert_new(connection, DatasetRow, [_head(dataset)])
        insert_new(connection, PairRow, pairs)
        insert_new(connection, DatasetPairRow, places)
    return dataset.hash


def load_dataset(database: Database, dataset: str) -> Dataset:
    """The dataset with this content hash.

    Raises:
        RunError: it is not there.
    """
    with database.read() as connection:
        head = connection.execute(select(*_columns(DatasetRow)).where(DatasetRow.hash == dataset)).one_or_none()
        if head is None:
            raise RunError(f"dataset {dataset!r} is not in this database; read the file again")
        pairs = _pairs(connection, dataset)
    points = tuple(Point.model_validate(p) for p in json.loads(head.points))
    notes = tuple(json.loads(head.notes))
    return Dataset(name=head.name, description=head.description, pairs=pairs, points=points, notes=notes)


def bare_pairs(connection: Connection, hashes: Collection[str]) -> dict[str, Pair]:
    """Pairs by hash as a judge may see them: texts and prompt, with no trace of what people preferred."""
    rows = connection.execute(select(*_columns(PairRow)).where(PairRow.hash.in_(hashes)))
    return {r.hash: Pair(id=r.hash, prompt=r.prompt, a=r.a, b=r.b, preferred="tie") for r in rows}


def _head(dataset: Dataset) -> dict[str, str]:
    points = json.dumps([p.model_dump() for p in dataset.points])
    head = {"hash": dataset.hash, "name": dataset.name, "description": dataset.description}
    return head | {"points": points, "notes": json.dumps(dataset.notes)}


def _pairs(connection: Connection, dataset: str) -> tuple[Pair, ...]:
    place, text = DatasetPairRow, PairRow
    rows = connection.execute(
        select(place.label, text.prompt, text.a, text.b)
        .join(text, text.hash == place.pair)
        .where(place.dataset == dataset)
        .order_by(place.position)
    )
    return tuple(Pair(**json.loads(r.label), prompt=r.prompt, a=r.a, b=r.b) for r in rows)


def _columns(table: Any) -> list[Any]:
    return list(table.__table__.columns)
