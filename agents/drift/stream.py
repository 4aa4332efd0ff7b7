"""One thing watched over the refreshes: a reference sample, what was seen since, and the evidence that it moved."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.drift import onset
from agents.drift.betting import Direction, log_evidence
from agents.drift.tally import Tally


class Stream(BaseModel):
    """Observations in [0, 1] before and since.

    Attributes:
        name: unique within its cause.
        label: what the mean is of, to be read after "the": `accuracy of the set's vote on new votes`.
        unit: what one observation is, in the plural.
        direction: what is looked for.
        share: of the cause's capital, in [0, 1], decided before the first observation.
        reference: the sample before.
        blocks: what was seen since, a tally for each possible start of a change (agents.drift.onset).
        batches: how many refreshes brought observations.
        log_e: log e-value after the last of them.
        last: what the last of them brought.
        criterion, annotator: what or whom it is about; empty where it is about all together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    unit: str
    direction: Direction
    share: float = Field(ge=0.0, le=1.0)
    reference: Tally
    blocks: tuple[Tally, ...] = ()
    batches: int = 0
    log_e: float = 0.0
    last: Tally = Tally()
    criterion: str = ""
    annotator: str = ""

    @property
    def since(self) -> Tally:
        """All observations since the reference."""
        merged = Tally()
        for block in self.blocks:
            merged = merged.joined(block)
        return merged

    def started(self) -> Stream:
        """The stream with the bets on its reference placed, before its first observation."""
        return self.model_copy(update={"log_e": log_evidence(self.reference, (), self.direction)})

    def after(self, values: Sequence[float]) -> Stream:
        """The stream one refresh later; a refresh without observations changes nothing.

        The order of the values never matters. Where one refresh's values are cut into two refreshes the sums stay the
        same and a further possible start of a change is weighed.
        """
        if not values:
            return self
        batch = self.batches + 1
        new = Tally.of(values)
        blocks = (*self.blocks, new) if onset.is_start(batch) else (*self.blocks[:-1], self.blocks[-1].joined(new))
        log_e = log_evidence(self.reference, blocks, self.direction, batch)
        return self.model_copy(update={"blocks": blocks, "batches": batch, "log_e": log_e, "last": new})
