"""Intervals, shrinkage and tests; each function says where its method comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats


@dataclass(frozen=True)
class Interval:
    """A two-sided interval.

    Attributes:
        low, high: its ends; for a share, in [0, 1].
        level: nominal coverage, e.g. 0.95.
    """

    low: float
    high: float
    level: float = 0.95


def wilson(right: float, n: float, level: float = 0.95) -> Interval:
    """Score interval for a share (Wilson 1927); (0, 1) when n is 0. Half points (ties) are allowed."""
    if n <= 0:
        return Interval(0.0, 1.0, level)
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(float(max(0.0, middle - half)), float(min(1.0, middle + half)), level)


WITHIN_UNIT = 0.1
"""Correlation of right and wrong between pairs of one unit (a group, or pairs that share texts).

Over development groups of benchmarks/people.py it was .11, .02 and .24 on the three files; docs/benchmarks.md."""


def design_effect(units: Sequence[str], correlation: float = WITHIN_UNIT) -> float:
    """By how much pairs that hang together are worth less than as many separate ones (Kish 1965, section 5.4).

    Args:
        units: the unit of each pair.
        correlation: within units, in [0, 1].

    Returns:
        1 + (m - 1) x correlation for a mean unit size m as a pair meets it; 1 for separate pairs or none.
    """
    sizes = np.array(list(Counter(units).values()), dtype=np.float64)
    met = float(np.square(sizes).sum() / sizes.sum()) if len(sizes) else 1.0
    return 1.0 + (met - 1.0) * correlation


@dataclass(frozen=True)
class Beta:
    """A beta distribution of an accuracy: `mean` in (0, 1) worth `size` observations (> 0)."""

    mean: float
    size: float

    def after(self, right: float, n: float) -> Beta:
        """The posterior once `right` of `n` answers were right (beta-binomial conjugacy)."""
        size = self.size + n
        return Beta((self.mean * self.size + right) / size, size)

    def interval(self, level: float = 0.95) -> Interval:
        """Equal-tailed credible interval."""
        ends = np.array([(1 - level) / 2, (1 + level) / 2])
        low, high = special.betaincinv(self.mean * self.size, (1 - self.mean) * self.size, ends)
        return Interval(float(low), float(high), level)

    def above(self, threshold: float) -> float:
        """Probability that the accuracy exceeds `threshold`."""
        return float(special.betaincc(self.mean * self.size, (1 - self.mean) * self.size, threshold))


def better_than_chance(right: int, n: int) -> float:
    """One-sided exact binomial p value against an accuracy of 1/2; 1.0 when n is 0."""
    return float(stats.binomtest(right, n, 0.5, alternative="greater").pvalue) if n else 1.0


def q_values(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Benjamini-Hochberg adjusted p values (1995), in the order given."""
    if not len(p_values):
        return np.empty(0)
    return np.asarray(stats.false_discovery_control(np.asarray(p_values, dtype=np.float64), method="bh"))


def paired_gain(old: NDArray[np.int8], new: NDArray[np.int8]) -> float:
    """One-sided exact sign test (McNemar 1947) that `new` is right more often than `old` on the same pairs.

    Args:
        old, new: (p,) scores, +1 right, -1 wrong, 0 no decision.

    Returns:
        p value; 1.0 when they never differ.
    """
    gain = np.sign(new.astype(np.int16) - old.astype(np.int16))
    wins, losses = int((gain > 0).sum()), int((gain < 0).sum())
    return better_than_chance(wins, wins + losses)
