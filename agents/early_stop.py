"""When a vote may stop: the outcome cannot change any more (exact), or is very unlikely to (likely, opt-in).

Criteria are asked strongest first. The outcome is the sign of the weighted sum of votes; a criterion that abstains, or
whose judgment is missing, adds nothing to the sum. So once the lead exceeds all that the rest could take from it,
asking on buys a closer probability but never another label. Stopping then is exact whatever the judges are like.

The likely rule stops earlier, at a stated risk. Its model of the criteria not yet asked:

- how people would answer is not known; the vote so far is right with probability expit(|sum| x `TEMPER`), for votes
  that hang together are worth less than their sum;
- given how people would answer, a criterion decides with its measured coverage (upper end of its 95 % interval) and is
  then right with its measured accuracy: the lower end of its interval where the vote so far is right, the upper end
  where it is wrong, so that it speaks against the vote as often as may be. One that was never measured decides always
  and is right half of the time;
- mostly the rest are independent of each other given how people would answer, and with probability `TOGETHER` they
  decide all as one, the way that shared blind spots make them.

What the rule really costs is measured where it is used: a share of pairs is asked to the end all the same (`audited`),
and the labeller counts how often the outcome turned after the rule would have stopped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit

from agents.ballot import Ballot
from agents.criteria_set import Member
from agents.statistics import wilson

DIGITS = 9
"""Decimals of a vote's sum that count: below lies what rounding leaves of votes that balance."""

TEMPER = 0.5
"""Share of the vote's log-odds that the likely rule believes."""

TOGETHER = 0.02
"""Probability that the criteria not yet asked decide all as one."""

STEPS = 512
"""Steps into which the weights left are cut to add up their distribution; every rounding makes a turn likelier."""

_SLACK = 0.4 * 10.0**-DIGITS
"""What a sum may be away from 0 and still surely round to it."""

Kind = Literal["exact", "none", "likely"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Left:
    """A criterion that was not asked yet.

    Attributes:
        weight: how far its vote can move the sum, >= 0.
        coverage: how probable it is at most, in [0, 1], that it decides.
        low, high: how probable it is at least and at most, in [0, 1], that its decision moves the sum towards what
            people would say.
    """

    weight: float
    coverage: float = 1.0
    low: float = 0.5
    high: float = 0.5

    def against(self, agrees: bool) -> float:
        """How probable it is at most that it speaks against a vote that is right (`agrees`) or wrong."""
        return self.coverage * (1 - self.low if agrees else self.high)


class StopRule(BaseModel):
    """When to stop asking about a pair.

    Attributes:
        kind: `exact` never changes a label, `likely` does so in at most about `error` of the pairs, `none` asks all.
        error: accepted probability, in (0, 1), that the criteria left out would have changed the label; for `likely`.
        block: criteria asked at a time, at least (a judge that answers several in one call wants as many).
        audit: share of the pairs, in [0, 1], asked to the end to measure what `likely` stopping costs.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind = "exact"
    error: float = Field(default=0.05, gt=0, lt=1)
    block: int = Field(default=1, ge=1)
    audit: float = Field(default=0.05, ge=0, le=1)

    def settled(self, total: float, left: Sequence[Left]) -> bool:
        """Whether nothing more need be asked of a pair whose votes sum up to `total`."""
        if not left:
            return True
        if self.kind == "none":
            return False
        return certain(total, [c.weight for c in left]) or (self.kind == "likely" and likely(total, left, self.error))

    def next_block(self, total: float, left: Sequence[Left]) -> int:
        """How many criteria, strongest first, to ask next: the fewest that could settle it, were they all to agree.

        Fewer would be asked in vain. Asked together, they take one wait for the judge instead of several.
        """
        if self.kind == "none":
            return len(left)
        side = -1.0 if total < 0 else 1.0
        for size in range(1, len(left)):
            total += side * left[size - 1].weight
            if self.settled(total, left[size:]):
                return max(size, min(self.block, len(left)))
        return len(left)

    def audited(self, pair: str) -> bool:
        """Whether a pair (content hash) is among those asked to the end; as good as random, and always the same."""
        return self.kind == "likely" and int(pair[8:16], 16) / 16**8 < self.audit


def outcome(total: float) -> int:
    """+1, -1, or 0 where the votes balance."""
    rounded = round(total, DIGITS)
    return (rounded > 0) - (rounded < 0)


def total_of(ballot: Ballot, signs: Mapping[str, int]) -> float:
    """The weighted sum of the votes (+1, -1, 0 by criterion hash), the same in whichever order they came."""
    return math.fsum(ballot.weights.get(c, 0.0) * sign for c, sign in signs.items())


def outcome_certain(ballot: Ballot, signs: Mapping[str, int], left: Sequence[str]) -> bool:
    """Whether the sign of the weighted sum is the same whatever the criteria left say, or do not say.

    Args:
        ballot: vote weights; a criterion that is not in it weighs nothing.
        signs: votes so far by criterion hash: +1, -1, or 0 for no decision.
        left: hashes of the criteria not yet asked.
    """
    return certain(total_of(ballot, signs), [abs(ballot.weights.get(c, 0.0)) for c in left])


def majority_certain(signs: Mapping[str, int], left: Sequence[str]) -> bool:
    """The same for the plain majority: one criterion, one vote."""
    return certain(float(sum(signs.values())), [1.0] * len(left))


def outcome_likely(ballot: Ballot, signs: Mapping[str, int], left: Sequence[Left], error: float) -> bool:
    """Whether the criteria left turn the outcome with a probability of at most `error`, by the model above."""
    return likely(total_of(ballot, signs), left, error)


def certain(total: float, weights: Sequence[float]) -> bool:
    """Whether votes of these weights (>= 0) cannot change a sum's outcome. A tie stands only if none has weight."""
    lead, rest = abs(total), math.fsum(weights)
    rounding = 10.0**-DIGITS + (lead + rest) * 1e-12
    return rest <= 0 or lead - rest > rounding or lead + rest < _SLACK


def likely(total: float, left: Sequence[Left], error: float) -> bool:
    """Whether the criteria left turn the outcome of a sum with a probability of at most `error`."""
    return turn_probability(total, left) <= error


def turn_probability(total: float, left: Sequence[Left]) -> float:
    """How probable it is, at most and by the model above, that the criteria left change the outcome; a tie counts.

    1 for a sum that balances while anything is left: any vote turns it.
    """
    if certain(total, [c.weight for c in left]):
        return 0.0
    if not outcome(total):
        return 1.0
    lead = abs(total)
    believed = float(expit(lead * TEMPER))
    right, wrong = (_reach(tuple(left), lead, agrees) for agrees in (True, False))
    return believed * right + (1 - believed) * wrong


def left_of(member: Member) -> Left:
    """What the likely rule assumes of a member of a criteria set."""
    found, weight = member.mining, abs(member.weight)
    if not found.decided:
        return Left(weight)
    coverage, low, high = wilson(found.decided, found.asked).high, found.low, found.high
    # A negative weight turns the vote round: it is right where the criterion is wrong.
    return Left(weight, coverage, low, high) if member.weight >= 0 else Left(weight, coverage, 1 - high, 1 - low)


def _reach(left: tuple[Left, ...], lead: float, agrees: bool) -> float:
    """Probability that the rest take a lead away, where the vote so far is right (`agrees`) or wrong."""
    table, unit = _against(left, agrees)
    needed = min(max(0, math.floor(lead / unit)), len(table) - 1)
    return (1 - TOGETHER) * float(table[needed]) + TOGETHER * _as_one(left, lead, agrees)


def _as_one(left: tuple[Left, ...], lead: float, agrees: bool) -> float:
    """The same where all that are left decide alike."""
    if math.fsum(c.weight for c in left) < lead:
        return 0.0
    return max(c.against(agrees) for c in left)


@lru_cache(maxsize=4096)
def _against(left: tuple[Left, ...], agrees: bool) -> tuple[Floats, float]:
    """P(the rest move the sum against the lead by at least k units) for k = 0, 1, ...; and the unit.

    A vote against the lead is rounded up to whole units, one for it down, and the lead (in `_reach`) down.
    """
    unit = math.fsum(c.weight for c in left) / STEPS
    reach = STEPS + len(left)
    mass = np.zeros(2 * reach + 1)
    mass[reach] = 1.0
    for c in left:
        against = c.against(agrees)
        mass = (
            (1 - c.coverage) * mass
            + against * _moved(mass, min(math.ceil(c.weight / unit - 1e-9), reach))
            + (c.coverage - against) * _moved(mass, -math.floor(c.weight / unit))
        )
    tail: Floats = np.cumsum(mass[reach:][::-1])[::-1]
    return np.append(tail, 0.0), unit


def _moved(mass: Floats, by: int) -> Floats:
    """A distribution moved by so many units; nothing leaves it, for it is as wide as all votes together."""
    return np.roll(mass, by)
