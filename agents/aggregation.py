"""Several people's votes on a pair, made into one answer and how far the votes support it.

Two methods, chosen by what the votes can carry:

- *majority*: the share of the votes. Needs nothing, assumes that everyone is equally reliable.
- *dawid-skene*: each annotator's reliability is estimated together with the answers (Dawid and Skene 1979,
  "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm"; crowd-kit's implementation).
  It is used when every vote names its annotator, at least three annotators voted, at least half of the pairs have
  two votes or more, and the median annotator cast at least `VOTES_EACH` votes on such pairs: with fewer, the
  reliabilities are noise and the answers worse than a count.

Which side a text stands on is arbitrary, so every vote is also entered with its sides exchanged: the answers then do
not depend on the sides, and a file whose better text always stands first does not teach the model that "a" is
always right. Each annotator also gets a short invented history, right three times in four, which keeps
one who never yet disagreed from being taken for infallible.
"""

from __future__ import annotations

import statistics
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agents.pairs import Preference, Vote

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # ships no types

Method = Literal["majority", "dawid-skene"]
Votes = Sequence[Vote]

VOTES_EACH = 20
"""Votes on shared pairs that the median annotator must have cast before reliabilities are estimated."""

ANNOTATORS = 3
"""Annotators below which reliabilities cannot be told apart: two who disagree may each be the wrong one."""

ROUNDS = 100
"""Most rounds of expectation and maximisation (a million votes take about .3 s a round)."""

_LABELS: tuple[Preference, ...] = ("a", "b", "tie")
_CODE: dict[Preference, int] = {"a": 0, "b": 1, "tie": 2}
_MIRROR = (1, 0, 2)
_HISTORY = {0: (0, 0, 0, 1)}
_HISTORY_WITH_TIES = {0: (0, 0, 0, 1, 2), 2: (2, 2, 0, 1)}
_LEAD = 1e-9
"""Difference of support below which two answers share the lead; rounding makes smaller ones."""


@dataclass(frozen=True)
class Answer:
    """How far the votes on one pair support each answer; the three numbers are in [0, 1] and sum to 1."""

    a: float
    b: float
    tie: float

    def support(self, preferred: Preference) -> float:
        """Share or posterior probability of `preferred`, in [0, 1]."""
        return {"a": self.a, "b": self.b, "tie": self.tie}[preferred]

    @property
    def preferred(self) -> Preference:
        """The best supported answer; a tie if two answers share the lead."""
        first, second = sorted(_LABELS, key=self.support, reverse=True)[:2]
        return first if self.support(first) - self.support(second) > _LEAD else "tie"

    @property
    def confidence(self) -> float:
        """Support of `preferred`, in [1/3, 1]; 1/3 for a tie that only a shared lead made."""
        return max(self.support(self.preferred), 1 / 3)


@dataclass(frozen=True)
class Aggregation:
    """Answers to all pairs, in order, with the method that gave them and why it was chosen."""

    answers: tuple[Answer, ...]
    method: Method
    why: str


def aggregate(ballots: Sequence[Votes]) -> Aggregation:
    """Make each pair's votes into one answer.

    Args:
        ballots: for each pair its votes, at least one; an annotator may vote on a pair more than once.

    Returns:
        One answer for each ballot, in order. The same votes give the same answers, to the bit.

    Raises:
        ValueError: a ballot is empty.
    """
    if not all(ballots):
        raise ValueError(f"ballot {[bool(b) for b in ballots].index(False)} is empty; leave pairs without votes out")
    obstacle = _obstacle(ballots)
    if obstacle:
        return Aggregation(tuple(_count(ballot) for ballot in ballots), "majority", obstacle)
    return Aggregation(_dawid_skene(ballots), "dawid-skene", "annotators are named and overlap enough")


def _obstacle(ballots: Sequence[Votes]) -> str:
    """Why annotators' reliabilities cannot be estimated; empty if they can."""
    if all(len(ballot) == 1 for ballot in ballots):
        return "every pair has a single vote"
    if not all(vote.annotator for ballot in ballots for vote in ballot):
        return "not every vote names its annotator"
    shared = [ballot for ballot in ballots if len({vote.annotator for vote in ballot}) > 1]
    cast = Counter(vote.annotator for ballot in shared for vote in ballot)
    if len(cast) < ANNOTATORS:
        return f"only {len(cast)} annotators share pairs; at least {ANNOTATORS} are needed to tell who is reliable"
    if 2 * len(shared) < len(ballots):
        return f"only {len(shared)} of {len(ballots)} pairs were judged by more than one annotator"
    median = statistics.median(cast.values())
    if median < VOTES_EACH:
        return f"the median annotator cast {median:g} votes on shared pairs; at least {VOTES_EACH} are needed"
    return ""


def _count(ballot: Votes) -> Answer:
    """Shares of the votes."""
    tally = Counter(vote.preferred for vote in ballot)
    return Answer(*(tally[label] / len(ballot) for label in _LABELS))


def _dawid_skene(ballots: Sequence[Votes]) -> tuple[Answer, ...]:
    """Posterior probabilities by crowd-kit's Dawid-Skene over the votes, their mirror images and the history."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    names = sorted({vote.annotator for ballot in ballots for vote in ballot})
    worker = {name: number for number, name in enumerate(names)}
    real = [(i, worker[v.annotator], _CODE[v.preferred]) for i, ballot in enumerate(ballots) for v in ballot]
    ties = any(label == _CODE["tie"] for _, _, label in real)
    invented, truth = _history(len(names), 2 * len(ballots), ties)
    mirrored = [(i + len(ballots), who, _MIRROR[label]) for i, who, label in real]
    frame = pd.DataFrame(real + mirrored + invented, columns=["task", "worker", "label"])
    with warnings.catch_warnings():
        # crowd-kit 1.4 uses keywords that pandas 3 deprecates; nothing a user could do about it.
        warnings.simplefilter("ignore", DeprecationWarning)
        posterior = DawidSkene(n_iter=ROUNDS).fit_predict_proba(frame, pd.Series(truth))
    return _answers(posterior, len(ballots))


def _history(workers: int, start: int, ties: bool) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
    """Invented votes on invented pairs (numbered from `start`) with known answers, the same for every annotator."""
    votes: list[tuple[int, int, int]] = []
    truth: dict[int, int] = {}
    for answer, given in (_HISTORY_WITH_TIES if ties else _HISTORY).items():
        for label in given:
            for right, said in ((answer, label), (_MIRROR[answer], _MIRROR[label])):
                task = start + len(truth)
                truth[task] = right
                votes.extend((task, who, said) for who in range(workers))
    return votes, truth


def _answers(posterior: pd.DataFrame, count: int) -> tuple[Answer, ...]:
    """The first `count` rows as answers, renormalised because crowd-kit clips probabilities away from 0."""
    wanted = posterior.reindex(index=range(count), columns=range(3), fill_value=0.0).to_numpy(dtype=float)
    wanted = wanted / wanted.sum(axis=1, keepdims=True)
    return tuple(Answer(*map(float, row)) for row in wanted)
