"""Bounded observations as a histogram: all that the tests of drift need, in whatever order or batches they came."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, field_validator

from knowledge_base.errors import InputError

Floats = NDArray[np.float64]


class Tally(BaseModel):
    """How often each value was seen.

    Attributes:
        values: (value in [0, 1], times seen >= 0), sorted by value, each value once. Times are whole numbers except
            where a sample was counted down for pairs that hang together (agents.statistics.design_effect).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[tuple[float, float], ...] = ()

    @field_validator("values")
    @classmethod
    def _within_bounds(cls, values: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for value, times in values:
            if not (0.0 <= value <= 1.0 and 0.0 <= times < float("inf")):
                raise ValueError(f"value {value!r} seen {times!r} times; values lie in [0, 1] and times are >= 0")
        if any(here[0] >= after[0] for here, after in pairwise(values)):
            raise ValueError("values are not sorted or not distinct; build tallies with Tally.of or Tally.binary")
        return values

    @classmethod
    def of(cls, values: Iterable[float]) -> Tally:
        """The tally of these values, each in [0, 1].

        Raises:
            InputError: a value is outside [0, 1] or not a number.
        """
        return cls().plus(values)

    @classmethod
    def binary(cls, hits: float, n: float) -> Tally:
        """`hits` ones and `n - hits` zeros.

        Raises:
            InputError: not 0 <= hits <= n.
        """
        if not 0.0 <= hits <= n:
            raise InputError(f"{hits!r} of {n!r}: a count lies between 0 and its total; give right and n in this order")
        return cls(values=tuple((v, t) for v, t in ((0.0, float(n - hits)), (1.0, float(hits))) if t))

    def plus(self, values: Iterable[float]) -> Tally:
        """This tally and these values; the same however the values are ordered or cut into batches."""
        counts: dict[float, float] = dict(self.values)
        for value in values:
            if not 0.0 <= value <= 1.0:
                raise InputError(f"observation {value!r} is outside [0, 1]; give shares, or 0 and 1")
            counts[float(value)] = counts.get(float(value), 0.0) + 1.0
        return Tally(values=tuple(sorted(counts.items())))

    def joined(self, other: Tally) -> Tally:
        """Both tallies together."""
        counts = dict(self.values)
        for value, times in other.values:
            counts[value] = counts.get(value, 0.0) + times
        return Tally(values=tuple(sorted(counts.items())))

    @property
    def n(self) -> float:
        """How many observations."""
        return float(sum(times for _, times in self.values))

    @property
    def total(self) -> float:
        """Their sum."""
        return float(sum(value * times for value, times in self.values))

    @property
    def mean(self) -> float:
        """Their mean, in [0, 1]; 0.5 of nothing."""
        return min(1.0, self.total / self.n) if self.n else 0.5

    @property
    def mirrored(self) -> Tally:
        """The tally of one minus each value."""
        counts: dict[float, float] = {}
        for value, times in self.values:
            counts[1.0 - value] = counts.get(1.0 - value, 0.0) + times
        return Tally(values=tuple(sorted(counts.items())))

    def arrays(self) -> tuple[Floats, Floats]:
        """(k,) values and (k,) times."""
        table = np.array(self.values, dtype=np.float64).reshape(-1, 2)
        return table[:, 0], table[:, 1]
