"""What the first step of a refresh wrote down for the later ones."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from agents.refresh_plan import RefreshPlan


class Groundwork(BaseModel):
    """A moment of an open dataset, and what an approved version has to do with it.

    Attributes:
        plan: which pairs are for what.
        known: content hashes of the pairs that the version was mined from or held out against, ascending.
        held_out: those held out.
        steered: content hashes of pairs that people were shown because much was to be learnt from them, ascending. They
            are harder than others: mined all the same, they are no evidence of how the version does.
        dataset: id of the open dataset.
        since, until: its moments (seconds since the epoch) between which votes are new.
        votes: how many are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: RefreshPlan
    known: tuple[str, ...]
    held_out: tuple[str, ...]
    steered: tuple[str, ...]
    dataset: str
    since: float
    until: float
    votes: int
