"""How often a criteria set agrees with people on all pairs of a dataset, told from the pairs they were asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from agents.criteria_set import CriteriaSet
from agents.unbiased_accuracy import Answered, Draws, Estimate, from_sample, naive, weighted
from services.annotation.dataset import row_of
from services.annotation.judged import answered_signs, criteria_votes, sign_of
from services.annotation.tables import OpenPairRow
from services.database import Database


class Accuracies(BaseModel):
    """An accuracy over all pairs of a dataset, estimated in three ways (`agents.unbiased_accuracy`).

    Attributes:
        random: from the random sample alone: unbiased, and wide.
        weighted: from all answered pairs, weighed back by the chance they had.
        naive: the plain share over all answered pairs: misled by the picking.
        population: pairs of the dataset.
        sampled: pairs in the random sample; pending: of those, not answered yet, or skipped by all who saw them.
        name: of the criterion; empty for the set's vote.
        mined: answered pairs that are left out (they count as undecided), as the set was mined from them; None where
            that is not known, so that the figures may be flattered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    random: Estimate
    weighted: Estimate
    naive: Estimate
    population: int
    sampled: int
    pending: int
    name: str = ""
    mined: int | None = 0


def unbiased_accuracy(database: Database, dataset: str, predictions: Mapping[str, int]) -> Accuracies:
    """How often predictions agree with what most of the votes that stand say; ties and undecided pairs do not count.

    Args:
        predictions: +1 for a, -1 for b, 0 for undecided, by pair hash; of the answered pairs at least. A pair that is
            not among them counts as undecided.

    Raises:
        NotThere: there is no such dataset.
    """
    with database.read() as connection:
        head = row_of(connection, dataset)
        return _estimated(connection, head, predictions)


def set_accuracy(
    database: Database, dataset: str, criteria: CriteriaSet, mined: Collection[str] | None = ()
) -> dict[str, Accuracies]:
    """The accuracy of a set's weighted vote (under the set's version) and of each criterion (under its hash).

    Judgments that are there already are used; pairs without any count as undecided.

    Args:
        database: where.
        dataset: id or name.
        criteria: the set.
        mined: hashes of the pairs that it was mined from, which say nothing of how good it is; None: not known.

    Raises:
        NotThere: there is no such dataset.
    """
    names = {member.criterion.hash: member.criterion.name for member in criteria.members}
    hashes = list(names)
    with database.read() as connection:
        head = row_of(connection, dataset)
        pairs = list(answered_signs(connection, head.id))
        votes = criteria_votes(connection, hashes, pairs)
        told = {h: dict(zip(pairs, votes.signs[i].tolist(), strict=True)) for i, h in enumerate(hashes)}
        together = np.sign(criteria.ballot.log_odds(votes)).astype(int).tolist()
        told[criteria.version] = dict(zip(pairs, together, strict=True))
        known = frozenset(mined or ())
        about = {"mined": None if mined is None else len(known.intersection(pairs))}
        return {
            key: _estimated(connection, head, {p: v for p, v in said.items() if p not in known}).model_copy(
                update={**about, "name": names.get(key, "")}
            )
            for key, said in told.items()
        }


def _estimated(connection: Connection, head: Any, predictions: Mapping[str, int]) -> Accuracies:
    row = OpenPairRow
    columns = (row.pair, row.state, row.drawn, row.left, row.probability, row.since, row.known, row.voters)
    query = select(*columns, row.for_a, row.for_b, row.ties).where(row.dataset == head.id)
    rows = list(connection.execute(query.order_by(row.lot, row.position)))
    places = [place for place, r in enumerate(rows) if r.voters]
    people = np.array([sign_of(rows[i].for_a, rows[i].for_b, rows[i].ties) for i in places], dtype=np.int64)
    said = np.array([predictions.get(rows[i].pair, 0) for i in places], dtype=np.int64)
    decided = ((people != 0) & (said != 0)).astype(np.float64)
    right = (people * said > 0).astype(np.float64)
    inside = np.array(places, dtype=np.int64) < head.sampled
    answered = [rows[i] for i in places]
    return Accuracies(
        random=from_sample(right[inside], decided[inside], head.sampled, len(rows)),
        weighted=weighted(right, decided, _draws([r for r in rows if r.drawn is not None]), _answered(answered)),
        naive=naive(right, decided),
        population=len(rows),
        sampled=head.sampled,
        pending=head.sampled - int(inside.sum()),
    )


def _draws(rows: Sequence[Any]) -> Draws:
    ordered = sorted(rows, key=lambda r: r.drawn)
    return Draws(np.array([r.probability for r in ordered], float), np.array([r.left for r in ordered], float))


def _answered(rows: Sequence[Any]) -> Answered:
    def whole(values: Iterable[int]) -> NDArray[np.int64]:
        return np.array(list(values), dtype=np.int64)

    return Answered(
        draw=whole(-1 if r.drawn is None else r.drawn for r in rows),
        since=whole(r.since for r in rows),
        known=whole(r.known for r in rows),
    )
