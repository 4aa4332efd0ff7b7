"""How many observations it takes to notice a change with the anytime-valid tests, by seeded simulation of streams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.drift.betting import Direction
from agents.drift.power import check_fall
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from knowledge_base.errors import InputError


@dataclass(frozen=True)
class Detection:
    """How simulated streams went.

    Attributes:
        by_refresh: share of streams that had raised the alarm by each refresh, rising.
        reference, each: observations at approval and at each refresh.
    """

    by_refresh: tuple[float, ...]
    reference: int
    each: int


def detection(
    before: float,
    after: float,
    *,
    reference: int,
    each: int,
    refreshes: int,
    level: float,
    direction: Direction = "fall",
    streams: int = 200,
    seed: int = 0,
) -> Detection:
    """How often, and when, a change of a share from `before` to `after` right after approval is noticed.

    Args:
        before, after: chances in [0, 1].
        reference: observations at approval; each: at every refresh.
        refreshes: how many there are.
        level: false alarms allowed for this test over the whole stream: a cause's level times the stream's share.
        direction: what the test looks for.
        streams: how many to simulate (two standard errors of a share are at most 1 / sqrt(streams)).
        seed: the same seed gives the same answer.
    """
    rng = np.random.default_rng(seed)
    first = np.full(streams, refreshes)
    for number in range(streams):
        base = Tally.binary(int(rng.binomial(reference, before)), reference)
        blocks = [Tally.binary(int(hits), each) for hits in rng.binomial(each, after, refreshes)]
        first[number] = _first(base, blocks, direction, -math.log(level))
    found = tuple(float((first < k).mean()) for k in range(1, refreshes + 1))
    return Detection(found, reference, each)


def _first(reference: Tally, blocks: Sequence[Tally], direction: Direction, bar: float) -> int:
    """Index of the refresh that raised the alarm; as many as there are where none did."""
    stream = Stream(name="", label="", unit="", direction=direction, share=1.0, reference=reference)
    for number, block in enumerate(blocks):
        stream = stream.after([v for v, times in block.values for _ in range(int(times))])
        if stream.log_e >= bar:
            return number
    return len(blocks)


def votes_needed(
    before: float,
    after: float,
    *,
    reference: int,
    level: float,
    chance: float = 0.8,
    each: int = 40,
    most: int = 4000,
    streams: int = 200,
    seed: int = 0,
) -> int | None:
    """New votes, gathered `each` at a time, with which a fall from `before` to `after` is noticed with this chance.

    None if `most` do not suffice: then no number may, because the reference itself is too small to tell the two
    accuracies apart.
    """
    check_fall(before, after)
    found = detection(
        before, after, reference=reference, each=each, refreshes=max(1, most // each), level=level, streams=streams,
        seed=seed,
    )  # fmt: skip
    enough = [k for k, share in enumerate(found.by_refresh, 1) if share >= chance]
    return enough[0] * each if enough else None


def anchors_needed(
    base: float, now: float, *, level: float, chance: float = 0.8, refreshes: int = 3, streams: int = 200, seed: int = 0
) -> int | None:
    """Anchor pairs with which a rise of one criterion's flip rate is noticed within so many refreshes.

    The panel is judged as a whole each time, so the reference is as large as each refresh. None if 2000 do not suffice.
    """
    if not 0.0 <= base < now <= 1.0:
        raise InputError(f"flip rates {base:g} before and {now:g} now; give two shares in [0, 1], the second larger")
    for pairs in _sizes(10, 2000):
        found = detection(
            base, now, reference=pairs, each=pairs, refreshes=refreshes, level=level, direction="rise", streams=streams,
            seed=seed,
        )  # fmt: skip
        if found.by_refresh[-1] >= chance:
            return pairs
    return None


def _sizes(least: int, most: int) -> list[int]:
    """Round numbers, each about a quarter larger than the one before."""
    steps = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
    return [s * 10**k // 10 for k in range(1, 5) for s in steps if least <= s * 10**k // 10 <= most]
