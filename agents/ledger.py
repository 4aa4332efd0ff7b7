"""What the manager graph needs from the outside world: criteria and judgments kept, and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agents.chronicle import RoundRecord
from agents.judgments import Ask, Judgment
from agents.votes import Votes
from knowledge_base.criterion import Criterion


class Ledger(Protocol):
    """One thread's view of the criteria and judgments. `tests/agents/ledger_conformance.py` is its suite.

    The graph holds ids only; everything else is behind this protocol: a dictionary in a library or a test,
    a database under a queue. Every method may run twice (a node of a killed process runs again) and must
    then leave the same state.
    """

    def remember(self, criteria: Sequence[Criterion]) -> None:
        """Keep the bodies of these criteria."""
        ...

    def recall(self, hashes: Sequence[str]) -> list[Criterion]:
        """The bodies, in the order asked for. Raises KeyError for a hash never remembered."""
        ...

    def want(self, asks: Sequence[Ask]) -> int:
        """Want these judgments; those not already evidence are asked of the workers. Returns how many are missing."""
        ...

    def missing(self) -> int:
        """How many of all wanted judgments have not been answered yet (answered: any status)."""
        ...

    def spent(self) -> bool:
        """Whether the run's budget is used up, so that what is missing will stay so."""
        ...

    def votes(self, criteria: Sequence[str], pairs: Sequence[str]) -> Votes:
        """Everything answered on this grid (pair content hashes), orders and samples merged."""
        ...

    def judgments(self, criterion: str, pairs: Sequence[str]) -> list[tuple[str, Judgment]]:
        """(pair hash, judgment) with rationales, for the pairs answered, in the order of `pairs`.

        Those of one pair come by order shown, sample and key, whatever was asked or answered first.
        """
        ...

    def record(self, entry: RoundRecord) -> None:
        """Keep what happened in a round, replacing an earlier record of the same number."""
        ...

    def records(self) -> list[RoundRecord]:
        """All rounds so far, in order."""
        ...
