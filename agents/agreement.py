"""How far people agree about the pairs: a judge cannot be expected to agree with them more than they do.

Krippendorff's alpha for nominal data (Krippendorff 2004, "Content Analysis", chapter 11): 1 - observed / expected
disagreement. Which side a text stands on is arbitrary, so expected disagreement is taken from the votes as they are
and with all sides exchanged: alpha then does not depend on the sides, and a file whose better text always stands first
is not punished for it. Where "a" and "b" were given equally often this is exactly the usual alpha.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.pairs import Vote

Floats = NDArray[np.float64]
_COLUMNS = {"a": 0, "b": 1, "tie": 2}
_MIRROR = [1, 0, 2]


@dataclass(frozen=True)
class Agreement:
    """Agreement between annotators.

    Attributes:
        alpha: Krippendorff's alpha in [-1, 1]; 1 is full agreement, 0 is chance; NaN if every vote is a tie.
        low, high: percentile bootstrap interval of alpha over pairs.
        level: coverage that the interval aims at, in (0, 1).
        raw: share of agreeing annotator pairs, averaged over pairs of texts, in [0, 1].
        pairs: pairs with two votes or more; the others say nothing about agreement.
        votes: votes on those pairs.
    """

    alpha: float
    low: float
    high: float
    level: float
    raw: float
    pairs: int
    votes: int


def agreement(
    ballots: Sequence[Sequence[Vote]], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Agreement | None:
    """Measure agreement over the pairs that have two votes or more.

    Args:
        ballots: for each pair its votes, any number.
        resamples: bootstrap resamples of pairs (>= 1).
        level: coverage of the interval, in (0, 1).
        seed: seed of the bootstrap; the same seed gives the same interval.

    Returns:
        The agreement, or None if no pair has two votes.
    """
    counts = np.array([_tally(ballot) for ballot in ballots if len(ballot) > 1], dtype=np.float64).reshape(-1, 3)
    if not len(counts):
        return None
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    coincidences = _coincidences(patterns)
    drawn = np.random.default_rng(seed).multinomial(len(counts), times / times.sum(), size=resamples)
    low, high = _interval(_alpha(drawn @ coincidences), level)
    return Agreement(
        alpha=float(_alpha(times[None, :] @ coincidences)[0]),
        low=low,
        high=high,
        level=level,
        raw=float(times @ _raw(patterns) / times.sum()),
        pairs=len(counts),
        votes=int(counts.sum()),
    )


def _tally(ballot: Sequence[Vote]) -> list[int]:
    row = [0, 0, 0]
    for vote in ballot:
        row[_COLUMNS[vote.preferred]] += 1
    return row


def _raw(patterns: Floats) -> Floats:
    """(n, 3) vote counts -> (n,) share of annotator pairs that agree."""
    votes = patterns.sum(axis=1)
    agreeing: Floats = (patterns * (patterns - 1)).sum(axis=1) / (votes * (votes - 1))
    return agreeing


def _coincidences(patterns: Floats) -> Floats:
    """(n, 3) vote counts -> (n, 9) coincidences that each pair adds (Krippendorff 2004, section 11.3)."""
    together = patterns[:, :, None] * patterns[:, None, :]
    together[:, range(3), range(3)] -= patterns
    flat: Floats = (together / (patterns.sum(axis=1) - 1)[:, None, None]).reshape(len(patterns), 9)
    return flat


def _alpha(sums: Floats) -> Floats:
    """(r, 9) summed coincidences -> (r,) alpha, NaN where the votes do not vary at all."""
    seen = sums.reshape(-1, 3, 3)
    seen = (seen + seen[:, _MIRROR][:, :, _MIRROR]) / 2
    marginal = seen.sum(axis=2)
    total = marginal.sum(axis=1)
    observed = total - np.trace(seen, axis1=1, axis2=2)
    expected = (total**2 - (marginal**2).sum(axis=1)) / (total - 1)
    return np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1), math.nan)


def _interval(alphas: Floats, level: float) -> tuple[float, float]:
    """Percentile interval, leaving out resamples whose votes do not vary."""
    known = alphas[~np.isnan(alphas)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
