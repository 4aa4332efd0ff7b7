"""CritiQ as published (Guo et al., ACL 2025, section 3 and appendix A) and in its reference code, for reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.assessment import FLAT, Assessment, assess
from agents.ballot import Ballot
from agents.chronicle import Fate
from agents.panel import Looks
from agents.policy import Decision
from agents.statistics import Beta
from agents.votes import Votes
from knowledge_base.criterion import Criterion, Domain


@dataclass(frozen=True)
class PaperPolicy:
    """Raw accuracy over decided pairs against two thresholds; every criterion meets every pair in one order.

    Attributes:
        size: criteria in play at a time.
        rounds: rounds of evolution.
        low, high: up to `low` a criterion is replaced, from `high` it is kept, between it is refined.
        screens: whether the whole knowledge base meets every pair first (`Workflow.get_init_criteria` of the code).
    """

    size: int = 20
    rounds: int = 3
    low: float = 0.5
    high: float = 0.75
    screens: bool = False
    name: str = "paper"
    looks: Looks = "one"
    thorough: bool = True

    @property
    def candidates(self) -> int:
        """As many as are in play: nothing is raced."""
        return self.size

    def prior(self, criterion: Criterion, domain: Domain) -> Beta:
        """Nothing is believed."""
        return FLAT

    def screened(self, assessments: Sequence[Assessment]) -> list[str]:
        """The most accurate, better than a coin; equals in an order that their content decides."""
        good = [a for a in assessments if a.accuracy > self.low]
        return [a.criterion for a in sorted(good, key=lambda a: (-a.accuracy, a.criterion))][: self.size]

    def rungs(self, pairs: int) -> tuple[int, ...]:
        """All pairs at once."""
        return (pairs,)

    def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
        """Everyone: there is no race."""
        return [a.criterion for a in assessments]

    def passing(self, n: int) -> int:
        """Everyone."""
        return n

    def room(self, alive: int, rewrites: int) -> int:
        """As many new criteria as were replaced."""
        return max(0, self.size - alive)

    def decide(self, votes: Votes, assessments: Sequence[Assessment]) -> list[Decision]:
        """Keep, refine or replace by raw accuracy; best first."""
        ranked = sorted(assessments, key=lambda a: (-a.accuracy, a.criterion))
        return [Decision(a.criterion, self._fate(a.accuracy), self._why(a)) for a in ranked]

    def accepts(self, old: NDArray[np.int8], new: NDArray[np.int8]) -> tuple[bool, str]:
        """A rewrite stays if its raw accuracy is not worse."""
        before, after = _accuracy(old), _accuracy(new)
        return after >= before, f"rewrite {after:.2f} against {before:.2f} before"

    def compose(
        self, votes: Votes, truth: NDArray[np.int8], weights: NDArray[np.float64], priors: Mapping[str, Beta]
    ) -> tuple[list[str], Ballot]:
        """Every archived criterion at or above `high`, one vote each; the single best if there is none."""
        ranked = sorted(assess(votes, truth), key=lambda a: (-a.accuracy, -a.decided, a.criterion))
        good = [a.criterion for a in ranked if a.accuracy >= self.high] or [a.criterion for a in ranked[:1]]
        return good, Ballot(weights=dict.fromkeys(good, 1.0), method="majority of archived criteria")

    def _fate(self, accuracy: float) -> Fate:
        if accuracy >= self.high:
            return "keep"
        return "refine" if accuracy > self.low else "replace"

    def _why(self, one: Assessment) -> str:
        bounds = f"{self.low:g} / {self.high:g}"
        return f"accuracy {one.accuracy:.2f} on {one.decided} decided pairs against {bounds}"


def _accuracy(score: NDArray[np.int8]) -> float:
    decided = int((score != 0).sum())
    return int((score > 0).sum()) / decided if decided else 0.5
