"""How a simulated judge errs, as parameters: noise, position bias, and what crowding a call with criteria costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

HASTE = 0.2
"""Share of a position bias that shows in all answers; the rest shows where texts are nearly equal or it is unsure."""

CROWDING = 0.15
"""Growth of the error with each doubling of the criteria judged in one call."""

FOLLOWING = 0.35
"""Weight that the first criterion's comparison has in those of the others when very many are judged in one call."""


@dataclass(frozen=True)
class Temper:
    """How a judge errs.

    Attributes:
        noise: factor on the error; 0 reads every level exactly.
        position_bias: in [0, 1]: probability of answering the first text where it would find them equal or be unsure,
            and `HASTE` times that for any answer.
        crowd: criteria judged in the same call; more make the error larger and the answers more alike.
    """

    noise: float = 1.0
    position_bias: float = 0.0
    crowd: int = 1

    @property
    def factor(self) -> float:
        """On the error's standard deviation."""
        return self.noise * (1 + CROWDING * log2(self.crowd))

    @property
    def following(self) -> float:
        """Weight of the first criterion's comparison in the others', in [0, FOLLOWING)."""
        return FOLLOWING * (1 - 1 / self.crowd)


PLAIN = Temper()
