"""What a finished mining thread hands over: the criteria set, and how it did on pairs nobody mined from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment, assess
from agents.ballot import Ballot, majority
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.mining import Mining, MiningState
from agents.splitting import unit_labels
from agents.statistics import design_effect, wilson
from agents.steps import compose
from agents.votes import Votes


class VoteAccuracy(BaseModel):
    """A vote against people, with everything a number must carry.

    Attributes:
        n: pairs with a preference (ties left out); ties: pairs that people tied.
        decided: pairs on which the vote was not balanced; right: of those, as people preferred.
        accuracy: right / decided, in [0, 1] (0.5 if nothing was decided); coverage: decided / n.
        effective: how many separate pairs the decided ones are worth, less where they share groups or texts.
        low, high: 95 % Wilson interval of the accuracy, at the effective number of pairs.
        kind: `mining` pairs (seen by the manager: optimistic), `sealed`, `crossfit` (each pair judged by a set
            mined without it) or `test` (a file of its own).
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["mining", "sealed", "crossfit", "test"]
    n: int
    ties: int
    decided: int
    right: int
    accuracy: float
    coverage: float
    effective: float
    low: float
    high: float


class PairOutcome(BaseModel):
    """One sealed pair: its unit, people's sign, the weighted vote's probability for a, the plain majority's sign."""

    model_config = ConfigDict(frozen=True)

    pair: str
    unit: str
    truth: int
    probability: float
    majority: int


class Outcome(BaseModel):
    """A finished thread.

    Attributes:
        criteria_set: what was mined.
        mining_weighted, mining_majority: the votes on the mining pairs (optimistic, shown for comparison).
        sealed: every sealed pair; empty if none were sealed.
        sealed_assessments: each criterion on the sealed pairs.
    """

    model_config = ConfigDict(frozen=True)

    criteria_set: CriteriaSet
    mining_weighted: VoteAccuracy
    mining_majority: VoteAccuracy
    sealed: tuple[PairOutcome, ...]
    sealed_assessments: tuple[Assessment, ...]


def measure(
    signs: NDArray[np.int8],
    truth: NDArray[np.int8],
    kind: Literal["mining", "sealed", "crossfit", "test"],
    units: Sequence[str],
) -> VoteAccuracy:
    """Accuracy of (p,) vote signs against (p,) people's signs; `units` says which of the p pairs hang together."""
    clear = truth != 0
    effect = design_effect([u for u, counted in zip(units, clear & (signs != 0), strict=True) if counted])
    n, decided = int(clear.sum()), int((clear & (signs != 0)).sum())
    right = int((signs * truth > 0).sum())
    interval = wilson(right / effect, decided / effect)
    return VoteAccuracy(
        kind=kind, n=n, ties=int((~clear).sum()), decided=decided, right=right,
        accuracy=right / decided if decided else 0.5, coverage=decided / n if n else 0.0,
        effective=decided / effect, low=interval.low, high=interval.high,
    )  # fmt: skip


def measure_outcomes(
    pairs: Sequence[PairOutcome], kind: Literal["sealed", "crossfit", "test"]
) -> tuple[VoteAccuracy, VoteAccuracy]:
    """(weighted, majority) accuracy over sealed pairs, pooled over folds if there are several."""
    truth = np.array([p.truth for p in pairs], dtype=np.int8)
    weighted = np.array([_sign(p.probability) for p in pairs], dtype=np.int8)
    plain = np.array([p.majority for p in pairs], dtype=np.int8)
    units = [p.unit for p in pairs]
    return measure(weighted, truth, kind, units), measure(plain, truth, kind, units)


def conclude(state: MiningState, mining: Mining, lineage: Lineage) -> Outcome:
    """The outcome of a thread whose graph has ended."""
    final, weights = compose(state, mining)
    ballot = Ballot(weights=weights, method=mining.policy.name)
    votes, truth = mining.ledger.votes(final, mining.pairs), mining.truth(mining.pairs)
    sealed_pairs = tuple(p.hash for p in mining.sealed)
    sealed_votes = mining.ledger.votes(final, sealed_pairs)
    sealed_truth = np.array([p.sign for p in mining.sealed], dtype=np.int8)
    units = unit_labels([mining.by_hash[p] for p in mining.pairs])
    return Outcome(
        criteria_set=_criteria_set(final, weights, votes, mining, lineage),
        mining_weighted=measure(_signs(ballot, votes), truth, "mining", units),
        mining_majority=measure(majority(votes), truth, "mining", units),
        sealed=tuple(_pair_outcomes(ballot, sealed_votes, sealed_truth, unit_labels(mining.sealed))),
        sealed_assessments=tuple(assess(sealed_votes, sealed_truth)) if sealed_pairs else (),
    )


def _criteria_set(
    final: Sequence[str], weights: dict[str, float], votes: Votes, mining: Mining, lineage: Lineage
) -> CriteriaSet:
    bodies = mining.ledger.recall(final)
    assessed = assess(votes, mining.truth(mining.pairs), mining.priors(bodies))
    members = [Member(criterion=b, weight=weights[b.hash], mining=a) for b, a in zip(bodies, assessed, strict=True)]
    return CriteriaSet(members=tuple(members), method=mining.policy.name, lineage=lineage)


def _pair_outcomes(ballot: Ballot, votes: Votes, truth: NDArray[np.int8], units: Sequence[str]) -> list[PairOutcome]:
    rows = zip(votes.pairs, units, truth, ballot.probability(votes), majority(votes), strict=True)
    return [PairOutcome(pair=p, unit=u, truth=int(t), probability=float(q), majority=int(m)) for p, u, t, q, m in rows]


def _signs(ballot: Ballot, votes: Votes) -> NDArray[np.int8]:
    return np.sign(np.round(ballot.log_odds(votes), 9)).astype(np.int8)


def _sign(probability: float) -> int:
    return int(np.sign(round(probability - 0.5, 9)))
