"""What is fixed when a run is created and told with its result: where its data and its parties come from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.panel import Panel
from knowledge_base.criterion import Domain

Holdout = Literal["sealed", "crossfit", "test", "none"]


class AgreementFact(BaseModel):
    """How far annotators agree (see `agents.agreement.Agreement`); None stands for what could not be computed."""

    model_config = ConfigDict(frozen=True)

    alpha: float | None
    low: float | None
    high: float | None
    raw: float
    pairs: int
    votes: int


class RunFacts(BaseModel):
    """Facts of a run.

    Attributes:
        domain: of the texts; recognised: False if the user gave it.
        holdout: which pairs the reported accuracy comes from: a `sealed` share, a `crossfit`, a `test` file or `none`.
        agreement: between annotators; None if no pair has two votes.
        notes: what a reader should know of data and split, a sentence each.
        panel: the workers; manager: fingerprint.
        policy, size, rounds: as resolved.
        versions: of what computed the result, by name.
    """

    model_config = ConfigDict(frozen=True)

    domain: Domain
    recognised: bool
    holdout: Holdout
    agreement: AgreementFact | None
    notes: tuple[str, ...]
    panel: Panel
    manager: str
    policy: str
    size: int
    rounds: int
    versions: dict[str, str]

    @property
    def judge(self) -> str:
        """Who judged, for reading."""
        return self.panel.name
