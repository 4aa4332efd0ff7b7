"""Mining pairs as a statistical manager sees them: people's signs, and any expression's votes on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agents.expression import evaluate, names_in
from agents.pairs import Pair
from agents.signals import SIGNALS
from agents.signals.measurement import MeasurementCache, measure
from agents.signals.passage import Passage
from knowledge_base.criterion import Criterion

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]


class Sample:
    """Pairs measured on demand; each signal once."""

    def __init__(self, pairs: Sequence[Pair], cache: MeasurementCache) -> None:
        self.pairs = tuple(sorted(pairs, key=lambda p: p.hash))
        self._cache = cache
        self._passages = [Passage(text, p.prompt) for p in self.pairs for text in (p.a, p.b)]
        self._values: dict[str, Floats] = {}

    @cached_property
    def truth(self) -> Signs:
        """(p,) +1 where people preferred a, -1 for b, 0 for a tie."""
        return np.array([p.sign for p in self.pairs], dtype=np.int8)

    def gaps(self, expression: str) -> Floats:
        """(p,) value on a minus value on b; NaN where the expression does not apply to both."""
        names = [n for n in names_in(expression) if n not in self._values]
        self._values.update(measure(self._passages, names, self._cache) if names else {})
        both = evaluate(expression, {n: self._values[n] for n in names_in(expression)})
        return both[0::2] - both[1::2]

    def votes(self, criterion: Criterion) -> Signs:
        """(p,) votes of a programmatic criterion: +1 for A, -1 for B, 0 where it abstains."""
        return signs_of(self.gaps(criterion.expression), criterion.margin, criterion.direction == "higher")

    def measure_all(self) -> tuple[str, ...]:
        """Measure every registered signal at once (faster than one by one); returns their names, sorted."""
        names = tuple(sorted(SIGNALS))
        self._values.update(measure(self._passages, names, self._cache))
        return names


def signs_of(gaps: Floats, margin: float, higher: bool) -> Signs:
    """(p,) votes that gaps amount to: 0 within the margin or where NaN."""
    decided = np.abs(np.nan_to_num(gaps)) > margin
    signs = np.where(decided, np.sign(np.nan_to_num(gaps)), 0)
    return (signs if higher else -signs).astype(np.int8)


def round_margin(gaps: Floats, share: float) -> float:
    """A margin that abstains on at most `share` (in [0, 1)) of the pairs on which the two texts differ at all.

    It lies on a gap that occurs, rounded to two digits if that decides the same; 0 where the smallest gap already
    stands on more pairs than that, as counts have it.
    """
    sizes = np.sort(np.abs(gaps[np.isfinite(gaps) & (gaps != 0)]))
    spared = int(share * len(sizes))
    if not spared:
        return 0.0
    allowed = sizes[sizes < sizes[spared]] if spared < len(sizes) else sizes
    if not len(allowed):
        return 0.0
    rounded = float(f"{allowed[-1]:.2g}")
    return rounded if int((sizes <= rounded).sum()) == len(allowed) else float(allowed[-1])
