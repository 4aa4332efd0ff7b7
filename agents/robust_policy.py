"""The default policy: prior knowledge weighed against the evidence of few pairs, and no more calls than needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from agents.assessment import FLAT, Assessment
from agents.ballot import Ballot, vote_correlation
from agents.panel import Looks
from agents.policy import Decision
from agents.priors import prior
from agents.stacking import stack
from agents.statistics import Beta, paired_gain
from agents.votes import DECIDED, Votes
from knowledge_base.criterion import Criterion, Domain

LEAST = 1e-6
"""Weight of the single criterion that stands where nothing speaks for any: a set is never empty."""


@dataclass(frozen=True)
class RobustPolicy:
    """Races candidates on few pairs, judges survivors by shrunken accuracy, and stacks the vote around the prior.

    Every number below was chosen on development groups only (benchmarks/people.py); docs/benchmarks.md says how.

    Attributes:
        size: criteria in the final set.
        rounds: rounds of evolution.
        candidates: criteria that enter the first race.
        first_rung: pairs of the race's first rung; each further rung doubles it.
        survive: share of candidates that pass a rung.
        floor: coverage below which a criterion is not kept.
        keep, drop: shrunken accuracies from which a criterion is kept and below which it is replaced.
        false_share: q value from which a criterion that nothing but these pairs speaks for is not kept.
        same_votes: correlation of votes from which the less promising of two kept criteria is replaced.
        gain_level: p value of the paired test at which a rewrite takes its parent's place.
        trust: share of the prior's log-odds taken as the centre of a vote weight.
        spread: prior standard deviation of a vote weight around that centre.
        growth: by how much each rung of the race is longer than the one before.
        most_rungs: rungs before the last, which is every pair.
        alive: candidates that pass any rung, however many fail; `size` if None.
        newcomers: candidates asked for in a later round; `size` if None.
        belief, belief_pairs: accuracy believed of a criterion that no catalogue ranks, and the pairs that is worth.
    """

    size: int = 30
    rounds: int = 3
    candidates: int = 72
    first_rung: int = 10
    survive: float = 0.6
    floor: float = 0.1
    keep: float = 0.53
    drop: float = 0.48
    false_share: float = 0.2
    same_votes: float = 0.97
    gain_level: float = 0.1
    trust: float = 0.15
    spread: float = 0.12
    growth: float = 2.0
    most_rungs: int = 2
    alive: int | None = None
    newcomers: int | None = None
    belief: float = 0.5
    belief_pairs: float = 20.0
    name: str = "robust"
    looks: Looks = "second"
    thorough: bool = False
    screens: bool = False

    def prior(self, criterion: Criterion, domain: Domain) -> Beta:
        """The catalogue's word on how much the criterion matters in the domain, or what is believed of any other."""
        known = prior(criterion, domain)
        return Beta(max(known.mean, self.belief), self.belief_pairs)

    def screened(self, assessments: Sequence[Assessment]) -> list[str]:
        """The most promising; this policy retrieves and races instead, and never asks."""
        return [a.criterion for a in sorted(assessments, key=_rank)][: self.size]

    def rungs(self, pairs: int) -> tuple[int, ...]:
        """Growing from `first_rung`; the last rung is every pair (successive halving, Jamieson and Talwalkar 2016)."""
        steps = max(0, math.ceil(math.log(max(pairs, 1) / self.first_rung, self.growth)))
        return (*(round(self.first_rung * self.growth**i) for i in range(min(steps, self.most_rungs))), pairs)

    def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
        """The most promising share; never fewer than `alive`."""
        ranked = sorted(assessments, key=_rank)
        return [a.criterion for a in ranked[: self.passing(len(ranked))]]

    def passing(self, n: int) -> int:
        """The share that passes, but no fewer than `alive`."""
        alive = self.size if self.alive is None else self.alive
        return min(n, max(alive, math.ceil(n * self.survive)))

    def room(self, alive: int, rewrites: int) -> int:
        """Later rounds look for a set's worth of new candidates, unless fewer are all that is worth paying for."""
        return self.size if self.newcomers is None else self.newcomers

    def decide(self, votes: Votes, assessments: Sequence[Assessment]) -> list[Decision]:
        """Keep, refine or replace by shrunken accuracy, coverage, multiple testing and redundancy."""
        ranked = sorted(assessments, key=_rank)
        double = _doubles(votes, [a.criterion for a in ranked], self.same_votes)
        return [self._decision(a, double.get(a.criterion, "")) for a in ranked]

    def accepts(self, old: NDArray[np.int8], new: NDArray[np.int8]) -> tuple[bool, str]:
        """Only on paired evidence: an exact sign test over the pairs on which the two differ."""
        p_value = paired_gain(old, new)
        wins, losses = int((new > old).sum()), int((new < old).sum())
        accepted = p_value <= self.gain_level
        verdict = "accepted" if accepted else "refused"
        return accepted, f"rewrite {verdict}: better on {wins}, worse on {losses} pairs ({_printed(p_value)})"

    def compose(
        self, votes: Votes, truth: NDArray[np.int8], weights: NDArray[np.float64], priors: Mapping[str, Beta]
    ) -> tuple[list[str], Ballot]:
        """Stack every kept criterion around its prior, then keep the `size` that move the vote most.

        A criterion whose weight comes out negative would vote against its own words and is left out.
        """
        clear = truth != 0
        centre = self.trust * logit(np.array([priors.get(c, FLAT).mean for c in votes.criteria]))
        signs = votes.signs[:, clear].T.astype(np.float64)
        found = stack(signs, truth[clear].astype(np.float64), weights[clear], centre, self.spread)
        coverage = (votes.states == DECIDED).mean(axis=1)
        pull = np.round(found * np.sqrt(coverage), 9)
        order = sorted(range(len(pull)), key=lambda i: (-pull[i], votes.criteria[i]))
        final = [i for i in order if pull[i] > 0][: self.size] or order[:1]
        chosen = {votes.criteria[i]: max(round(float(found[i]), 6), LEAST) for i in final}
        return list(chosen), Ballot(weights=chosen, method="logistic stacking around the prior")

    def _decision(self, one: Assessment, double: str) -> Decision:
        believed = f"accuracy {one.accuracy:.2f} on {one.decided} pairs, {one.shrunken:.2f} shrunken"
        if one.missing and not one.decided:
            return Decision(one.criterion, "refine", f"no evidence: {one.missing} of {one.asked} judgments never came")
        if one.shrunken < self.drop or not one.decided:
            return Decision(one.criterion, "replace", f"{believed}: below {self.drop:g}")
        if double:
            return Decision(one.criterion, "replace", f"{believed}: votes as {double} does")
        if one.coverage < self.floor:
            return Decision(one.criterion, "refine", f"{believed}: decides only {one.coverage:.0%}")
        if one.shrunken < self.keep:
            return Decision(one.criterion, "refine", f"{believed}: below {self.keep:g}")
        if one.prior <= FLAT.mean and one.q_value > self.false_share:
            return Decision(one.criterion, "refine", f"{believed}: may be chance (q = {one.q_value:.2f})")
        return Decision(one.criterion, "keep", believed)


def frugal() -> RobustPolicy:
    """The policy where judgments cost money: a smaller field, raced harder, and models' criteria believed more.

    Set in simulated worlds of development seeds (docs/benchmarks.md).
    """
    return RobustPolicy(
        size=20, candidates=22, first_rung=4, survive=0.3, alive=6, newcomers=6, keep=0.75, drop=0.5, gain_level=0.5,
        trust=0.5, spread=0.4, belief=0.58, belief_pairs=8.0, looks="sampled",
    )  # fmt: skip


def _printed(p_value: float) -> str:
    """As people read it: never "0.00", which no test can give."""
    return "p < 0.01" if p_value < 0.01 else f"p = {p_value:.2f}"


def _rank(one: Assessment) -> tuple[float, str]:
    return (-round(one.promise, 9), one.criterion)


def _doubles(votes: Votes, ranked: Sequence[str], limit: float) -> dict[str, str]:
    """Criterion -> a more promising one that votes alike on these pairs."""
    correlation = vote_correlation(votes.rows(ranked))
    found: dict[str, str] = {}
    for i, criterion in enumerate(ranked):
        alike = [ranked[j] for j in range(i) if correlation[i, j] >= limit and ranked[j] not in found]
        if alike:
            found[criterion] = alike[0]
    return found
