"""One write after the other in each dataset, each with a moment of its own that is later than all before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, select, update

from knowledge_base.errors import InputError
from services.annotation.dataset import Sampling, row_of
from services.annotation.tables import OpenDatasetRow
from services.database import Database

TICK = 1e-5
"""Seconds between two writes at least; a clock that was set back makes writes this much later than the last."""


STEP = 1e-6
"""Seconds between two votes of one write; floating point tells moments of this century a quarter of that apart."""


@dataclass
class Held:
    """A dataset that nobody else writes to until the transaction ends.

    Attributes:
        connection: of the transaction.
        row: the dataset's columns as they were when it was taken.
        moment: of this write, in seconds since the epoch; later than any before it in this dataset.
        now: what the clock says.
        last: the latest moment that was given out of it.
    """

    connection: Connection
    row: Any
    moment: float
    now: float
    last: float = 0.0

    @property
    def id(self) -> str:
        """The dataset's id."""
        return str(self.row.id)

    @property
    def sampling(self) -> Sampling:
        """How pairs are handed out."""
        return Sampling.model_validate_json(self.row.sampling)

    def moments(self, count: int) -> list[float]:
        """So many moments one after the other, each later than all before: one for each vote, to go on from."""
        start = self.span(count)
        return [start + number * STEP for number in range(1, count + 1)]

    def span(self, count: int) -> float:
        """Where so many moments start: the one of number n, from 1 on, is n times `STEP` later."""
        start = max(self.moment, self.last)
        if count:
            self.last = start + count * STEP
            self.change(changed_at=self.last)
        return start

    def change(self, **columns: Any) -> None:
        """Write columns of the dataset."""
        self.connection.execute(update(OpenDatasetRow).where(OpenDatasetRow.id == self.id).values(**columns))


AHEAD = 300.0
"""Seconds by which the clock of whoever sends votes may be ahead of ours."""


def check_time(at: float | None) -> None:
    """Make sure that votes do not come from the future, where they would stand against all that come after.

    Raises:
        InputError: they do.
    """
    if at is not None and not 0 <= at <= time.time() + AHEAD:
        raise InputError(f"the votes were given at {at!r}; give seconds since the epoch, not later than now")


@contextmanager
def held(database: Database, dataset: str) -> Iterator[Held]:
    """Hold the dataset with this id or name for a write.

    On Postgres its row is locked, and all writers of the tables in `services.annotation.tables` do this first: what is
    written elsewhere, in other datasets too, goes on meanwhile. An SQLite file has one writer at a time, whoever it is.

    Raises:
        NotThere: there is no such dataset.
    """
    row = OpenDatasetRow
    with database.write(apart=True) as connection:
        name = row_of(connection, dataset).id
        # Before the clock is read: whoever waited here must not go by what it showed before.
        connection.execute(select(row.id).where(row.id == name).with_for_update(key_share=True))
        now = time.time()
        later = case((row.changed_at >= now, row.changed_at + TICK), else_=now)
        connection.execute(update(row).where(row.id == name).values(changed_at=later))
        columns: list[Any] = list(row.__table__.columns)
        found = connection.execute(select(*columns).where(row.id == name)).one()
        yield Held(connection, found, found.changed_at, now)
