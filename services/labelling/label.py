"""A pair's label: what the answers amount to under the set's weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import expit

from agents.early_stop import outcome, total_of
from services.labelling.pair_vote import Answer, count
from services.labelling.sheet import Sheet

Side = Literal["a", "b", "tie"]

CALIBRATION = (
    "probability is the vote's log-odds through the logistic function. The weights were fitted to the pairs that the "
    "criteria were mined from and add up as if criteria erred independently, and a vote that stopped early holds only "
    "what was asked: take it as a ranking, or calibrate it on pairs that people compared"
)
"""What whoever uses the probability must know."""

_SIDES: dict[int, Side] = {1: "a", -1: "b", 0: "tie"}


@dataclass(frozen=True, slots=True)
class Label:
    """What the criteria say of a pair.

    Attributes:
        log_odds: weighted sum of the votes; positive favours a.
        probability: that people prefer a, in [0, 1]; see `CALIBRATION`.
        label: the weighted vote; majority: one criterion, one vote.
        votes_for_a, votes_for_b, abstained, missing: criteria asked, by what they said.
        effective_votes: how many equal votes the weights of those that decided are worth, (sum w)^2 / sum w^2
            (Kish 1965, section 11.7); 0 if none did.
    """

    log_odds: float
    probability: float
    label: Side
    majority: Side
    votes_for_a: int
    votes_for_b: int
    abstained: int
    missing: int
    effective_votes: float

    @property
    def margin(self) -> float:
        """How far the probability is from undecided, in [0, 1]."""
        return abs(2 * self.probability - 1)


def label_of(sheet: Sheet, answers: Sequence[Answer]) -> Label:
    """The label that these answers give."""
    votes = count(answers)
    signs = {criterion: sign for criterion, (sign, _) in votes.items()}
    total = total_of(sheet.ballot, signs)
    for_a, for_b = (sum(sign == side for sign in signs.values()) for side in (1, -1))
    said = [say for _, say in votes.values()]
    weights = [abs(sheet.ballot.weights.get(c, 0.0)) for c, sign in signs.items() if sign]
    squares = sum(w * w for w in weights)
    return Label(
        log_odds=total,
        probability=float(expit(total)) if outcome(total) else 0.5,
        label=_SIDES[outcome(total)],
        majority=_SIDES[(for_a > for_b) - (for_a < for_b)],
        votes_for_a=for_a,
        votes_for_b=for_b,
        abstained=said.count("abstained"),
        missing=said.count("missing"),
        effective_votes=sum(weights) ** 2 / squares if squares else 0.0,
    )
