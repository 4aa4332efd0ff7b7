"""What a run is asked to do; with the dataset and the parties it decides every byte of the result."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from knowledge_base.criterion import Domain
from services.budget import Budget

WantedHoldout = Literal["auto", "sealed", "crossfit", "none"]


class RunConfig(BaseModel):
    """A run's configuration.

    Attributes:
        policy: name of the evolution policy (`agents.policies`).
        size: criteria wanted; the policy's own number if None.
        rounds: at most this many rounds; the policy's own number if None.
        seed: any integer.
        domain: the domain of the texts; recognised from them if None.
        sealed_share: share of the decided pairs to seal, in (0, 1).
        folds: folds of a cross-fit where too few pairs can be sealed (>= 2).
        minimum: decided pairs below which the run cross-fits (>= 2).
        holdout: `sealed`, `crossfit` or `none` whatever the number of pairs; `auto` goes by `minimum`.
        knowledge_base: whether the manager draws on prior criteria.
        budget: what the run may take of models that cost something.
        parent: version of the stored criteria set that the run starts from; empty if from none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str = "robust"
    size: Annotated[int, Field(ge=1)] | None = None
    rounds: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0
    domain: Domain | None = None
    sealed_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    folds: Annotated[int, Field(ge=2)] = 5
    minimum: Annotated[int, Field(ge=2)] = 100
    holdout: WantedHoldout = "auto"
    knowledge_base: bool = True
    budget: Budget = Budget()
    parent: str = ""

    @property
    def decides(self) -> dict[str, Any]:
        """What of it decides a run's id: a run without a parent has the id it had before there were any."""
        return self.model_dump(exclude=set() if self.parent else {"parent"})
