"""What the criteria of a set say of a dataset's pairs, from judgments that are there already; how good they seem."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from agents.criteria_set import CriteriaSet
from agents.judgments import REUSABLE, Judgment
from agents.next_pair import PRIOR_RIGHT, PRIOR_WRONG, Belief, belief_of
from agents.votes import Cell, Votes, tally
from services.annotation.dataset import row_of
from services.annotation.tables import OpenPairRow
from services.annotation.tallies import chunks
from services.database import Database
from services.tables import JudgmentRow

LABELLED = 2000
"""Most answered pairs that the belief is formed on; the first of the random order, so that it favours none."""

_KEPT = 64
_FORMED: OrderedDict[tuple[str, str, str, int], Belief] = OrderedDict()


@dataclass(frozen=True)
class Judged:
    """A set's criteria (content hashes) and what is known of their accuracies."""

    criteria: tuple[str, ...]
    belief: Belief


def judged(database: Database, dataset: str, criteria_set: CriteriaSet | None) -> Judged | None:
    """What is known of the set's criteria by a dataset's votes; None without a set.

    It is formed anew each time the number of votes has grown by about a twentieth: in between, an older belief only
    picks a little less well.
    """
    if criteria_set is None or not criteria_set.members:
        return None
    criteria = tuple(member.criterion.hash for member in criteria_set.members)
    with database.read() as connection:
        row = row_of(connection, dataset)
        key = (str(database.url), str(row.id), criteria_set.version, int(20 * math.log1p(row.votes)))
        if key not in _FORMED:
            _FORMED[key] = _form(connection, row.id, criteria_set)
            while len(_FORMED) > _KEPT:
                _FORMED.popitem(last=False)
    return Judged(criteria, _FORMED[key])


def criteria_votes(connection: Connection, criteria: Sequence[str], pairs: Sequence[str]) -> Votes:
    """Everything that judges said of these pairs by these criteria: all orders, samples and judges merged."""
    row = JudgmentRow
    columns = (row.key, row.criterion, row.pair, row.order, row.status, row.verdict, row.margin)
    cells: list[Cell] = []
    for some in chunks(sorted(set(pairs))):
        query = select(*columns).where(
            row.criterion.in_(criteria), row.pair.in_(some), row.status.in_(sorted(REUSABLE))
        )
        for r in connection.execute(query):
            judgment = Judgment(key=r.key, status=r.status, verdict=r.verdict, margin=r.margin)
            cells.append((r.criterion, r.pair, r.order, judgment))
    return tally(criteria, pairs, cells)


def answered_signs(connection: Connection, dataset: str, most: int | None = None) -> dict[str, int]:
    """What most votes that stand say of each answered pair: +1 for a, -1 for b, 0 for a tie; in the random order."""
    row = OpenPairRow
    query = select(row.pair, row.for_a, row.for_b, row.ties).where(row.dataset == dataset, row.voters > 0)
    query = query.order_by(row.lot, row.position)
    found = connection.execute(query.limit(most) if most else query)
    return {r.pair: sign_of(r.for_a, r.for_b, r.ties) for r in found}


def sign_of(for_a: int, for_b: int, ties: int) -> int:
    """The answer that has most votes; 0 if it is a tie, or two share the lead."""
    if for_a == for_b or ties >= max(for_a, for_b):
        return 0
    return 1 if for_a > for_b else -1


def _form(connection: Connection, dataset: str, criteria_set: CriteriaSet) -> Belief:
    signs = answered_signs(connection, dataset, LABELLED)
    criteria = [member.criterion.hash for member in criteria_set.members]
    votes = criteria_votes(connection, criteria, list(signs))
    truth: NDArray[np.int8] = np.array(list(signs.values()), dtype=np.int8)
    if (votes.signs * truth[None, :]).any():
        return belief_of(votes, truth)
    mined = [member.mining for member in criteria_set.members]
    right = np.array([float(m.right) for m in mined])
    wrong = np.array([float(m.decided - m.right) for m in mined])
    return Belief(PRIOR_RIGHT + right, PRIOR_WRONG + np.maximum(wrong, 0.0))
