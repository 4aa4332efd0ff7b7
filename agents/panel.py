"""The workers of a run: which judges answer, how often, and in which order they are shown the texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.judge import Judge
from agents.judgments import Ask, Order

Looks = Literal["one", "both", "second", "sampled"]
"""Which orders are asked of a pair. `one`: the first, which the pair's hash decides. `both`. `second`: the other one
only where the first came to a decision, since an abstention stays one whatever the other order says. `sampled`: the
same on a sample of the pairs, and on all of them once the sample shows that the order matters."""

SAMPLE = 4
"""One pair in so many tells whether the order matters."""

FLIPS = 0.15
"""Flip rate on the sample from which the order matters: repeated answers alone flip a good judge's close calls."""


class Seat(BaseModel):
    """One worker of a panel.

    Attributes:
        judge: fingerprint.
        symmetric: whether one order is enough.
        samples: answers asked for each criterion, pair and order.
        free: whether its answers cost nothing, so that none need be saved.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    symmetric: bool = False
    samples: int = Field(default=1, ge=1)
    free: bool = True


class Panel(BaseModel):
    """One worker or several; each answers every question, and the majority of the answers stands."""

    model_config = ConfigDict(frozen=True)

    seats: tuple[Seat, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """The fingerprints of its judges, for reading."""
        return " + ".join(s.judge if s.samples == 1 else f"{s.samples} x {s.judge}" for s in self.seats)

    @property
    def free(self) -> bool:
        """Whether no answer costs anything."""
        return all(seat.free for seat in self.seats)

    @property
    def symmetric(self) -> bool:
        """Whether one order is enough for everyone."""
        return all(seat.symmetric for seat in self.seats)

    def asks(self, criterion: str, pair: str, orders: Sequence[Order]) -> list[Ask]:
        """What every seat is asked of a pair by a criterion (content hashes)."""
        return [
            Ask(judge=seat.judge, criterion=criterion, pair=pair, order=order, sample=sample)
            for seat in self.seats
            for order in (orders[:1] if seat.symmetric else orders)
            for sample in range(seat.samples)
        ]


def seat_of(judge: Judge, samples: int = 1, free: bool = True) -> Seat:
    """The seat of a judge."""
    return Seat(judge=judge.fingerprint, symmetric=judge.symmetric, samples=samples, free=free)


def turned(order: Order) -> Order:
    """The other order."""
    return "ba" if order == "ab" else "ab"


def in_sample(pair: str) -> bool:
    """Whether a pair (content hash) is one of those, one in `SAMPLE`, on which flips are looked for first."""
    return int(pair[8:16], 16) % SAMPLE == 0


def first_look(pair: str, symmetric: bool) -> Order:
    """The order in which a pair (content hash) is shown first: as good as random, and always the same.

    A symmetric judge is always shown a first.
    """
    return "ab" if symmetric or int(pair[:8], 16) % 2 == 0 else "ba"
