"""What a run's calls took, by stage and model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import case, func, select

from agents.chat.endpoint import Stage
from services.budget import BILLION, NOTHING, Work
from services.database import Database
from services.reservations import spending
from services.tables import CallRow


class Spent(BaseModel):
    """What counts against a budget: requests sent, tokens of prompts and completions, and money by the price table."""

    model_config = ConfigDict(frozen=True)

    calls: int
    tokens: int
    cost: float


class Took(BaseModel):
    """What some calls took.

    Attributes:
        calls: requests sent.
        prompt, cached, completion: tokens; `prompt` counts the `cached` ones, too.
        cost: money; None if one of the calls was to a model without a price.
        seconds: spent waiting for endpoints, summed over calls that ran side by side.
        retries: requests of which nothing came, so that another try was due.
    """

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    retries: int = 0

    @property
    def uncached(self) -> int:
        """Prompt tokens that an endpoint had to compute."""
        return self.prompt - self.cached


class StageTally(Took):
    """What the calls of one kind to one model took.

    Attributes:
        work: the part of the run.
        stage: what they were for.
        model: `provider:model`.
    """

    work: Work
    stage: Stage
    model: str


class CallTally(BaseModel):
    """What a run's calls took: a row for each work, stage and model, in that order."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[StageTally, ...] = ()

    @property
    def total(self) -> Took:
        """All rows together."""
        return together(self.rows)


def together(rows: Sequence[Took]) -> Took:
    """The sum of some rows; its cost is None if one of theirs is."""
    names = ("calls", "prompt", "cached", "completion", "seconds", "retries")
    costs = [row.cost for row in rows]
    cost = None if None in costs else sum(c for c in costs if c is not None)
    return Took(**{name: sum(getattr(row, name) for row in rows) for name in names}, cost=cost)


def spent(database: Database, run: str) -> Spent:
    """What a run's recorded calls count against its budget; a call without a price counts as free."""
    with database.read() as connection:
        total = sum(spending(connection, run).values(), NOTHING)
    return Spent(calls=total.calls, tokens=total.tokens, cost=total.money / BILLION)


def tally(database: Database, run: str) -> CallTally:
    """What a run's recorded calls took."""
    row = CallRow
    by = (row.work, row.stage, row.model)
    parts: dict[str, Any] = {
        "calls": func.count(), "prompt": func.sum(row.prompt), "cached": func.sum(row.cached),
        "completion": func.sum(row.completion), "seconds": func.sum(row.seconds),
        "retries": func.sum(case((row.ended == "transient", 1), else_=0)),
        # Part of a sum would look like the whole of it.
        "cost": case((func.count(row.cost) == func.count(), func.sum(row.cost)), else_=None),
    }  # fmt: skip
    query = select(*by, *(part.label(name) for name, part in parts.items())).where(row.run == run)
    with database.read() as connection:
        found = connection.execute(query.group_by(*by).order_by(*by)).mappings().all()
    return CallTally(rows=tuple(StageTally(**r) for r in found))
