"""Sums of calls by model, stage and end: kept up by whoever leads, told together with the calls that came since."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from sqlalchemy import Connection, func, select, update

from services.database import Database, insert_new, upsert
from services.tables import CallRow
from services.telemetry.tables import CallMarkRow, CallSumRow

SETTLED_SECONDS = 60.0
"""Age from which a call is taken to have been written together with all before it: on a server, the row of a lower
number may become visible a moment after that of a higher one."""

NAME = "sums"


@dataclass(frozen=True)
class CallSum:
    """What calls took: how many there were, their tokens (`prompt` counts the `cached` ones, too) and their cost."""

    model: str
    stage: str
    ended: str
    calls: int
    prompt: int
    cached: int
    completion: int
    cost: float


def call_sums(database: Database) -> list[CallSum]:
    """What all calls took, one sum for each model, stage and end."""
    row = CallSumRow
    with database.read() as connection:
        kept = select(*(getattr(row, f.name) for f in fields(CallSum)))
        return _added([*connection.execute(kept), *_since(connection, _mark(connection))])


def sum_up(database: Database, now: float | None = None) -> int:
    """Add to the sums what calls have come since; returns how many. Any number may do it, one after the other."""
    settled = (time.time() if now is None else now) - SETTLED_SECONDS
    with database.write() as connection:
        insert_new(connection, CallMarkRow, [{"name": NAME, "last": 0}])
        mark = _mark(connection)
        # The first that is not settled ends it, though later ones may be.
        query = select(func.min(CallRow.id)).where(CallRow.id > mark, CallRow.at >= settled)
        last = select(func.max(CallRow.id)).where(CallRow.id > mark)
        fresh = connection.execute(query).scalar()
        until = fresh - 1 if fresh is not None else connection.execute(last).scalar()
        if until is None or until <= mark:
            return 0
        new = _added(_since(connection, mark, until))
        _add(connection, new)
        connection.execute(update(CallMarkRow).where(CallMarkRow.name == NAME).values(last=until))
        return sum(s.calls for s in new)


def summed_until(connection: Connection) -> int:
    """Id of the last call that the sums hold."""
    return _mark(connection)


def _add(connection: Connection, new: list[CallSum]) -> None:
    names = [f.name for f in fields(CallSum)]
    there = connection.execute(select(*(getattr(CallSumRow, name) for name in names))).all()
    both = _added([*there, *map(astuple, new)])
    upsert(connection, CallSumRow, [asdict(s) for s in both])


def _since(connection: Connection, mark: int, until: int | None = None) -> list[Any]:
    row = CallRow
    cost = func.coalesce(func.sum(row.cost), 0.0)
    parts = (func.count(), func.sum(row.prompt), func.sum(row.cached), func.sum(row.completion), cost)
    query = select(row.model, row.stage, row.ended, *parts).where(row.id > mark)
    query = query if until is None else query.where(row.id <= until)
    return list(connection.execute(query.group_by(row.model, row.stage, row.ended)))


def _added(rows: Iterable[Sequence[Any]]) -> list[CallSum]:
    """Rows with the fields of a sum, those of equal model, stage and end added up."""
    sums: dict[tuple[str, str, str], list[float]] = {}
    for model, stage, ended, *values in rows:
        held = sums.get((model, stage, ended), [0] * len(values))
        sums[model, stage, ended] = [a + b for a, b in zip(held, values, strict=True)]
    return [
        CallSum(*key, calls=int(n), prompt=int(p), cached=int(c), completion=int(d), cost=float(cost))
        for key, (n, p, c, d, cost) in sorted(sums.items())
    ]


def _mark(connection: Connection) -> int:
    found = connection.execute(select(CallMarkRow.last).where(CallMarkRow.name == NAME)).scalar()
    return int(found or 0)
