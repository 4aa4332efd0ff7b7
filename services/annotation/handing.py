"""Handing pairs to annotators: for what they are expected to teach, at random for a known share, and some twice.

One assignment is made at a time in each dataset, whoever asks; what is decided by chance follows from the dataset's
secret and the number of the turn, so that asking again, dropping pairs or writing texts cleverly steers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, update

from agents.criteria_set import CriteriaSet
from agents.next_pair import chances, draw_probability, label_information, vote_information
from knowledge_base.errors import InputError
from services.annotation.assignment import Assignment, assignment_where
from services.annotation.judged import Judged, criteria_votes, judged
from services.annotation.lots import token, uniform
from services.annotation.moment import Held, held
from services.annotation.tables import AssignmentRow, OpenPairRow
from services.annotation.vote import Why
from services.annotation.windows import WINDOW, Windows, live
from services.database import Database

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Pick:
    pair: str
    why: Why
    probability: float | None = None


def next_pair(
    database: Database, dataset: str, annotator: str, *, criteria: CriteriaSet | None = None
) -> Assignment | None:
    """The pair that an annotator should see next. Whoever holds one that is not answered gets the same again.

    Args:
        dataset: id or name.
        annotator: 1 to 200 characters.
        criteria: a set whose judgments on the dataset's pairs say what a label is expected to teach; None: pairs
            without votes come first, in random order.

    Returns:
        None if there is nothing left for this annotator, or all that is left is held by others.

    Raises:
        NotThere: there is no such dataset.
        InputError: the annotator's name will not do.
    """
    if not annotator.strip() or len(annotator) > 200 or "\x00" in annotator:
        raise InputError(f"the annotator is {annotator[:60]!r}; give a name of 1 to 200 characters")
    known = judged(database, dataset, criteria)
    with held(database, dataset) as now:
        return _held_already(now, annotator) or _Turn(now, annotator, known).take()


def _held_already(held: Held, annotator: str) -> Assignment | None:
    row = AssignmentRow
    mine = (row.dataset == held.id, row.annotator == annotator, live(row, held.now))
    found = assignment_where(held.connection, *mine)
    return found[0] if found else None


class _Turn:
    """One assignment in the making."""

    def __init__(self, held: Held, annotator: str, known: Judged | None) -> None:
        self._held, self._annotator, self._known = held, annotator, known
        self._windows = Windows(held, annotator)
        self._sampling = held.sampling
        self._number = int(held.row.turns)

    def take(self) -> Assignment | None:
        """Decide, keep the assignment, and give it back."""
        pick = self._repeat() or self._pending() or self._further_first() or self._draw() or self._further()
        self._held.change(turns=self._number + 1)
        return self._assign(pick) if pick else None

    def _coin(self, what: str) -> float:
        return uniform(self._held.row.secret, what, self._number)

    def _repeat(self) -> _Pick | None:
        if self._coin("repeat") >= self._sampling.share_repeat:
            return None
        pairs = self._windows.repeatable(self._sampling.repeat_after)
        return _Pick(pairs[int(self._coin("which repeat") * len(pairs))], "repeat") if pairs else None

    def _pending(self) -> _Pick | None:
        """What was drawn must be answered, or the estimates would rest on what people like to answer."""
        found = self._windows.pending()
        return _Pick(found.pair, found.why or "further", found.probability) if found else None

    def _further_first(self) -> _Pick | None:
        """Where several people are wanted for each pair, as large a share of the turns goes to further votes."""
        wanted = self._sampling.votes_wanted
        return self._further() if self._coin("further") < (wanted - 1) / wanted else None

    def _further(self) -> _Pick | None:
        if self._sampling.votes_wanted == 1:
            return None
        found = self._windows.further(self._sampling.votes_wanted)
        if not found:
            return None
        chance = chances(vote_information(np.array([[r.for_a, r.for_b, r.ties] for r in found], dtype=np.float64)))
        return _Pick(found[_drawn(chance, self._coin("which further"))].pair, "further")

    def _draw(self) -> _Pick | None:
        """A pair that nobody has seen: by the random order, or by information."""
        fresh = self._windows.fresh()
        if not fresh:
            return None
        behind = self._behind()
        random = self._coin("random") < self._sampling.share_random
        if behind is not None and random:
            self._mark(behind.pair, why="random")
            return _Pick(behind.pair, "random")
        share = 0.0 if behind is not None else self._sampling.share_random
        outside = int(self._held.row.pairs) - int(self._held.row.sampled)
        found = self._by_order(outside) if random and behind is None else None
        return self._drawn(found, fresh, outside, share)

    def _behind(self) -> Any:
        """A fresh pair that came in behind the place to which the random order was gone through; None if none did."""
        sampled = int(self._held.row.sampled)
        first = self._windows.first_fresh() if sampled else None
        if first is None:
            return None
        last = self._windows.at(sampled - 1)
        return first if (first.lot, first.position) <= (last.lot, last.position) else None

    def _by_order(self, outside: int) -> Any:
        """Go one place on in the random order; the pair there, or None if it was drawn or answered already."""
        if not outside:
            return None
        found = self._windows.at(int(self._held.row.sampled))
        self._held.change(sampled=int(self._held.row.sampled) + 1)
        return found if found.state == "fresh" else None

    def _drawn(self, found: Any, fresh: int, outside: int, share: float) -> _Pick:
        """Draw one of the fresh pairs: `found` if the random order gave it, else one by information.

        A window is put around `found` with the chances that a window drawn for information has to hold it, so that
        both ways of being drawn are weighed alike.
        """
        size = min(WINDOW, fresh)
        coin = self._coin("window")
        start = (self._windows.fresh_before(found) - int(coin * size)) % fresh if found else int(coin * fresh)
        pairs = self._windows.around(0 if size == fresh else start, size)
        chance = chances(self._information(pairs))
        at = pairs.index(found.pair) if found else _drawn(chance, self._coin("which pair"))
        probability = draw_probability(float(chance[at]), size, fresh, outside, share)
        why: Why = "random" if found else "information"
        number = int(self._held.row.draws)
        self._held.change(draws=number + 1)
        self._mark(pairs[at], why=why, drawn=number, left=fresh, probability=probability)
        return _Pick(pairs[at], why, probability)

    def _information(self, pairs: list[str]) -> Floats:
        """(p,) what each pair's label is expected to teach; NaN where no criterion was asked."""
        if self._known is None:
            return np.ones(len(pairs))
        votes = criteria_votes(self._held.connection, self._known.criteria, pairs)
        found = label_information(votes, self._known.belief)
        return np.where((votes.states > 0).any(axis=0), found, np.nan)

    def _mark(self, pair: str, **columns: Any) -> None:
        row = OpenPairRow
        here = update(row).where(row.dataset == self._held.id, row.pair == pair)
        self._held.connection.execute(here.values(state="drawn", known=self._held.row.draws, **columns))

    def _assign(self, pick: _Pick) -> Assignment:
        occasion = self._windows.occasions(pick.pair) if pick.why == "repeat" else 0
        row, held = AssignmentRow, self._held
        name = token(held.row.secret, "assignment", self._number)
        until = held.now + self._sampling.lease_seconds
        slot = None if occasion else self._slot(pick.pair)
        mine = (row.dataset == held.id, row.pair == pick.pair, row.annotator == self._annotator)
        again = (
            update(row)
            .where(*mine, row.occasion == occasion, row.vote == "")
            .values(until=until, made_at=held.now, slot=slot)
        )
        if not held.connection.execute(again).rowcount:
            fields = {
                "id": name, "dataset": held.id, "pair": pick.pair, "annotator": self._annotator, "occasion": occasion,
                "turn": self._number, "slot": slot, "why": pick.why, "probability": pick.probability,
                "shown": self._order(pick.pair, occasion), "made_at": held.now, "until": until,
            }  # fmt: skip
            held.connection.execute(row.__table__.insert(), [fields])  # type: ignore[attr-defined]
        found = assignment_where(held.connection, *mine, row.occasion == occasion)
        assert found is not None
        return found[0]

    def _order(self, pair: str, occasion: int) -> str:
        """Which text comes first: by chance for the pair's first reader and for repeats, then turn and turn about."""
        secret = self._held.row.secret
        if occasion:
            return "ab" if uniform(secret, "shown", pair, self._annotator, occasion) < 0.5 else "ba"
        row = AssignmentRow
        query = select(func.count()).where(row.dataset == self._held.id, row.pair == pair, row.occasion == 0)
        turned = int(self._held.connection.execute(query).scalar_one()) % 2
        return "ab" if (uniform(secret, "shown", pair) < 0.5) != bool(turned) else "ba"

    def _slot(self, pair: str) -> int:
        """The first place at a pair that nobody has; those whose lease is over give theirs up."""
        row, held = AssignmentRow, self._held
        here = (row.dataset == held.id, row.pair == pair)
        over = update(row).where(*here, row.vote == "", ~live(row, held.now))
        held.connection.execute(over.values(slot=None))
        taken = {r.slot for r in held.connection.execute(select(row.slot).where(*here, row.slot.is_not(None)))}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)


def _drawn(chance: Floats, coin: float) -> int:
    """The place that a number in [0, 1) falls on."""
    return min(int(np.searchsorted(np.cumsum(chance), coin, side="right")), len(chance) - 1)
