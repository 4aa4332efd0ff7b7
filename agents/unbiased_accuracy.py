"""How often criteria agree with people on *all* pairs, told from pairs that were not picked at random.

Pairs that were picked because criteria disagree on them are harder than others: a plain share over the pairs that
people were asked about comes out too low, however many they are. Two estimates are not so misled:

- *the random sample*: pairs that a random order, fixed before anything was known, has come to. A simple random sample
  without replacement; a Wilson interval with the finite population's correction (Cochran 1977, section 3.2).
- *weighted*: every draw, weighed back by the chance it had. After m draws, known answers plus the m-th divided by its
  chance estimate the total over all pairs without bias (Des Raj 1956, "Some estimators in sampling with varying
  probabilities without replacement"). Over all m they are averaged with weights 1 / (r (r - 1)), r being the pairs left
  before the draw: this is the estimator of Farquhar, Gal and Rainforth 2021 ("On statistical bias in active learning",
  R_LURE; used for testing by Kossen et al. 2021, "Active testing"), which is the plain mean where draws are uniform and
  exact once all pairs are drawn. Here it is kept for pairs that come and go: a pair counts in those terms only that
  were drawn after it had come, and counts as known once people answered it without being drawn. An accuracy is a ratio
  of two such totals (Hajek 1971); its variance sums the squares of the martingale differences.

The *naive* share over everything that was answered stands beside them, to show what the picking does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agents.statistics import wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEFT = 1e-9
"""Stands for the pairs left after the last: the draw that takes it makes all totals exact, so it has all the weight."""


@dataclass(frozen=True)
class Estimate:
    """An accuracy.

    Attributes:
        accuracy: right / decided, in [0, 1]; NaN if nothing was decided.
        low, high: ends of the interval.
        level: nominal coverage of the interval.
        pairs: answered pairs that it rests on; decided: of those, where people and the criterion both decided.
    """

    accuracy: float
    low: float
    high: float
    level: float
    pairs: int
    decided: int


@dataclass(frozen=True)
class Draws:
    """Draws from a growing population, in order, numbered from 0; later draws never take a pair that was drawn.

    Attributes:
        chance: (m,) the probability that this pair was drawn, given everything before.
        left: (m,) pairs that could be drawn, this one included.
    """

    chance: Floats
    left: Floats

    def __post_init__(self) -> None:
        if self.chance.shape != self.left.shape:
            raise ValueError(f"{self.chance.shape} chances for {self.left.shape} draws")
        if len(self.chance) and (self.chance.min() <= 0 or self.chance.max() > 1 or self.left.min() < 1):
            raise ValueError("a chance lies in (0, 1], and at least one pair is left before a draw")


@dataclass(frozen=True)
class Answered:
    """Answered pairs, one entry each, as they stand to the draws.

    Attributes:
        draw: (n,) number of the pair's draw; -1 if it was answered without being drawn.
        since: (n,) draws made before the pair came in.
        known: (n,) draws made before its answer was known without a draw; of no account for drawn pairs.
    """

    draw: Ints
    since: Ints
    known: Ints


def draw_weights(draws: Draws, answered: Answered) -> Floats:
    """(n,) how many pairs of the population each answered pair stands for.

    A pair that came in after the last draw cannot be estimated by drawing: known ones count 1, others are not
    represented.
    """
    step = 1.0 / (draws.left * np.maximum(draws.left - 1.0, _LEFT))
    after = _after(step)
    share = _share(answered, after)
    drawn = answered.draw >= 0
    begin = np.where(drawn, answered.draw + 1, np.maximum(answered.known, answered.since))
    weight = after[begin] / share
    own = answered.draw[drawn]
    weight[drawn] += step[own] / draws.chance[own] / share[drawn]
    return np.where(~drawn & (after[answered.since] == 0), 1.0, weight)


def weighted(right: Floats, decided: Floats, draws: Draws, answered: Answered, level: float = 0.95) -> Estimate:
    """Accuracy over the population by weighing back.

    Args:
        right: (n,) 1 where a criterion agreed with people, else 0.
        decided: (n,) 1 where both decided, else 0.
        draws: all draws, answered or not.
        answered: the n pairs.
        level: coverage of the interval, in (0, 1).
    """
    weight = draw_weights(draws, answered)
    total = float(weight @ decided)
    if total <= 0:
        return Estimate(math.nan, 0.0, 1.0, level, len(right), 0)
    share = float(weight @ right) / total
    variance = _variance(right - share * decided, draws, answered, weight) / total**2
    drawn = int((decided[answered.draw >= 0] > 0).sum())
    low, high = _ends(share, variance, max(1, drawn - 1), level)
    return Estimate(share, low, high, level, len(right), int((decided > 0).sum()))


def from_sample(right: Floats, decided: Floats, sampled: int, population: int, level: float = 0.95) -> Estimate:
    """Accuracy over the population from a simple random sample.

    Args:
        right, decided: (n,) as in `weighted`, of the answered pairs of the sample.
        sampled: pairs in the sample, answered or not (>= n).
        population: pairs in all (>= sampled).
        level: coverage of the interval.
    """
    n, hits = float(decided.sum()), float(right.sum())
    if not n:
        return Estimate(math.nan, 0.0, 1.0, level, len(right), 0)
    missing = population - min(sampled, len(right))
    grown = (population - 1) / missing if missing and population > 1 else math.inf
    if math.isinf(grown):
        return Estimate(hits / n, hits / n, hits / n, level, len(right), int(n))
    ends = wilson(hits * grown, n * grown, level)
    return Estimate(hits / n, ends.low, ends.high, level, len(right), int(n))


def naive(right: Floats, decided: Floats, level: float = 0.95) -> Estimate:
    """The plain share, with the Wilson interval that would hold had the pairs been picked at random."""
    n, hits = float(decided.sum()), float(right.sum())
    ends = wilson(hits, n, level)
    return Estimate(hits / n if n else math.nan, ends.low, ends.high, level, len(right), int(n))


def _after(step: Floats) -> Floats:
    """(m + 1,) sums of the steps from each draw on."""
    return np.append(np.cumsum(step[::-1])[::-1], 0.0)


def _share(answered: Answered, after: Floats) -> Floats:
    """(n,) what the steps since each pair came in add up to; 1 where there are none."""
    since = after[answered.since]
    return np.asarray(np.where(since > 0, since, 1.0))


def _variance(rest: Floats, draws: Draws, answered: Answered, weight: Floats) -> float:
    """Sum of squared martingale differences of the weighted total of `rest`, which is about 0.

    The m-th difference is step_m (what is known so far + rest_m / chance_m - what all is estimated to be), each pair
    taken as a share of the steps since it came in.
    """
    step = 1.0 / (draws.left * np.maximum(draws.left - 1.0, _LEFT))
    after = _after(step)
    part = rest / _share(answered, after)
    size = len(step)
    known, own, expected = np.zeros(size + 1), np.zeros(size), np.zeros(size + 1)
    drawn = answered.draw >= 0
    begin = np.where(drawn, answered.draw + 1, np.maximum(answered.known, answered.since))
    np.add.at(known, begin, part)
    np.add.at(own, answered.draw[drawn], part[drawn] / draws.chance[answered.draw[drawn]])
    np.add.at(expected, answered.since, part * weight)
    gap = step * (np.cumsum(known)[:-1] + own - np.cumsum(expected)[:-1])
    seen = np.isin(np.arange(size), answered.draw[drawn])
    count = int(seen.sum())
    return float(np.square(gap[seen]).sum()) * (count / (count - 1) if count > 1 else 1.0)


def _ends(share: float, variance: float, freedom: int, level: float) -> tuple[float, float]:
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * math.sqrt(max(0.0, variance))
    return max(0.0, share - half), min(1.0, share + half)
