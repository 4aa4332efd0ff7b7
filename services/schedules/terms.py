"""What a schedule is told: how many new votes are enough, what may be spent, and when a person need not decide."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.budget import Budget

Share = Annotated[float, Field(gt=0, lt=1)]


class Bar(BaseModel):
    """The evidence that a new version must bring to replace an approved one without a person; see `agents.comparison`.

    Attributes:
        pairs: fewest separate sealed pairs on which both were compared, at least 20.
        margin: how much worse, in points of accuracy in [0, 0.2], the new one may be at worst where drift was found
            that makes the old one unfit; 0 asks for a proven gain whatever was found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: Annotated[int, Field(ge=20)] = 100
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.0


class Terms(BaseModel):
    """A schedule's terms. A refresh keeps to those that stood when it began.

    Attributes:
        minimum: fewest new votes; with fewer a window is skipped.
        anchors: pairs on which the judge is asked again each time, 0 to 2000; 0 leaves a judge that moves unnoticed.
        texts: whether texts are embedded, to see whether the corpus is about something else now; English is understood.
        sealed_share: share of the new pairs, in (0, 1), that are kept from mining, to compare old and new on.
        alpha: chance, in (0, 0.5], that any alarm of drift is ever raised about a version without drift.
        remine: mine a new version `always`, or only where `drift` was found.
        budget: what one refresh may take in all, judging and mining together.
        bar: lets a new version be approved without a person where its evidence passes; None: a person decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: Annotated[int, Field(ge=1)] = 30
    anchors: Annotated[int, Field(ge=0, le=2000)] = 100
    texts: bool = True
    sealed_share: Share = 0.5
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    remine: Literal["always", "drift"] = "always"
    budget: Budget = Budget()
    bar: Bar | None = None
