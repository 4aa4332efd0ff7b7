"""What can drift in a simulated stream, by how much, and from which refresh on."""

from __future__ import annotations

from dataclasses import dataclass

from agents.drift.state import Cause

REFRESHES = 12
ONSET = 4
"""The first refresh (from 1) that a change shows in: three refreshes go by without it."""


@dataclass(frozen=True)
class Change:
    """One cause of drift.

    Attributes:
        cause: what moves; None for a stream without drift.
        size: judge: share of readings (pair by criterion) that another model makes. annotators: share of votes given by
            another taste. corpus: share of documents from a topic that was not there. fit: share of votes on new pairs
            that are decided by something no criterion speaks of.
    """

    cause: Cause | None
    size: float = 0.0

    def at(self, cause: Cause, refresh: int) -> float:
        """The size of a cause's change at a refresh (0 before the onset and for other causes)."""
        return self.size if self.cause == cause and refresh >= ONSET else 0.0


NONE = Change(None)
CHANGES: tuple[Change, ...] = (
    *(Change("judge", size) for size in (0.1, 0.2, 0.4)),
    *(Change("annotators", size) for size in (0.2, 0.4, 0.6)),
    *(Change("corpus", size) for size in (0.1, 0.2, 0.4)),
    *(Change("fit", size) for size in (0.2, 0.4, 0.6)),
)
