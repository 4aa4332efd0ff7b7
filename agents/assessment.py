"""How well each criterion agrees with people on a set of pairs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.statistics import Beta, better_than_chance, q_values
from agents.votes import ABSTAINED, DECIDED, MISSING, Votes

FLAT = Beta(0.5, 2.0)
"""The uniform prior, used where nothing is known of a criterion."""


class Assessment(BaseModel):
    """One criterion on one set of pairs; pairs that people tied are left out and counted.

    Attributes:
        criterion: content hash.
        asked: pairs asked, ties left out.
        decided, right, abstained, missing: counts of pairs; decided + abstained + missing = asked.
        ties: pairs that people tied.
        coverage: decided / asked, in [0, 1].
        accuracy: right / decided, in [0, 1]; 0.5 when nothing was decided.
        strength: coverage x (2 accuracy - 1), in [-1, 1].
        flip_rate: of the pairs shown in both orders, the share on which the two disagree; 0 if none was.
        prior: mean accuracy believed before any pair was judged; 0.5 if nothing was known.
        shrunken: posterior mean accuracy under that prior.
        low, high: 95 % credible interval of the accuracy.
        p_value: exact, one-sided, against an accuracy of 1/2; q_value: the same after Benjamini-Hochberg.
    """

    model_config = ConfigDict(frozen=True)

    criterion: str
    asked: int
    decided: int
    right: int
    abstained: int
    missing: int
    ties: int
    coverage: float
    accuracy: float
    strength: float
    flip_rate: float
    prior: float
    shrunken: float
    low: float
    high: float
    p_value: float
    q_value: float

    @property
    def promise(self) -> float:
        """Strength with the shrunken accuracy in place of the raw one, in [-1, 1]."""
        return self.coverage * (2 * self.shrunken - 1)


def assess(votes: Votes, truth: NDArray[np.int8], priors: Mapping[str, Beta] | None = None) -> list[Assessment]:
    """Assess every criterion of `votes`.

    Args:
        votes: (c, p) votes.
        truth: (p,) +1 where people preferred a, -1 for b, 0 for a tie.
        priors: beta prior by criterion hash; FLAT where absent.
    """
    p_values = [better_than_chance(*_right_of(votes.signs[i], truth)) for i in range(len(votes.criteria))]
    adjusted = q_values(p_values)
    prior = priors or {}
    return [
        _one(votes, i, truth, prior.get(c, FLAT), p_values[i], float(adjusted[i])) for i, c in enumerate(votes.criteria)
    ]


def scores(votes: Votes, truth: NDArray[np.int8]) -> NDArray[np.int8]:
    """(c, p) +1 where a criterion decided as people did, -1 where it decided against them, else 0."""
    return (votes.signs * truth[None, :]).astype(np.int8)


def flip_rate(votes: Votes) -> float:
    """Of the cells shown in both orders, the share on which the two disagree; 0 if none was."""
    twice = int(votes.twice.sum())
    return float((votes.flipped & votes.twice).sum()) / twice if twice else 0.0


def _right_of(signs: NDArray[np.int8], truth: NDArray[np.int8]) -> tuple[int, int]:
    product = signs * truth
    return int((product > 0).sum()), int((product != 0).sum())


def _one(votes: Votes, row: int, truth: NDArray[np.int8], prior: Beta, p_value: float, q_value: float) -> Assessment:
    clear = truth != 0
    states = votes.states[row][clear]
    right, decided = _right_of(votes.signs[row], truth)
    asked = int((states != 0).sum())
    accuracy = right / decided if decided else 0.5
    coverage = decided / asked if asked else 0.0
    posterior = prior.after(right, decided)
    interval = posterior.interval()
    return Assessment(
        criterion=votes.criteria[row],
        asked=asked,
        decided=int((states == DECIDED).sum()),
        right=right,
        abstained=int((states == ABSTAINED).sum()),
        missing=int((states == MISSING).sum()),
        ties=int(((~clear) & (votes.states[row] != 0)).sum()),
        coverage=coverage,
        accuracy=accuracy,
        strength=coverage * (2 * accuracy - 1),
        flip_rate=flip_rate(votes.rows([votes.criteria[row]]).columns(clear)),
        prior=prior.mean,
        shrunken=posterior.mean,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        q_value=q_value,
    )
