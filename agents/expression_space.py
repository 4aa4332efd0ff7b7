"""The space of expressions that a statistical manager searches, and how well each fits a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agents.sample import Sample, Signs, round_margin, signs_of
from agents.signals import SIGNALS
from agents.statistics import Beta
from knowledge_base.criterion import Criterion, Direction

DOUBT = Beta(0.5, 30.0)
"""Prior of an expression that nobody but the search speaks for: half right, worth a whole small sample."""

MARGIN_SHARE = 0.15
"""Share of differing pairs on which a searched expression abstains."""

SAME_VOTES = 0.8
"""Cosine of vote vectors from which two expressions count as one (absolute value)."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An expression bound to a direction and a margin, with its votes and fit on a sample."""

    expression: str
    direction: Direction
    margin: float
    votes: Signs
    truth: Signs

    @property
    def scores(self) -> Signs:
        """(p,) +1 where it decided as people did, -1 where against them, else 0."""
        return (self.votes * self.truth).astype(np.int8)

    @property
    def right(self) -> int:
        """Pairs decided as people did."""
        return int((self.votes * self.truth > 0).sum())

    @property
    def decided(self) -> int:
        """Pairs decided, people's ties left out."""
        return int((self.votes * self.truth != 0).sum())

    @cached_property
    def fit(self) -> float:
        """Strength with the accuracy shrunken towards one half: coverage x (2 mean - 1), in [-1, 1]."""
        pairs = max(int((self.truth != 0).sum()), 1)
        return self.decided / pairs * (2 * DOUBT.after(self.right, self.decided).mean - 1)


def bind(expression: str, sample: Sample, share: float = MARGIN_SHARE, direction: Direction | None = None) -> Candidate:
    """Give an expression a margin and, unless one is given, the direction that fits the sample better."""
    gaps = sample.gaps(expression)
    margin = round_margin(gaps, share)
    higher = Candidate(expression, "higher", margin, signs_of(gaps, margin, True), sample.truth)
    lower = Candidate(expression, "lower", margin, (-higher.votes).astype(np.int8), sample.truth)
    if direction is not None:
        return higher if direction == "higher" else lower
    return max(higher, lower, key=lambda c: c.fit)


def single(name: str) -> str:
    """A signal as an expression; open-ended counts and rates by their logarithm, so that none dominates."""
    known = SIGNALS[name]
    return f"log1p({name})" if np.isinf(known.high) and known.low >= 0 else name


def variants(criterion: Criterion, sample: Sample, partners: Sequence[str]) -> list[Candidate]:
    """What a criterion could become: other margins, the other direction, by length, or joined by a second signal."""
    base, direction = criterion.expression, criterion.direction
    found = [bind(base, sample, share, direction) for share in (0.0, 0.15, 0.3, 0.5)]
    found.append(bind(base, sample))
    found.append(bind(f"({base}) / sqrt(words + 1)", sample, direction=direction))
    for partner in partners:
        found.extend(_joined(criterion, partner, sample))
    return found


def distinct(candidates: Sequence[Candidate], taken: Sequence[Signs] = ()) -> list[Candidate]:
    """The candidates in order, leaving out any that votes like one before it or like one of `taken`."""
    if not candidates:
        return []
    units = _units([c.votes for c in candidates])
    nearest = np.abs(units @ _units(taken).T).round(9).max(axis=1) if taken else np.zeros(len(candidates))
    alike = np.abs(units @ units.T).round(9) >= SAME_VOTES
    chosen: list[int] = []
    for i in range(len(candidates)):
        if nearest[i] < SAME_VOTES and not alike[i, chosen].any():
            chosen.append(i)
    return [candidates[i] for i in chosen]


def _units(votes: Sequence[Signs]) -> NDArray[np.float64]:
    """(n, p) vote vectors of length 1; a vector that never decides stays 0."""
    matrix = np.array(votes, dtype=np.float64)
    return np.asarray(matrix / np.maximum(np.sqrt(np.square(matrix).sum(axis=1, keepdims=True)), 1e-12))


def _joined(criterion: Criterion, partner: str, sample: Sample) -> list[Candidate]:
    """The criterion's expression plus and minus a second one, each scaled to its usual difference."""
    own, other = _scale(criterion.expression, sample), _scale(partner, sample)
    if not own or not other:
        return []
    ratio = float(f"{own / other:.2g}")
    return [bind(f"({criterion.expression}) {sign} {ratio:g} * {partner}", sample, direction=criterion.direction)
            for sign in "+-"]  # fmt: skip


def _scale(expression: str, sample: Sample) -> float:
    gaps = sample.gaps(expression)
    finite = gaps[np.isfinite(gaps) & (gaps != 0)]
    return float(np.sqrt(np.mean(np.square(finite)))) if len(finite) else 0.0
