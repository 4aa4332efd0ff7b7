"""What one worker says of one pair by one criterion in one order."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

Order = Literal["ab", "ba"]
Verdict = Literal["A", "B", "abstain"]
Status = Literal["decided", "abstained", "invalid", "failed"]
Hesitation = Literal["", "not applicable", "equal", "unsure"]

REUSABLE: frozenset[Status] = frozenset({"decided", "abstained"})
"""Statuses that are evidence. The others are missing evidence and never reused from the store."""


class Ask(BaseModel):
    """A judgment that is wanted: which criterion, which pair, which order, which sample.

    Attributes:
        judge: fingerprint of the judge that must answer.
        criterion, pair: content hashes.
        order: `ab` shows a first, `ba` shows b first.
        sample: 0 for the first answer; higher for repeated samples of a judge that varies.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    criterion: str
    pair: str
    order: Order = "ab"
    sample: int = 0

    @cached_property
    def key(self) -> str:
        """sha256 over content, never position: the judgment store's primary key (64 hex digits)."""
        parts = f"{self.criterion}|{self.pair}|{self.order}|{self.sample}|{self.judge}"
        return hashlib.sha256(parts.encode()).hexdigest()


class Judgment(BaseModel):
    """The answer to an `Ask`.

    Attributes:
        key: the ask's key.
        status: `decided`, `abstained`, `invalid` (unreadable after repair) or `failed` (no reply).
        verdict: `A` or `B` in terms of the *pair's* texts a and b, whatever the order shown; `abstain` otherwise.
        rationale: why, in one or two sentences.
        margin: how clearly, in [0, 1]: 0 just past abstention, 1 as clear as it gets. Ignored unless decided.
        hesitation: why a judge abstained, where it says so: the criterion does not apply, the texts are equal by it,
            or the judge cannot tell.
        truncated: whether the judge saw a part of a text only.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    status: Status
    verdict: Verdict = "abstain"
    rationale: str = ""
    margin: float = 0.0
    hesitation: Hesitation = ""
    truncated: bool = False

    @property
    def sign(self) -> int:
        """+1 for A, -1 for B, 0 otherwise."""
        return {"A": 1, "B": -1, "abstain": 0}[self.verdict] if self.status == "decided" else 0
