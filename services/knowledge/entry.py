"""An entry of the knowledge base, what was decided about it, and what is known of how it did."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment
from knowledge_base.criterion import Criterion
from services.knowledge.tables import EntryStatus, Source


class Value(BaseModel):
    """A value that never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figures(Value):
    """A criterion against people.

    Attributes:
        asked, decided, right: pairs, ties left out.
        accuracy: right / decided; None where nothing was decided. coverage: decided / asked, in [0, 1].
        low, high: 95 % credible interval of the accuracy.
    """

    asked: int
    decided: int
    right: int
    accuracy: float | None
    coverage: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Assessment) -> Figures:
        """Out of an assessment."""
        return cls(
            asked=found.asked, decided=found.decided, right=found.right,
            accuracy=found.accuracy if found.decided else None, coverage=found.coverage, low=found.low, high=found.high,
        )  # fmt: skip


class CriterionEvidence(Value):
    """How a criterion did in a set that a person approved.

    Attributes:
        name, version: of the set; run, dataset: what it was mined by and from, empty where not known.
        judge, policy: fingerprint and name.
        weight: log-odds of its vote in the set.
        mining: on pairs that the manager saw, which flatters; None where it was not measured.
        held_out: on sealed or test pairs; None where there were none. kind: which pairs those are.
    """

    name: str
    version: str
    run: str
    dataset: str
    judge: str
    policy: str
    weight: float
    mining: Figures | None
    held_out: Figures | None
    kind: Literal["sealed", "test", "none"] = "none"

    @property
    def best(self) -> Figures | None:
        """The figures that flatter least: held out, or else on mining pairs; None where there are none."""
        return self.held_out or self.mining


class PriorEntry(Value):
    """A criterion that was added to the knowledge base.

    Attributes:
        digest: of the whole criterion: the entry's id.
        criterion: with its provenance.
        source: `person` if somebody added it, `set` if it came back with an approved set.
        status: only what is approved is drawn on.
        who, at, note: who added it when (seconds since the epoch), and what was said of it.
        evidence: of the same content in approved sets, oldest first.
    """

    digest: str
    criterion: Criterion
    source: Source
    status: EntryStatus
    who: str
    at: float
    note: str
    evidence: tuple[CriterionEvidence, ...] = ()


class EntryDecision(Value):
    """One decision about an entry; `number` counts from 1, `at` is in seconds since the epoch."""

    entry: str
    number: int
    decision: Literal["approve", "withdraw"]
    note: str
    who: str
    at: float
