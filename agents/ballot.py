"""How a criteria set's votes become one answer: plain majority, and a weighted vote beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import expit

from agents.votes import Votes


class Ballot(BaseModel):
    """Vote weights.

    Attributes:
        weights: log-odds by criterion hash: how much a vote for A speaks for A, others' votes given.
        method: how the weights were found, in words.
    """

    model_config = ConfigDict(frozen=True)

    weights: dict[str, float]
    method: str

    def log_odds(self, votes: Votes) -> NDArray[np.float64]:
        """(p,) weighted sum of votes; positive favours A."""
        weights = np.array([self.weights.get(c, 0.0) for c in votes.criteria])
        return np.asarray(weights @ votes.signs.astype(np.float64))

    def probability(self, votes: Votes) -> NDArray[np.float64]:
        """(p,) probability in [0, 1] that people prefer A."""
        return np.asarray(expit(self.log_odds(votes)))


def majority(votes: Votes) -> NDArray[np.int8]:
    """(p,) +1, -1 or 0 (balanced, or nobody decided): one criterion, one vote, as in CritiQ section 3.3."""
    return np.asarray(np.sign(votes.signs.sum(axis=0, dtype=np.int64)), dtype=np.int8)


def effective_votes(votes: Votes) -> float:
    """How many independent votes the criteria are worth, in [1, c]; 0 if none ever decides.

    The participation ratio of the eigenvalues of the vote correlation matrix, (sum l)^2 / sum l^2 (Nyholt 2004's
    idea in the form used in physics): c uncorrelated criteria count c, c copies of one count 1. A criterion that
    decides nothing has no vote to count.
    """
    voters = [c for c, row in zip(votes.criteria, votes.signs, strict=True) if row.any()]
    if not voters:
        return 0.0
    correlation = vote_correlation(votes.rows(voters))
    return float(np.trace(correlation) ** 2 / np.square(correlation).sum())


def vote_correlation(votes: Votes) -> NDArray[np.float64]:
    """(c, c) cosine between signed vote vectors: orientation-free, since swapping a and b flips both signs."""
    signs = votes.signs.astype(np.float64)
    length = np.sqrt(np.square(signs).sum(axis=1))
    safe = np.where(length > 0, length, 1.0)
    correlation = (signs @ signs.T) / np.outer(safe, safe)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)
