"""Has the mean of bounded observations moved since a finite reference sample? Evidence that may be looked at any time.

**The bets.** For observations x in [0, 1] whose mean, given the past, is mu, and a stake b > -1, the product of
(1 + b x) / (1 + b mu) is a non-negative martingale that starts at 1 (Waudby-Smith and Ramdas 2024, "Estimating means of
bounded random variables by betting", section 4; for 0/1 data it is the likelihood ratio of odds raised by 1 + b).
With b > 0 it stays a supermartingale if the mean is lower, with b < 0 if it is higher. An average over a fixed grid of
stakes is one, too (method of mixtures; Howard et al. 2021, "Time-uniform, nonparametric, nonasymptotic confidence
sequences"). By Ville's inequality (1939) it ever reaches 1 / alpha with a probability of at most alpha, however long it
runs and whenever it is looked at.

**The reference is a sample too.** Its mean mu is unknown, and to bet against its estimate would be to call chance in
the reference a change. For every possible mu a family of bettors plays (agents.drift.onset): the k-th bets that the
reference and the refreshes before k have means below mu (b < 0), and that those from k on have means above it
(b > 0). Write N(mu) for their capital together. Without drift, at the true mu, the first bets have an expectation of 1
and the capital is a martingale from there. The evidence reported is

    E = inf over mu in [0, 1] of N(mu)  <=  N(true mu):

an e-process for the composite null (Ramdas, Grünwald, Vovk and Shafer 2023, "Game-theoretic statistics and safe
anytime-valid inference", section 5; the infimum over the nuisance is that of universal inference, Wasserman, Ramdas and
Balakrishnan 2020). Nothing is estimated and then believed; it is exact for every size of the reference and of the
batches, under any rule for stopping. The null hypothesis of the test for a rise: since approval the mean is one number,
at most that of the reference. (Take mu to be that number. A mean that fell and came back to where it was may raise an
alarm, and rightly: it rose.) Whatever rises or falls, the observations count through their histograms only.

**Observations that are not alike.** A fixed panel (anchor pairs) with means mu_i, judged anew at each refresh with
answers independent given the mu_i, obeys the same bounds with mu their average: the product of 1 + b mu_i is at most
(1 + b mu)^n for a whole pass (inequality of the means), and so is its average over random subsets of the panel
(Maclaurin's inequality). That is why the same anchors may be judged at every refresh.

The logarithm of N(mu) is convex in mu, so the infimum is bounded from below by tangents, not only searched; the number
returned is such a bound, within `SLACK` of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agents.drift import onset
from agents.drift.tally import Tally
from agents.statistics import Interval

Floats = NDArray[np.float64]
Direction = Literal["rise", "fall", "change", "never"]
"""What a test looks for; `never` is for events that are impossible unless something changed."""

SHIFTS = np.array([0.2, 0.4, 0.8, 1.5, 3.0])
"""Bets on the new observations, as rises of the log-odds: from hardly worth knowing to nothing is as it was."""

STAKES = np.expm1(SHIFTS)

SHIFT_WEIGHTS = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0

STEPS = np.array([0.0, 2.0, 4.0, 8.0])
"""Bets on what came before, in standard errors of its mean; the larger ones serve means near 0 or 1.

The first is no bet: where much came before, its mean is as good as known and nothing need be staked on it."""

STEP_WEIGHTS = np.array([0.1, 0.45, 0.25, 0.2])

EACH = 0.5
"""Observations that a refresh is expected to bring, for each of the reference; it scales those bets, no more."""

SPREAD = 0.12
"""Variance by which those standard errors are reckoned: that of 0/1 values with mean .14 or .86."""

SLACK = 0.01
"""How far, in natural logarithms, a reported number may lie below the infimum it stands for."""

PROOF = 690.0
"""Log e-value of an event that cannot happen unless something changed (about 1e300)."""

_TURNS = 200


def log_evidence(reference: Tally, blocks: Sequence[Tally], direction: Direction, batches: int = 0) -> float:
    """Log e-value that the mean of the new observations moved away from the mean behind `reference`.

    Before anything new was seen it is below 0: the bets on the reference have been placed.

    Args:
        reference: the sample before, independent observations in [0, 1]. For `never` it must hold zeros only.
        blocks: what was seen since, a tally for each possible start of a change (agents.drift.onset).
        direction: `rise`, `fall`, `change` (the average of both e-values) or `never` (any value above 0 is proof).
        batches: how many batches the blocks hold; as many as there are blocks unless given.
    """
    if direction == "never":
        return PROOF if any(block.total > 0 for block in blocks) else 0.0
    batches = batches or len(blocks)
    if len(blocks) != len(onset.starts(batches)):
        raise ValueError(
            f"{len(blocks)} blocks for {batches} batches; there is one for each of onset.starts({batches})"
        )
    if direction != "change":
        return _moved(reference, blocks, batches, up=direction == "rise")
    up, down = (_moved(reference, blocks, batches, up=way) for way in (True, False))
    return float(np.logaddexp(up, down)) - math.log(2)


def _moved(reference: Tally, blocks: Sequence[Tally], batches: int, *, up: bool) -> float:
    """Log e-value that the mean rose (or with all values taken from 1, fell)."""
    return _least(_bettors(reference, blocks, batches, up))


@dataclass(frozen=True)
class _Bettors:
    """Bets that a mean was below mu and is above it, as functions of mu.

    Attributes:
        gains: (r,) log of the capital under mean 0, the share of each included.
        early, late: (r,) what each stakes before the change it believes in, and after.
        n_early, n_late: (r,) on how many observations.
    """

    gains: Floats
    early: Floats
    late: Floats
    n_early: Floats
    n_late: Floats

    def at(self, mu: float) -> tuple[float, float]:
        """Log of the capital of all together, and its derivative. Convex in mu: a log-sum-exp of convex functions."""
        early, late = 1.0 + self.early * mu, 1.0 + self.late * mu
        each = self.gains - self.n_early * np.log(early) - self.n_late * np.log(late)
        top = float(each.max())
        parts = np.exp(each - top)
        whole = float(parts.sum())
        slopes = self.n_early * self.early / early + self.n_late * self.late / late
        return top + math.log(whole), -float(parts @ slopes) / whole


def _bettors(reference: Tally, blocks: Sequence[Tally], batches: int, up: bool) -> _Bettors:
    """Everyone: each start with each pair of stakes, and those whose start is still to come."""
    octaves = np.array([onset.octave(start) for start in onset.starts(batches)], dtype=np.intp)
    stakes = _early_stakes(reference.n)
    before = np.array([_gains(t, stakes.ravel(), up).reshape(stakes.shape) for t in (reference, *blocks)]).cumsum(
        axis=0
    )
    sizes = np.array([t.n for t in (reference, *blocks)]).cumsum()
    after = np.array([_gains(t, STAKES, up) for t in blocks]).reshape(-1, len(STAKES))[::-1].cumsum(axis=0)[::-1]
    begun = (
        np.log(np.array(onset.shares(batches)))[:, None]
        + np.log(STEP_WEIGHTS)
        + before[np.arange(len(blocks)), octaves]
    )
    grid = (len(blocks), len(STEPS), len(STAKES))
    waiting = [(place, math.log(share)) for place, share in onset.kept(batches)]
    places = [place for place, _ in waiting]
    idle = np.array([log for _, log in waiting])[:, None] + np.log(STEP_WEIGHTS) + before[-1, places]
    none = np.zeros(idle.size)
    return _Bettors(
        np.append((begun[:, :, None] + (np.log(SHIFT_WEIGHTS) + after)[:, None, :]).ravel(), idle),
        np.append(np.broadcast_to(stakes[octaves][:, :, None], grid).ravel(), stakes[places]),
        np.append(np.broadcast_to(STAKES, grid).ravel(), none),
        np.append(np.broadcast_to(sizes[:-1, None, None], grid).ravel(), none + sizes[-1]),
        np.append(np.broadcast_to((sizes[-1] - sizes[:-1])[:, None, None], grid).ravel(), none),
    )


def _early_stakes(n: float) -> Floats:
    """(OCTAVES, steps) stakes on what comes before a start, by its octave: the more, the finer.

    They follow from the size of the reference alone, so that no bet depends on what it is a bet on.
    """
    start = 1.5 * np.exp2(np.arange(onset.OCTAVES))
    expected = max(n, 1.0) * (1.0 + EACH * (start - 1.0) * (start > 1.5))
    stakes: Floats = np.expm1(-STEPS / np.sqrt(SPREAD * expected[:, None]))
    return stakes


def _least(bettors: _Bettors) -> float:
    """A lower bound, at most `SLACK` too low, of the log capital over all means in [0, 1].

    It is convex, so tangents lie below it: between two points of which the one falls and the other rises, nothing lies
    below where their tangents meet (Kelley 1960, "The cutting-plane method").
    """
    low, high = 0.0, 1.0
    (left, falling), (right, rising) = bettors.at(low), bettors.at(high)
    if falling >= 0.0 or rising <= 0.0:
        return left if falling >= 0.0 else right
    for turn in range(_TURNS):
        meet = (right - left + falling * low - rising * high) / (falling - rising)
        floor = left + falling * (meet - low)
        if min(left, right) - floor <= SLACK:
            break
        # Kelley's own point is slow where one side is much steeper than the other; every third step halves.
        middle = meet if turn % 3 and low < meet < high else (low + high) / 2
        value, slope = bettors.at(middle)
        if slope < 0.0:
            low, left, falling = middle, value, slope
        else:
            high, right, rising = middle, value, slope
    return floor


def confidence_sequence(seen: Tally, level: float = 0.95) -> Interval:
    """An interval for the mean of the observations that may be read after each of them.

    With probability at least `level` it holds the mean at every moment at once (Waudby-Smith and Ramdas 2024, section
    4.2: the means against which the bets have not won). (0, 1) of nothing.
    """
    if not seen.n:
        return Interval(0.0, 1.0, level)
    goal = math.log(2.0 / (1.0 - level))
    return Interval(_lower(seen, goal, up=True), 1.0 - _lower(seen, goal, up=False), level)


def _lower(seen: Tally, goal: float, *, up: bool) -> float:
    """The largest mean, of the values or of what they lack to 1, against which bets on a higher one have won."""
    none, all_ = np.zeros(len(STAKES)), np.full(len(STAKES), seen.n)
    bettors = _Bettors(_gains(seen, STAKES, up) + np.log(SHIFT_WEIGHTS), none, STAKES, none, all_)
    low, high = 0.0, seen.mean if up else 1.0 - seen.mean
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if bettors.at(middle)[0] >= goal else (low, middle)
    return low


def _gains(seen: Tally, stakes: Floats, up: bool) -> Floats:
    """(g,) sums of log(1 + stake x) over the observations, or over what they lack to 1."""
    values, times = seen.arrays()
    summed: Floats = np.log1p(np.outer(stakes, values if up else 1.0 - values)) @ times
    return summed
