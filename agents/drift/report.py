"""What a refresh found, for people and for machines."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.drift.annotator_drift import Alpha
from agents.drift.betting import Direction
from agents.drift.state import Cause

Finding = Literal["drift", "no evidence", "not tested"]


class Estimate(BaseModel):
    """A mean of observations in [0, 1].

    Attributes:
        mean: NaN-free: 0.5 where n is 0, with the interval (0, 1).
        low, high: 95 % interval: Wilson's for a sample of fixed size, else one that holds at every refresh at once.
        n: observations (effective ones, where pairs hang together).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    low: float
    high: float
    n: float


class Comparison(BaseModel):
    """One thing before and now.

    Attributes:
        name, label, unit, direction, criterion, annotator: as in agents.drift.stream.Stream.
        before: at approval. since: all refreshes since together. last: what the last refresh that had any brought.
        log_e: log e-value of this test alone; it counts `share` in the cause's.
        named: whether it is among those that moved, by e-BH over the tests of its kind (criteria or persons), or for a
            test that stands alone, whether its share of the evidence suffices by itself.
        noticeable: the smallest change that would by now have been noticed with a chance of 80 %; None if none would.
        sentence: all this in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    unit: str
    direction: Direction
    criterion: str = ""
    annotator: str = ""
    before: Estimate
    since: Estimate
    last: Estimate
    log_e: float
    share: float
    named: bool
    noticeable: float | None
    sentence: str


class CauseReport(BaseModel):
    """One cause.

    Attributes:
        cause: which.
        finding: `drift` once the evidence has reached 1 / level, and from then on until acknowledged; `not tested`
            where the reference or the refreshes lack what the test needs.
        why: why it was not tested; empty if it was.
        level: false alarms of this cause allowed over the whole stream.
        log_e, e_value: of all its tests together, now. p_value: anytime-valid, 1 / highest e-value so far.
        alarm: number of the refresh that raised the alarm; None if none did.
        explained_by: an earlier cause that can bring this one's alarm about; empty if none.
        comparisons: numbers before and after, the main ones first.
        sentence: the finding in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: Cause
    finding: Finding
    why: str
    level: float
    log_e: float
    e_value: float
    p_value: float
    alarm: int | None
    explained_by: Cause | Literal[""]
    comparisons: tuple[Comparison, ...]
    sentence: str


class DriftReport(BaseModel):
    """What a refresh found.

    Attributes:
        refresh: its number, from 1.
        alpha: false alarms allowed over the whole stream, of all causes together.
        drifted: whether any cause has raised an alarm.
        primary: the cause that is named; empty if there is no alarm. It may be one without an alarm of its own, whose
            evidence suffices to explain another's (agents.drift.naming).
        causes: all four, in the order of precedence.
        agreement_before, agreement_since: Krippendorff's alpha on pairs with two votes or more, at approval and on new
            pairs since; None where there were none, or every vote was a tie.
        unseparated: what could not be told apart, a sentence each.
        sentence: the whole in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refresh: int
    alpha: float
    drifted: bool
    primary: Cause | Literal[""]
    causes: tuple[CauseReport, ...]
    agreement_before: Alpha | None
    agreement_since: Alpha | None
    unseparated: tuple[str, ...]
    sentence: str

    def of(self, cause: Cause) -> CauseReport:
        """The report on one cause."""
        return next(found for found in self.causes if found.cause == cause)
