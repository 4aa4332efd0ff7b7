"""What calls took, summed by run, model, key and day: for whoever pays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, case, cast, func, select

from services.database import Database
from services.payers import payers
from services.tables import CallRow

By = Literal["run", "model", "key", "day"]
DAY = 86_400
MOST_ROWS = 10_000


class UsageRow(BaseModel):
    """What some calls took.

    Attributes:
        run, model, key, day: what they have in common; None where that was not asked for. `key` is the name of the key
            that the run, labelling or refresh is charged to (`services.payers`), empty where a command made it. `day`
            is UTC.
        calls: requests sent; failed: those of which nothing came.
        prompt, cached, completion: tokens; `prompt` counts the cached ones, too.
        cost: None if one of the calls was to a model without a price.
    """

    model_config = ConfigDict(frozen=True)

    run: str | None = None
    model: str | None = None
    key: str | None = None
    day: date | None = None
    calls: int
    failed: int
    prompt: int
    cached: int
    completion: int
    cost: float | None


def usage_by(
    database: Database, by: Sequence[By], *, since: date | None = None, until: date | None = None, run: str = ""
) -> list[UsageRow]:
    """Sums over recorded calls, in the order of what they are summed by; at most `MOST_ROWS`.

    Args:
        by: what to sum by, each once.
        since, until: first and last day, UTC.
        run: only this run; empty for all.
    """
    row, whose = CallRow, payers()
    parts: dict[By, Any] = {
        "run": row.run, "model": row.model, "key": func.coalesce(whose.c.by, ""),
        # A cast cuts off in SQLite and rounds in Postgres.
        "day": cast(row.at if database.embedded else func.floor(row.at), BigInteger) // DAY,
    }  # fmt: skip
    groups = [parts[name].label(name) for name in dict.fromkeys(by)]
    sums = {
        "calls": func.count(), "failed": func.sum(case((row.ended == "answered", 0), else_=1)),
        "prompt": func.sum(row.prompt), "cached": func.sum(row.cached), "completion": func.sum(row.completion),
        "cost": case((func.count(row.cost) == func.count(), func.sum(row.cost)), else_=None),
    }  # fmt: skip
    query = select(*groups, *(part.label(name) for name, part in sums.items()))
    if "key" in by:
        query = query.join(whose, whose.c.run == row.run, isouter=True)
    for bound in _bounds(since, until, run):
        query = query.where(bound)
    with database.read() as connection:
        names = [parts[name] for name in dict.fromkeys(by)]
        found = connection.execute(query.group_by(*names).order_by(*names).limit(MOST_ROWS)).mappings().all()
    return [UsageRow(**{**r, **({"day": _day(r["day"])} if "day" in r else {})}) for r in found]


def _bounds(since: date | None, until: date | None, run: str) -> list[Any]:
    row = CallRow
    bounds: list[Any] = [row.run == run] if run else []
    bounds += [row.at >= _midnight(since)] if since else []
    return bounds + ([row.at < _midnight(until) + DAY] if until else [])


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
