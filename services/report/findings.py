"""What was found and how sure one may be, in sentences. A reader who stops after them has not been misled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from agents.outcome import VoteAccuracy
from services.report.figures import count, percent, points, span
from services.run_facts import Holdout
from services.run_result import RunResult

PAIRS_NAMED: dict[Holdout, str] = {
    "sealed": "sealed pairs",
    "crossfit": "cross-fitted pairs",
    "test": "pairs of the test file",
    "none": "mining pairs",
}
"""How each kind of held-out pair is called in a sentence."""

PAIRS_EXPLAINED: dict[Holdout, str] = {
    "sealed": "Sealed pairs were set aside before mining began; neither manager nor policy ever saw them.",
    "crossfit": (
        "There are too few pairs to seal a share, so the pairs were cross-fitted: each was judged by a set mined "
        "without it. The figure tells how well such mining does; the set handed over was mined from all pairs."
    ),
    "test": "The test file was never mined: neither manager nor policy ever saw it.",
    "none": "Nothing could be held out, so no honest accuracy can be given.",
}

ANCHOR, FALLEN, LEVEL = 0.88, 0.80, 0.05
"""The fall that the power figures are about: a vote that was right on 88% of pairs and is now on 80%."""


@dataclass(frozen=True)
class Findings:
    """The sentences at the top.

    Attributes:
        headline: what was found; sureness: how sure one may be.
        optimism: mining accuracy minus held-out accuracy, in a sentence; empty if nothing was held out.
        vote: the weighted vote beside plain majority, in a sentence; empty if nothing was held out.
    """

    headline: str
    sureness: str
    optimism: str
    vote: str


def findings(result: RunResult) -> Findings:
    """The findings of a run."""
    size = count(len(result.criteria_set.members), "criterion", "criteria")
    held = result.held_out_weighted
    if held is None or not held.decided:
        why = "Nothing could be held out" if held is None else "The vote decided none of the held-out pairs"
        headline = f"{size} mined; how far they agree with people is not known."
        return Findings(headline, f"{why}, so no honest accuracy can be given.", "", "")
    headline = f"{size}, voting together, agree with people on {percent(held.accuracy)} of {_named(result, held)}."
    return Findings(headline, _sureness(held), _optimism(result, held), _vote(result))


def _named(result: RunResult, held: VoteAccuracy) -> str:
    return f"{held.decided:,} {PAIRS_NAMED[result.facts.holdout]}"


def _sureness(held: VoteAccuracy) -> str:
    interval = (
        f"With this many pairs the true figure may lie anywhere from {percent(held.low)} to {percent(held.high)} "
        "(95% interval)"
    )
    if held.low > 0.5:
        return f"{interval}: better than chance, which is 50%."
    if held.high < 0.5:
        return f"{interval}: worse than chance, which is 50%. Do not use this set."
    return f"{interval}, and chance is 50%: these pairs do not show that the set is better than guessing."


def _optimism(result: RunResult, held: VoteAccuracy) -> str:
    mining = result.mining_weighted
    if not mining.decided:
        return "On the pairs it was mined from the vote decides nothing."
    gap = points(mining.accuracy - held.accuracy)
    seen = f"On the {count(mining.decided, 'pair')} it was mined from the vote is right on {percent(mining.accuracy)}"
    if mining.accuracy > held.accuracy:
        return f"{seen}: {gap} that come from having seen them."
    return f"{seen} ({gap}): no sign of over-fitting."


def _vote(result: RunResult) -> str:
    weighted, plain = result.held_out_weighted, result.held_out_majority
    if weighted is None or plain is None:
        return ""
    if not plain.decided:
        return "Plain majority decides none of these pairs."
    gain = weighted.accuracy - plain.accuracy
    verdict = "one criterion, one vote does as well" if abs(gain) < 0.005 else f"the weights are worth {points(gain)}"
    return f"Plain majority is right on {percent(plain.accuracy)} ({span(plain.low, plain.high)}): {verdict}."


@lru_cache(maxsize=64)
def power(pairs: int) -> float:
    """Chance that `pairs` anchor pairs show a fall from `ANCHOR` to `FALLEN`: exact one-sided binomial test at 5%."""
    from scipy.stats import binom

    rejecting = [right for right in range(pairs + 1) if binom.cdf(right, pairs, ANCHOR) <= LEVEL]
    return float(binom.cdf(rejecting[-1], pairs, FALLEN)) if rejecting else 0.0
