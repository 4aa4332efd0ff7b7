"""What people do without this: a textbook test of each cause at each refresh, at the usual 5 %."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from agents.drift import Reference, RefreshData
from agents.drift.fit_drift import observations
from agents.drift.state import CAUSES, Cause


class Ledger:
    """Raw material of the textbook tests: at approval, and refresh by refresh."""

    def __init__(self, reference: Reference) -> None:
        if reference.accuracy is None or reference.corpus is None or reference.corpus.scores is None:
            raise ValueError("the textbook tests need all parts of a reference")
        self._pinned = {(a.criterion, a.pair): a.answer for a in reference.anchors}
        self._ranks = reference.corpus.scores.ranks
        self.before: dict[Cause, tuple[float, float]] = {
            "judge": _count([a.again != a.answer for a in reference.anchors]),
            "annotators": _count([bool(r.flipped) for r in reference.repeats]),
            "fit": (reference.accuracy.n - reference.accuracy.right, reference.accuracy.n),
        }
        self.scores = reference.corpus.scores.held
        self.since: list[dict[Cause, tuple[float, float]]] = []
        self.new_scores: list[list[float]] = []

    def add(self, data: RefreshData) -> None:
        """One refresh more."""
        votes = observations(data.new_votes).get("vote", [])
        answers = data.anchor_answers.items()
        self.since.append({
            "judge": _count([answer != self._pinned[cell] for cell, answer in answers]),
            "annotators": _count([bool(r.flipped) for r in data.repeats]),
            "fit": (len(votes) - sum(votes), float(len(votes))),
        })  # fmt: skip
        self.new_scores.append(self._ranks.of_values(data.corpus.scores) if data.corpus else [])

    def p_values(self, first: int, last: int) -> dict[Cause, float]:
        """P value of each cause over refreshes `first` to `last` (from 0, the last one included) against approval.

        One-sided z tests of two proportions; for the corpus the two-sided rank sum test of scores.
        """
        batches = self.since[first : last + 1]
        found: dict[Cause, float] = {}
        for cause, before in self.before.items():
            now = (sum(b[cause][0] for b in batches), sum(b[cause][1] for b in batches))
            found[cause] = rise_p(before, now)
        scores = [s for batch in self.new_scores[first : last + 1] for s in batch]
        found["corpus"] = float(stats.mannwhitneyu(self.scores, scores).pvalue)
        return {cause: found[cause] for cause in CAUSES}


def rise_p(before: tuple[float, float], now: tuple[float, float]) -> float:
    """One-sided p value of the pooled z test that a proportion rose; arguments are (hits, n)."""
    (a, n), (b, m) = before, now
    pooled = (a + b) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return float(stats.norm.sf((b / m - a / n) / error)) if error > 0 else 1.0


def _count(hits: Sequence[bool]) -> tuple[float, float]:
    return float(sum(hits)), float(len(hits))
