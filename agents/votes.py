"""Judgments of many criteria on many pairs as arrays, the form that every statistic reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.judgments import Judgment, Order

SEEN: dict[Order, int] = {"ab": 1, "ba": 2}

DECIDED, ABSTAINED, MISSING = 1, 2, 3
"""Cell states. MISSING stands for `invalid` and `failed`: asked, but no evidence came."""


@dataclass(frozen=True)
class Votes:
    """What each criterion says of each pair, both orders merged.

    Attributes:
        criteria: c content hashes (rows).
        pairs: p content hashes (columns).
        signs: (c, p) int8, +1 for A, -1 for B, 0 for no decision.
        states: (c, p) uint8, 0 where nothing was asked, else ABSTAINED, DECIDED or MISSING.
        flipped: (c, p) bool, True where judgments of the cell decided both ways: with one of each order, such a cell
            counts as abstained; with more, the majority of them stands.
        margins: (c, p) float32 in [0, 1], how clear a decided cell is.
        twice: (c, p) bool, True where evidence came of both orders.
    """

    criteria: tuple[str, ...]
    pairs: tuple[str, ...]
    signs: NDArray[np.int8]
    states: NDArray[np.uint8]
    flipped: NDArray[np.bool_]
    margins: NDArray[np.float32]
    twice: NDArray[np.bool_]

    def rows(self, criteria: Sequence[str]) -> Votes:
        """The same votes for these criteria only, in this order."""
        at = [self.criteria.index(c) for c in criteria]
        parts = (self.signs[at], self.states[at], self.flipped[at], self.margins[at], self.twice[at])
        return Votes(tuple(criteria), self.pairs, *parts)

    def columns(self, keep: Sequence[int] | NDArray[np.bool_]) -> Votes:
        """The same votes for these pairs only (indices or a mask)."""
        at = np.flatnonzero(keep) if isinstance(keep, np.ndarray) else np.asarray(keep, dtype=int)
        pairs = tuple(self.pairs[i] for i in at)
        cut = (slice(None), at)
        parts = (self.signs[cut], self.states[cut], self.flipped[cut], self.margins[cut], self.twice[cut])
        return Votes(self.criteria, pairs, *parts)


Cell = tuple[str, str, Order, Judgment]
"""Hashes of criterion and pair, the order in which the pair was shown, and the judgment."""


def tally(criteria: Sequence[str], pairs: Sequence[str], cells: Iterable[Cell]) -> Votes:
    """Merge judgments of any number of orders and samples into one cell a pair.

    A cell is DECIDED by the majority of its decided judgments if none of the other side equals it,
    ABSTAINED (and flipped) if the sides balance, MISSING if no judgment of it is evidence.

    Raises:
        ValueError: a criterion or a pair stands twice.
    """
    if len(set(pairs)) < len(pairs) or len(set(criteria)) < len(criteria):
        raise ValueError("a criterion or a pair stands twice; a grid has one cell for each criterion and pair")
    row, column = {c: i for i, c in enumerate(criteria)}, {p: i for i, p in enumerate(pairs)}
    shape = (len(row), len(column))
    ups, downs, evidence, asked, seen = (np.zeros(shape, dtype=np.int32) for _ in range(5))
    margins = np.zeros(shape, dtype=np.float64)
    for criterion, pair, order, judgment in cells:
        at = row[criterion], column[pair]
        asked[at] += 1
        seen[at] |= SEEN[order] if judgment.status in ("decided", "abstained") else 0
        evidence[at] += judgment.status in ("decided", "abstained")
        ups[at] += judgment.sign > 0
        downs[at] += judgment.sign < 0
        margins[at] += judgment.sign * judgment.margin
    signs = np.sign(ups - downs).astype(np.int8)
    states = np.where(asked == 0, 0, np.where(evidence == 0, MISSING, np.where(signs != 0, DECIDED, ABSTAINED)))
    clear = np.abs(margins) / np.maximum(ups + downs, 1)
    flipped, twice = (ups > 0) & (downs > 0), seen == SEEN["ab"] | SEEN["ba"]
    return Votes(
        tuple(criteria), tuple(pairs), signs, states.astype(np.uint8), flipped, clear.astype(np.float32), twice
    )
