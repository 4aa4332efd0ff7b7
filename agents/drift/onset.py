"""When a change may have begun: a prior over refreshes, so that evidence neither dilutes nor counts anything twice.

Evidence that pools everything since approval is diluted by the refreshes before a change. So the capital is shared
between bettors, of which the k-th believes that the change comes with refresh k: what came before is to it as the
reference was, what comes from then on is not. Each bettor's capital is a supermartingale without drift, and so is their
sum (the mixture form of the Shiryaev-Roberts idea; Shin, Ramdas and Rinaldo 2024, "E-detectors: a nonparametric
framework for sequential change detection", section 2, with weights that sum to one, so that Ville's inequality holds
for the whole stream and not for its mean run length only). The prior is the share of the capital that each is given.
"""

from __future__ import annotations

import math
from itertools import count

HAZARD = 1.0 / 12.0
"""One part of the prior: a change is as likely at each refresh, and expected within about a dozen."""

BITS = 5
"""Starts are numbers with at most so many significant binary digits: all up to 32, then ever fewer."""

OCTAVES = 6
"""Starts are told apart as 1, 2-3, 4-7, 8-15, 16-31 and later where it matters how much comes before them."""


def is_start(batch: int) -> bool:
    """Whether a bettor begins at this batch (counted from 1)."""
    return batch >= 1 and not batch & ((1 << max(0, batch.bit_length() - BITS)) - 1)


def starts(batches: int) -> tuple[int, ...]:
    """The starts up to this batch."""
    return tuple(batch for batch in range(1, batches + 1) if is_start(batch))


def octave(start: int) -> int:
    """Which octave a start is in, from 0 to OCTAVES - 1."""
    return min(start.bit_length() - 1, OCTAVES - 1)


def tail(batch: int) -> float:
    """Prior probability, in (0, 1], that the change comes at this batch (from 1) or later.

    Half of it is the geometric law of `HAZARD`, half 1 / batch, so that a stream of years keeps some capital.
    """
    return 0.5 / batch + 0.5 * math.pow(1.0 - HAZARD, batch - 1)


def shares(batches: int) -> tuple[float, ...]:
    """Capital of each of `starts(batches)`: that of the batches from it to before the next start."""
    begun = starts(batches)
    ends = (*begun, _following(batches))[1:]
    return tuple(tail(start) - tail(end) for start, end in zip(begun, ends, strict=True))


def kept(batches: int) -> tuple[tuple[int, float], ...]:
    """(octave, capital) of the starts to come; together with `shares` they sum to 1."""
    first = _following(batches)
    found = []
    for place in range(octave(first), OCTAVES):
        low = max(first, 1 << place)
        high = tail(2 << place) if place < OCTAVES - 1 else 0.0
        found.append((place, tail(low) - high))
    return tuple(found)


def _following(batches: int) -> int:
    return next(batch for batch in count(batches + 1) if is_start(batch))
