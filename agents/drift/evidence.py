"""What a cause of drift has against it so far, and how the evidence of several tests is put together.

E-values may be averaged whatever hangs together with what (Vovk and Wang 2021, "E-values: calibration, combination and
applications", proposition 3.1), and the average of e-processes is an e-process. By Ville's inequality (1939) the chance
that one ever reaches 1 / level without drift is at most the level, over the whole stream of refreshes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

NOTHING = 0.0
"""Log of the e-value 1: no evidence either way."""


class Evidence(BaseModel):
    """An e-process as it was after each refresh.

    Attributes:
        history: natural logarithm of the e-value after each refresh, the first one first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[float, ...] = ()

    @property
    def log_e(self) -> float:
        """Natural logarithm of the e-value now; 0 before any refresh."""
        return self.history[-1] if self.history else NOTHING

    @property
    def peak(self) -> float:
        """The highest it ever was."""
        return max((NOTHING, *self.history))

    @property
    def e_value(self) -> float:
        """The e-value now: what 1 staked on the null hypothesis being wrong has become. At most about 1e300."""
        return math.exp(min(self.log_e, 690.0))

    @property
    def p_value(self) -> float:
        """Anytime-valid p value, in (0, 1]: one over the highest e-value so far."""
        return math.exp(-min(self.peak, 690.0))

    def then(self, log_e: float) -> Evidence:
        """The same one refresh later."""
        return Evidence(history=(*self.history, log_e))

    def passes(self, level: float) -> bool:
        """Whether it ever reached 1 / level: reject at this level, over the whole stream."""
        return self.peak >= -math.log(level)


def mixture(log_es: Sequence[float], shares: Sequence[float]) -> float:
    """Log of the average of e-values with these shares (>= 0, at most 1 together; what is missing counts as lost)."""
    kept = [(e, math.log(w)) for e, w in zip(log_es, shares, strict=True) if w > 0]
    return float(np.logaddexp.reduce([e + w for e, w in kept])) if kept else NOTHING


def e_bh(log_es: Mapping[str, float], level: float) -> tuple[str, ...]:
    """The e-Benjamini-Hochberg procedure (Wang and Ramdas 2022, "False discovery rate control with e-values").

    The k largest e-values are rejected, for the largest k whose smallest is at least n / (k level); the share of false
    ones among those named is at most `level` on average, whatever hangs together. If no hypothesis is false, anything
    is ever named with a probability of at most `level`: a non-empty answer needs an average e-value of 1 / level.

    Returns:
        names in order of falling evidence.
    """
    ranked = sorted(log_es, key=lambda name: (-log_es[name], name))
    bar = math.log(len(ranked) / level) if ranked else 0.0
    passing = [k for k, name in enumerate(ranked, 1) if log_es[name] >= bar - math.log(k)]
    return tuple(ranked[: max(passing, default=0)])
