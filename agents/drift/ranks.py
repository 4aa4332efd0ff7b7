"""Any real number as its rank among a reference sample, in twentieths: bounded, unit-free, deaf to outliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]

BINS = 20
"""Ranks that are told apart; fewer would blur, more would only lengthen the histogram."""


class Ranks(BaseModel):
    """Quantiles of a reference sample.

    Attributes:
        edges: BINS - 1 rising numbers that cut the sample into equal parts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: tuple[float, ...]

    @classmethod
    def of(cls, sample: Sequence[float] | Floats) -> Ranks:
        """The quantiles of a sample (at least one number)."""
        inner = np.linspace(0.0, 1.0, BINS + 1)[1:-1]
        return cls(edges=tuple(np.quantile(np.asarray(sample, dtype=np.float64), inner).tolist()))

    def of_values(self, values: Sequence[float] | Floats) -> list[float]:
        """The rank of each value in [0, 1]; about uniform for values from where the sample came from.

        A value on several edges at once takes the middle of them, so that a sample with many equal values is not
        pushed to one side.
        """
        edges, found = np.array(self.edges), np.asarray(values, dtype=np.float64)
        below, above = np.searchsorted(edges, found, side="left"), np.searchsorted(edges, found, side="right")
        ranks: list[float] = ((below + above) / (2.0 * len(edges))).tolist()
        return ranks


def spread(ranks: Sequence[float]) -> list[float]:
    """How far from the middle each rank lies, in [0, 1]: its mean rises when a distribution widens."""
    return [abs(2.0 * rank - 1.0) for rank in ranks]
