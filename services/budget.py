"""How much a run may take, and who takes the next part of it. Pure arithmetic in whole numbers: no rounding adds up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Work = Literal["mining", "sealed", "label", "evaluate"]
WORKS: tuple[Work, ...] = ("mining", "sealed", "label", "evaluate")

BILLION = 1_000_000_000
UNLIMITED = 2**62

CHUNK = 32
"""Most calls that a process sets aside at once beyond those it is about to make."""

SHARE = 4
"""A process sets aside for later at most one part in so many of what is left: the last calls are shared out singly."""


@dataclass(frozen=True)
class Amount:
    """Calls, tokens (prompt and completion) and money in billionths of a unit."""

    calls: int = 0
    tokens: int = 0
    money: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.money - other.money)

    def __mul__(self, times: int) -> Amount:
        return Amount(self.calls * times, self.tokens * times, self.money * times)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Calls, tokens, money."""
        return self.calls, self.tokens, self.money

    def fits(self, room: Amount) -> bool:
        """Whether there is room for it in every respect."""
        return all(part <= space for part, space in zip(self.parts, room.parts, strict=True))

    def least(self, other: Amount) -> Amount:
        """The smaller of both in every respect."""
        return Amount(*map(min, self.parts, other.parts))

    def most(self, other: Amount) -> Amount:
        """The larger of both in every respect."""
        return Amount(*map(max, self.parts, other.parts))


NOTHING = Amount()


class Budget(BaseModel):
    """What a run may take in all; None where it may take any amount.

    Attributes:
        calls: requests sent, also those that failed.
        tokens: of prompts and completions.
        cost: money, in the currency of the prices.
        kept_back: share of each of the three that mining may not touch, in [0, 1): it is left for the sealed pairs,
            without which a run has no accuracy to report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    kept_back: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return (self.calls, self.tokens, self.cost) != (None, None, None)

    def limit(self, work: Work) -> Amount:
        """The most that this kind of work may take; `UNLIMITED` where there is no limit."""
        money = None if self.cost is None else round(self.cost * BILLION)
        kept = self.kept_back if work == "mining" else 0.0
        return Amount(*(UNLIMITED if x is None else x - math.floor(x * kept) for x in (self.calls, self.tokens, money)))


def room(budget: Budget, work: Work, taken: Mapping[Work, Amount]) -> Amount:
    """What `work` may still take of a budget, given what each kind of work has taken; negative once it is exceeded.

    Mining is held both to its own part and to the whole: what others have taken of their part does not shorten its own.
    """
    whole = budget.limit("sealed") - sum(taken.values(), NOTHING)
    return whole.least(budget.limit(work) - taken.get(work, NOTHING))


def share_out(needs: Sequence[Amount], space: Amount) -> tuple[int, Amount]:
    """How many of these needs are met, first come first served, and what to set aside for them and for later ones.

    Something is set aside for later only where all needs are met: some calls like the last one, at most `CHUNK` and at
    most one part in `SHARE` of what is left.
    """
    met, total = 0, NOTHING
    for need in needs:
        if not (total + need).fits(space):
            return met, total
        met, total = met + 1, total + need
    return met, total + (needs[-1] * _more(needs[-1], space - total) if needs else NOTHING)


def _more(need: Amount, left: Amount) -> int:
    times = [space // (SHARE * part) for part, space in zip(need.parts, left.parts, strict=True) if part]
    return min(CHUNK, *times) if times else 0


def refusal(budget: Budget, work: Work, spent: Mapping[Work, Amount], need: Amount) -> str:
    """Why a call that needs so much is not made, and what to do."""
    space = room(budget, work, spent)
    at = next(i for i, (part, left) in enumerate(zip(need.parts, space.parts, strict=True)) if part > left)
    name, unit = (("calls", "calls"), ("tokens", "tokens"), ("cost", "money"))[at]
    total = sum((amount.parts[at] for amount in spent.values()), 0)
    whole = budget.limit("sealed").parts[at]
    return (
        f"the budget is used up: {_shown(whole, at)} {unit} allowed, {_shown(total, at)} spent, and the next call may "
        f"take {_shown(need.parts[at], at)}{_kept(budget, work, at)}; run the same command with a larger "
        f"--budget-{name} (TOUCHSTONE_BUDGET_{name.upper()}) and it goes on from here, paying for nothing twice"
    )


def _kept(budget: Budget, work: Work, at: int) -> str:
    kept = budget.limit("sealed").parts[at] - budget.limit(work).parts[at]
    return f" ({_shown(kept, at)} of it are kept for the sealed pairs)" if kept else ""


def _shown(part: int, at: int) -> str:
    return f"{part / BILLION:,.6g}" if at == 2 else f"{part:,}"
