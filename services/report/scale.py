"""A straight axis: values to places on a drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` laid from `start` to `end` (drawing units; `end` may lie before `start`)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value stands, to a tenth of a unit; values off the axis stand at its ends."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, step: float) -> list[tuple[float, float]]:
        """(value, place) at every multiple of `step` on the axis."""
        first, last = round(self.low / step), floor(self.high / step + 1e-9)
        return [(i * step, self.at(i * step)) for i in range(first, last + 1) if i * step >= self.low - 1e-9]


def accuracy_scale(lowest: Iterable[float], start: float, end: float) -> Scale:
    """An accuracy axis up to 1 that shows chance and all of `lowest`, in whole tenths."""
    low = min([0.4, *lowest])
    return Scale(max(0.0, floor(10 * low + 1e-9) / 10), 1.0, start, end)
