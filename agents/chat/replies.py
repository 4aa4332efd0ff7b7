"""What a chat judge may reply: these fields decide, and nothing else in a reply counts.

The fields stand in the order in which a model writes them: its reasoning comes before its verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

Seen = Literal["A", "B", "not applicable", "equal", "unsure"]
Met = Literal["yes", "no", "unsure"]


@dataclass(frozen=True)
class Missing:
    """No reply: it was `invalid`, or the call `failed`; and why."""

    status: Literal["invalid", "failed"]
    reason: str

    def by(self, number: int) -> Missing:
        """Missing by every criterion."""
        return self


class PairReply(BaseModel):
    """A verdict on two texts as they were shown: `A` is the first, `B` the second."""

    model_config = ConfigDict(frozen=True, title="judgment")

    reasoning: str
    verdict: Seen

    def by(self, number: int) -> PairReply:
        """The verdict by the one criterion that was asked."""
        return self


class NumberedReply(BaseModel):
    """A verdict by one of several criteria, counted from 1."""

    model_config = ConfigDict(frozen=True)

    criterion: int
    reasoning: str
    verdict: Seen


class PairReplies(BaseModel):
    """Verdicts by several criteria."""

    model_config = ConfigDict(frozen=True, title="judgments")

    judgments: tuple[NumberedReply, ...]

    def by(self, number: int) -> NumberedReply | Missing:
        """The verdict by criterion `number`; missing unless there is exactly one."""
        found = [reply for reply in self.judgments if reply.criterion == number]
        if len(found) == 1:
            return found[0]
        return Missing("invalid", f"the reply holds {len(found)} judgments by criterion {number} of the call, not one")


class PointReply(BaseModel):
    """A verdict on one text."""

    model_config = ConfigDict(frozen=True, title="point")

    reasoning: str
    verdict: Met
