"""Pairs that the same person answered twice: what tells whether annotators moved.

Each repeat is held against the person's first answer. Held against the one just before, a single slip would count
twice, there and back; the test for drift (agents.drift.annotator_drift) takes repeats for independent once the first is
given.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from services.annotation.dataset import row_of
from services.annotation.tables import VoteRow
from services.annotation.vote import StoredVote
from services.database import Database


class Repeat(BaseModel):
    """Two answers of one person on one pair.

    Attributes:
        first, second: the person's first vote that was not withdrawn, and a later one.
        planned: whether the later one was asked for as a repeat; otherwise it is a change of mind, which people make
            where they see a mistake, and says little of drift.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: StoredVote
    second: StoredVote
    planned: bool

    @property
    def flipped(self) -> bool:
        """Whether the two differ."""
        return self.first.choice != self.second.choice

    @property
    def same_order(self) -> bool | None:
        """Whether the texts were shown in the same order both times; None where that is not known."""
        both = self.first.shown, self.second.shown
        return None if "" in both else both[0] == both[1]


def repeats(database: Database, dataset: str, since: float = 0.0, *, planned: bool | None = None) -> list[Repeat]:
    """Repeated answers whose later one came in after a moment, by the time of the later one.

    Only answers with a time of their own count: a file of settled votes says nothing of when each was given.

    Args:
        since: as for `votes_since`.
        planned: only planned ones, or only others; None: both.

    Raises:
        NotThere: there is no such dataset.
    """
    row = VoteRow
    with database.read() as connection:
        query = select(row.__table__).where(
            row.dataset == row_of(connection, dataset).id, row.source != "upload", row.annotator != ""
        )
        rows = connection.execute(query.order_by(row.annotator, row.pair, row.at, row.id))
        found = [pair for pair in _pairs(map(StoredVote.of, rows)) if pair.second.recorded_at > since]
    kept = [pair for pair in found if planned is None or pair.planned == planned]
    return sorted(kept, key=lambda pair: (pair.second.at, pair.second.id))


def _pairs(votes: Iterator[StoredVote]) -> Iterator[Repeat]:
    for _, group in groupby(votes, key=lambda vote: (vote.annotator, vote.pair)):
        mine = list(group)
        gone = {vote.withdraws for vote in mine}
        stand = [vote for vote in mine if vote.choice in ("a", "b", "tie") and vote.id not in gone]
        for second in stand[1:]:
            yield Repeat(first=stand[0], second=second, planned=second.why == "repeat")
