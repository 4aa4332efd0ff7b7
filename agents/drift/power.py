"""What a test would have noticed.

`binomial_power` and `matched_power` are the textbook tests of a sample of fixed size, exact, for comparison.
`noticeable` says for evidence in hand what change would have been noticed with a given chance, by a formula. Planning
ahead with the anytime-valid tests is in agents.drift.planning.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agents.drift.betting import log_evidence
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from knowledge_base.errors import InputError

Floats = NDArray[np.float64]


def binomial_power(n: int, before: float, after: float, level: float = 0.05) -> float:
    """Power of the exact one-sided binomial test that an accuracy fell from a *known* `before`, with n pairs.

    This is the test of DESIGN section 8: from .88 to .80, 30 pairs notice 24 %, 100 pairs 64 %, 200 pairs 91 %.
    """
    check_fall(before, after)
    worst = int(stats.binom.ppf(level, n, before))
    while worst >= 0 and stats.binom.cdf(worst, n, before) > level:
        worst -= 1
    return float(stats.binom.cdf(worst, n, after)) if worst >= 0 else 0.0


def matched_power(n: int, before: float, after: float, gained: float = 0.0, level: float = 0.05) -> float:
    """Power of McNemar's exact one-sided test (1947) on n pairs judged before and after.

    Args:
        n: pairs.
        before, after: accuracies, after <= before.
        gained: share of pairs that were wrong before and are right after; the share that was right and is wrong is then
            before - after + gained.
        level: of the test.
    """
    check_fall(before, after)
    lost = before - after + gained
    if lost + gained > 1.0 or not 0.0 <= gained <= min(after, 1.0 - before):
        raise InputError(
            f"gained = {gained:g} cannot be with accuracies {before:g} and {after:g}; give a smaller share"
        )
    if not lost:
        return 0.0
    differing = np.arange(n + 1)
    chance = stats.binom.pmf(differing, n, lost + gained)
    least = stats.binom.isf(level, differing, 0.5) + 1
    return float(chance @ stats.binom.sf(least - 1, differing, lost / (lost + gained)))


def noticeable(stream: Stream, log_bar: float, chance: float = 0.8) -> float | None:
    """The smallest change of a stream's mean since approval that would by now have been noticed with this chance.

    By a formula: had the values been spread as at approval (tilted to the new mean), their mean would with this chance
    have gone at least as far as its normal quantile says; the evidence from so far decides. It leaves out that earlier
    looks may have noticed, so it errs on the careful side.

    Args:
        stream: reference and observations; how many there are counts, not what they say.
        log_bar: log of the e-value that the stream itself must reach.
        chance: in (0, 1).

    Returns:
        a difference of means in (0, 1); None where no change would have been noticed. For `never`, 0: any would.
    """
    n = stream.since.n
    if stream.direction == "never":
        return 0.0 if n else None
    if not n or not stream.reference.n:
        return None
    if stream.direction == "change":
        sides = [
            _noticeable_rise(r, n, log_bar + math.log(2), chance) for r in (stream.reference, stream.reference.mirrored)
        ]
        known = [side for side in sides if side is not None]
        return max(known, default=None)
    reference = stream.reference if stream.direction == "rise" else stream.reference.mirrored
    return _noticeable_rise(reference, n, log_bar, chance)


def _noticeable_rise(reference: Tally, n: float, log_bar: float, chance: float) -> float | None:
    quantile = float(stats.norm.ppf(chance))
    start = reference.mean
    low, high = start, 1.0
    if log_evidence(reference, [_tilted(reference, n, 1.0, quantile)], "rise") < log_bar:
        return None
    for _ in range(11):
        middle = (low + high) / 2
        noticed = log_evidence(reference, [_tilted(reference, n, middle, quantile)], "rise") >= log_bar
        low, high = (low, middle) if noticed else (middle, high)
    return high - start


def _tilted(reference: Tally, n: float, mean: float, quantile: float) -> Tally:
    """Observations as the reference has them, tilted exponentially until their mean is what an unlucky sample shows."""
    values, times = reference.arrays()
    values, times = np.append(values, [0.0, 1.0]), np.append(times, [0.01, 0.01])
    times = _tilt(values, times, mean)
    deviation = math.sqrt(max(0.0, float(times @ np.square(values)) - mean * mean))
    times = _tilt(values, times, max(0.0, mean - quantile * deviation / math.sqrt(n)))
    counts: dict[float, float] = {}
    for value, share in zip(values.tolist(), (times * n).tolist(), strict=True):
        counts[value] = counts.get(value, 0.0) + share
    return Tally(values=tuple(sorted(counts.items())))


def _tilt(values: Floats, times: Floats, mean: float) -> Floats:
    """Shares proportional to times x exp(t x value) whose mean is as given (clipped just inside (0, 1))."""
    goal = min(max(mean, 1e-6), 1 - 1e-6)
    with np.errstate(divide="ignore"):
        logs = np.log(times)
    low, high = -60.0, 60.0
    for _ in range(34):
        middle = (low + high) / 2
        found = logs + middle * values
        shares = np.exp(found - found.max())
        shares /= shares.sum()
        low, high = (middle, high) if float(shares @ values) < goal else (low, middle)
    result: Floats = shares
    return result


def check_fall(before: float, after: float) -> None:
    """Refuse accuracies that are none, or that do not fall.

    Raises:
        InputError: not 0 <= after <= before <= 1.
    """
    if not 0.0 <= after <= before <= 1.0:
        raise InputError(
            f"accuracies {before:g} before and {after:g} after; give two shares in [0, 1], the second smaller"
        )
