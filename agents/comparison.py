"""Two criteria sets compared on the same pairs, which neither was mined from: is the new one better than the old one?

Both vote on every pair, so the pairs on which they differ carry the evidence. The test is McNemar's (1947) in its exact
form: of the units on which the sets differ, does one side win more often than a coin would have it? Pairs that share
texts or groups are one unit (`agents.splitting`), which keeps the test exact where pairs hang together.

The interval of the difference is Newcombe's (1998, Statistics in Medicine 17:2635, method 10) for paired shares, at the
effective number of pairs (`agents.statistics.design_effect`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy import stats

from agents.statistics import Interval, design_effect, wilson

LEVEL = 0.95
GAIN = 0.05
"""The gain in accuracy of which `power` speaks: five points."""

FOUND = 0.8
"""The probability with which `noticeable` is found."""

Verdict = Literal["better", "worse", "no clear difference", "not compared"]
Signs = NDArray[np.int8]
Floats = NDArray[np.float64]


class SetComparison(BaseModel):
    """Old against new on pairs that people decided; a vote that balances counts as half right, as a coin would be.

    Attributes:
        n: pairs compared; ties: pairs that people tied, left out; unanswered: pairs left out for want of judgments.
        units: how many of the pairs stand apart from all others; effective: how many separate pairs they are worth.
        old_accuracy, new_accuracy: mean credit, in [0, 1].
        difference: new - old; low, high: its 95 % interval, in [-1, 1].
        discordant: units on which the two differ; won: of those, where the new one did better.
        p_value: exact, two-sided, that the two are equally good.
        power: probability that a true gain of five points would have been found (p <= .05) on these units.
        noticeable: the smallest true gain that would have been found four times in five; 1 if none would.
        verdict: `better` or `worse` where the interval and the test both leave 0 out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    ties: int = 0
    unanswered: int = 0
    units: int = 0
    effective: float = 0.0
    old_accuracy: float = 0.5
    new_accuracy: float = 0.5
    difference: float = 0.0
    low: float = -1.0
    high: float = 1.0
    discordant: int = 0
    won: int = 0
    p_value: float = 1.0
    power: float = 0.0
    noticeable: float = 1.0
    verdict: Verdict = "not compared"

    @property
    def told(self) -> str:
        """The comparison in a sentence or two."""
        if self.verdict == "not compared":
            why = "no judgment came of the sealed pairs" if self.unanswered else "no pair is new to both of them"
            return f"old and new were not compared: {why}"
        points = [100 * x for x in (self.difference, self.low, self.high)]
        return (
            f"{self.verdict}: {self.new_accuracy:.3f} against {self.old_accuracy:.3f} on {self.n} sealed pairs, a "
            f"difference of {points[0]:+.1f} points (95 % interval {points[1]:+.1f} to {points[2]:+.1f}); they differ "
            f"on {self.discordant} of {self.units} units and the new one wins {self.won} (p = {self.p_value:.3f}). A "
            f"true gain of {100 * GAIN:.0f} points would have been found {self.power:.0%} of the time"
        )


def compare_sets(
    old: Signs, new: Signs, truth: Signs, units: Sequence[str], answered: NDArray[np.bool_] | None = None
) -> SetComparison:
    """Compare two sets' votes.

    Args:
        old, new: (p,) signs of the weighted votes: +1 for A, -1 for B, 0 where they balance.
        truth: (p,) people's signs, 0 for a tie.
        units: (p,) which pairs hang together.
        answered: (p,) False where a set's judgments never came, which is no evidence against it; all True if None.

    Raises:
        ValueError: the arguments differ in length.
    """
    if len({len(old), len(new), len(truth), len(units)}) != 1:
        sizes = f"{len(old)} old and {len(new)} new votes, {len(truth)} truths, {len(units)} units"
        raise ValueError(f"{sizes}; give one of each for every pair")
    there = np.ones(len(truth), dtype=bool) if answered is None else answered
    use = (truth != 0) & there
    counts = {"n": int(use.sum()), "ties": int((truth == 0).sum()), "unanswered": int(((truth != 0) & ~there).sum())}
    if not use.any():
        return SetComparison(**counts)
    credits = [(1.0 + signs[use].astype(np.float64) * truth[use]) / 2.0 for signs in (old, new)]
    return _compared(credits[0], credits[1], [u for u, used in zip(units, use, strict=True) if used], counts)


def _compared(old: Floats, new: Floats, units: Sequence[str], counts: dict[str, int]) -> SetComparison:
    effect = design_effect(units)
    interval = paired_interval(old, new, effect)
    gains = _by_unit(new - old, units)
    discordant, won = int((gains != 0).sum()), int((gains > 0).sum())
    p_value = float(stats.binomtest(won, discordant, 0.5).pvalue) if discordant else 1.0
    share = (discordant + 1) / (len(gains) + 2)
    return SetComparison(
        **counts, units=len(gains), effective=len(old) / effect, old_accuracy=float(old.mean()),
        new_accuracy=float(new.mean()), difference=float(new.mean() - old.mean()), low=interval.low, high=interval.high,
        discordant=discordant, won=won, p_value=p_value, power=power(len(gains), share, GAIN),
        noticeable=noticeable(len(gains), share), verdict=_verdict(interval, p_value),
    )  # fmt: skip


def paired_interval(old: Floats, new: Floats, effect: float = 1.0, level: float = LEVEL) -> Interval:
    """Newcombe's interval (method 10) of mean(new) - mean(old).

    Args:
        old, new: (p,) credits in [0, 1] on the same pairs, p >= 1; half credits are allowed.
        effect: design effect >= 1; the pairs count as p / effect.
        level: nominal coverage, in (0, 1).
    """
    n = len(old) / effect
    ends = [wilson(float(x.mean()) * n, n, level) for x in (old, new)]
    means = [float(x.mean()) for x in (old, new)]
    down = [m - e.low for m, e in zip(means, ends, strict=True)]
    up = [e.high - m for m, e in zip(means, ends, strict=True)]
    correlation = _correlation(old, new, n)
    difference = means[1] - means[0]
    below, above = _joined(down[1], up[0], correlation), _joined(up[1], down[0], correlation)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above), level)


def power(units: int, discordant: float, gain: float) -> float:
    """Probability that the exact two-sided test finds a gain (p <= .05).

    Args:
        units: how many there are.
        discordant: share of them, in (0, 1], on which the sets are expected to differ; at least `gain`.
        gain: true difference of the accuracies, in (0, 1].
    """
    share = max(discordant, gain)
    wins = min(1.0, (share + gain) / (2 * share))
    differing = np.arange(units + 1)
    needed = stats.binom.isf((1 - LEVEL) / 2, differing, 0.5) + 1
    found = stats.binom.sf(needed - 1, differing, wins)
    return float(stats.binom.pmf(differing, units, share) @ np.where(differing > 0, found, 0.0))


def noticeable(units: int, discordant: float) -> float:
    """The smallest gain, in whole points, that is found with a probability of at least `FOUND`; 1 if none is."""
    low, high = 1, 100
    if power(units, discordant, 1.0) < FOUND:
        return 1.0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(units, discordant, middle / 100) >= FOUND else (middle + 1, high)
    return low / 100


def _joined(one: float, other: float, correlation: float) -> float:
    return float(np.sqrt(max(0.0, one * one + other * other - 2 * correlation * one * other)))


def _correlation(old: Floats, new: Floats, n: float) -> float:
    """Of the credits, with Newcombe's continuity correction where it is positive; 0 where one of them never varies."""
    spread = float(old.std() * new.std())
    if spread == 0.0:
        return 0.0
    together = float(((old - old.mean()) * (new - new.mean())).mean())
    return (max(0.0, together - 1 / (2 * n)) if together > 0 else together) / spread


def _by_unit(gains: Floats, units: Sequence[str]) -> Floats:
    """Sum of the gains in each unit."""
    _, at = np.unique(np.asarray(units), return_inverse=True)
    return np.round(np.bincount(at, weights=gains), 9)


def _verdict(interval: Interval, p_value: float) -> Verdict:
    if p_value > 1 - LEVEL or interval.low <= 0 <= interval.high:
        return "no clear difference"
    return "better" if interval.low > 0 else "worse"
