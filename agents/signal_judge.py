"""The signal worker: judges by a criterion's expression over measured signals; free, deterministic, explained."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.expression import check, evaluate, names_in
from agents.fingerprints import source_digest
from agents.judge import Question
from agents.judgments import Ask, Judgment, Status, Verdict
from agents.pairs import Pair
from agents.signals import SIGNALS
from agents.signals.measurement import MeasurementCache, MemoryCache, measure, signals_version
from agents.signals.passage import Passage
from knowledge_base.criterion import Criterion
from knowledge_base.errors import ExpressionError

RULES = (Path(__file__), Path(__file__).with_name("expression.py"))
"""The files that make measurements into judgments: changed ones are a different judge."""

Measured = Mapping[str, NDArray[np.float64]]


class SignalJudge:
    """A `Judge` for programmatic criteria.

    Swapping the texts swaps the two values, so the judge is symmetric by construction and one order is enough.
    """

    symmetric = True

    def __init__(self, cache: MeasurementCache | None = None) -> None:
        self._cache = cache if cache is not None else MemoryCache()
        self.fingerprint = f"signals/{signals_version()}/{source_digest(*RULES)}"

    def can_judge(self, criterion: Criterion) -> bool:
        """True if the criterion has an expression that reads, and every signal in it is known here."""
        try:
            check(criterion.expression, SIGNALS)
        except ExpressionError:
            return False
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        """One judgment a question; a criterion this judge cannot read is `invalid`, never an exception."""
        readable = [(c, p) for _, c, p in questions if self.can_judge(c)]
        measured = Differences(readable, self._cache)
        for ask, criterion, pair in questions:
            yield self._judge(ask, criterion, pair, measured)

    def _judge(self, ask: Ask, criterion: Criterion, pair: Pair, measured: Differences) -> Judgment:
        if not self.can_judge(criterion):
            return Judgment(key=ask.key, status="invalid", rationale="no expression that signals can evaluate")
        first, second = measured.values(criterion, pair)
        return decide(ask.key, criterion, first, second)


class Differences:
    """The values of criteria that can be judged on the pairs they are asked of, measured together."""

    def __init__(self, asked: Sequence[tuple[Criterion, Pair]], cache: MeasurementCache) -> None:
        names = {n for c, _ in asked for n in names_in(c.expression)}
        pairs = list({p.hash: p for _, p in asked}.values())
        self._column = {p.hash: i for i, p in enumerate(pairs)}
        passages = [Passage(text, p.prompt) for p in pairs for text in (p.a, p.b)]
        self._measured = measure(passages, names, cache)
        self._evaluated: dict[str, NDArray[np.float64]] = {}

    def values(self, criterion: Criterion, pair: Pair) -> tuple[float, float]:
        """The criterion's expression on a and on b; NaN where it does not apply."""
        if criterion.expression not in self._evaluated:
            used = {n: self._measured[n] for n in names_in(criterion.expression)}
            self._evaluated[criterion.expression] = evaluate(criterion.expression, used)
        both, at = self._evaluated[criterion.expression], 2 * self._column[pair.hash]
        return float(both[at]), float(both[at + 1])


def decide(key: str, criterion: Criterion, first: float, second: float) -> Judgment:
    """The judgment that two values of a criterion's expression amount to.

    Its margin is 1 - m / |difference| for an abstention margin m: 0 where the judge would just abstain,
    towards 1 as the difference outgrows it.
    """
    expression = criterion.expression
    if math.isnan(first) or math.isnan(second):
        return Judgment(key=key, status="abstained", rationale=f"{expression} does not apply to both texts")
    gap = abs(first - second)
    values = f"{expression}: A {first:.4g}, B {second:.4g}"
    if gap <= criterion.margin:
        return Judgment(key=key, status="abstained", rationale=f"{values}; within the margin of {criterion.margin:.4g}")
    verdict: Verdict = "A" if (first > second) == (criterion.direction == "higher") else "B"
    status: Status = "decided"
    clear = 1.0 - criterion.margin / gap
    return Judgment(
        key=key, status=status, verdict=verdict, rationale=f"{values}; {criterion.direction} is better", margin=clear
    )
