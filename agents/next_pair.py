"""Which pair people should see next: the one whose answer is expected to teach most, and with what chance it is drawn.

**What a label teaches of the criteria.** Each criterion is a voter who is right with an unknown accuracy. What is known
of the accuracies is a beta distribution each; the label of a pair that criteria decide tells which of them were right.
The information is the mutual information between the label and the accuracies (Lindley 1956, "On a measure of the
information provided by an experiment"), in the form H[y] - E H[y | accuracies] (BALD; Houlsby et al. 2011, "Bayesian
active learning for classification and preference learning", equation 2). The log-odds that a is better are the sum of
the votes times the logits of the accuracies. The logit of a beta variable has mean digamma(r) - digamma(w) and variance
trigamma(r) + trigamma(w); the sum is taken as normal, and the two entropies are those of Houlsby et al., equation 3,
with the logistic function written as a probit of sqrt(pi / 8) the slope. So criteria that disagree, and criteria of
which little is known, make a pair worth asking about; criteria that are known to be good and agree do not.

**What a vote teaches of a pair.** Where there are no criteria, the same quantity in the Dirichlet distribution over a
pair's three answers: pairs without votes first, then those with few or contradicting votes (Settles 2009, "Active
learning literature survey", section 3, on why disagreement alone is not enough).

**Drawn, not chosen.** The best pair is not simply taken: pairs are drawn with chances that grow with the information,
and some uniformly. What is asked then has a known chance above 0 for every pair, and what is found on the pairs asked
about can be weighed back to all pairs (`agents.unbiased_accuracy`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from agents.ballot import effective_votes
from agents.votes import Votes

Floats = NDArray[np.float64]

POWER = 2.0
"""Chances grow with this power of the information. Higher ones rank criteria hardly faster and make weights unequal,
so that accuracies take more votes (benchmarks/bench_next_pair.py)."""

FLOOR = 0.05
"""Share of the chances that all pairs have alike, so that no answer ever stands for a huge number of pairs."""

PRIOR_RIGHT, PRIOR_WRONG = 3.0, 2.0
"""What is believed of a criterion before any label: an accuracy of .6, worth five labels."""

PRIOR_VOTE = 0.5
"""Votes that each of a pair's three answers is thought to have had before any was cast (Jeffreys)."""

_SLOPE = math.sqrt(math.pi / 8)
_WIDTH = math.sqrt(math.pi * math.log(2) / 2)


@dataclass(frozen=True)
class Belief:
    """What is known of the criteria's accuracies.

    Attributes:
        right, wrong: (c,) parameters of the beta distributions, > 0.
    """

    right: Floats
    wrong: Floats

    def __post_init__(self) -> None:
        if self.right.shape != self.wrong.shape or min(self.right.min(initial=1), self.wrong.min(initial=1)) <= 0:
            raise ValueError("right and wrong must be as long as each other and above 0")

    @property
    def mean(self) -> Floats:
        """(c,) expected accuracies."""
        found: Floats = self.right / (self.right + self.wrong)
        return found


def belief_of(votes: Votes, truth: NDArray[np.int8]) -> Belief:
    """What labels say of the criteria, starting from an accuracy of about .6.

    Args:
        votes: (c, p) what the criteria say of pairs that people answered.
        truth: (p,) +1 where people preferred a, -1 for b, 0 for a tie (which says nothing).
    """
    scored = votes.signs.astype(np.int16) * truth[None, :]
    return Belief(PRIOR_RIGHT + (scored > 0).sum(axis=1), PRIOR_WRONG + (scored < 0).sum(axis=1))


def label_information(votes: Votes, belief: Belief) -> Floats:
    """(p,) bits that the label of each pair is expected to give on the criteria's accuracies, in [0, 1].

    Criteria that vote alike are not as many voters as they seem: each counts as effective / actual votes, so that
    copies of one add up to that one, its doubts included.

    Args:
        votes: (c, p) what the criteria say of the pairs; 0 bits where none of them decides.
        belief: of the same c criteria.

    Raises:
        ValueError: the belief is of another number of criteria.
    """
    if len(belief.right) != len(votes.criteria):
        raise ValueError(f"the belief is of {len(belief.right)} criteria, the votes are of {len(votes.criteria)}")
    signs = votes.signs.astype(np.float64)
    voters = max(1, int(votes.signs.any(axis=1).sum()))
    worth = effective_votes(votes) / voters
    mean = (special.digamma(belief.right) - special.digamma(belief.wrong)) @ signs
    variance = (special.polygamma(1, belief.right) + special.polygamma(1, belief.wrong)) @ np.abs(signs)
    return _bald(_SLOPE * worth * mean, _SLOPE**2 * worth * variance)


def vote_information(counts: Floats) -> Floats:
    """(p,) bits that one more vote is expected to give on how people answer each pair.

    H of the mean answer less the mean H, in a Dirichlet distribution (closed form by digamma).

    Args:
        counts: (p, 3) votes for a, b and tie.
    """
    alpha = np.asarray(counts, dtype=np.float64).reshape(-1, 3) + PRIOR_VOTE
    total = alpha.sum(axis=1, keepdims=True)
    mean = alpha / total
    entropy = -(mean * np.log(mean)).sum(axis=1)
    expected = special.digamma(total[:, 0] + 1) - (mean * special.digamma(alpha + 1)).sum(axis=1)
    return np.asarray(np.maximum(0.0, (entropy - expected) / math.log(2)))


def chances(information: Floats, power: float = POWER) -> Floats:
    """(p,) chances of being drawn, adding up to 1: proportional to a power of the information, but for `FLOOR`.

    They are equal if there is no information at all. A pair on which nothing is known (NaN) gets the others' mean.
    """
    known = information[~np.isnan(information)]
    filled = np.where(np.isnan(information), known.mean() if len(known) else 1.0, information)
    top = filled.max(initial=0.0)
    weight = (filled / top) ** power if top > 0 else np.ones(len(filled))
    return np.asarray((1 - FLOOR) * weight / weight.sum() + FLOOR / len(weight))


def draw_probability(chance: float, window: int, fresh: int, outside: int, share: float) -> float:
    """The chance with which a pair was drawn, whichever way it came to be drawn.

    A share of the draws goes through the pairs in a random order that was fixed beforehand, one place a draw; where
    that place is taken already, and in all other draws, the pair is drawn by information from a window of the fresh
    pairs, all windows being equally likely. The sum over both ways is the balance heuristic (Veach and Guibas 1995).

    Args:
        chance: of the pair in its window, in [0, 1].
        window: pairs in the window (>= 1); fresh: pairs that may be drawn (>= window).
        outside: pairs that the random order has not come to yet, whether fresh or not; 0 if it has come to all.
        share: of draws that follow the random order, in [0, 1].

    Returns:
        The probability, in (0, 1]; over all fresh pairs and windows it averages to 1 / fresh.
    """
    by_order = share * fresh / outside if outside else 0.0
    return (by_order + (1 - by_order) * chance * window) / fresh


def _bald(mean: Floats, variance: Floats) -> Floats:
    """Houlsby et al. 2011, equation 3: entropy of the mean prediction less the mean entropy, for a normal latent."""
    marginal = _entropy(stats.norm.cdf(mean / np.sqrt(1 + variance)))
    width = variance + _WIDTH**2
    conditional = _WIDTH / np.sqrt(width) * np.exp(-(mean**2) / (2 * width))
    return np.asarray(np.clip(marginal - conditional, 0.0, 1.0))


def _entropy(share: Floats) -> Floats:
    """Bits of a yes-or-no answer."""
    return np.asarray((special.entr(share) + special.entr(1 - share)) / math.log(2))
