"""A criteria set: what a run hands over; immutable and named by its content."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment
from agents.ballot import Ballot
from knowledge_base.criterion import Criterion


class Member(BaseModel):
    """A criterion in a set, its vote weight (log-odds) and how it did on the mining pairs."""

    model_config = ConfigDict(frozen=True)

    criterion: Criterion
    weight: float
    mining: Assessment


class Lineage(BaseModel):
    """Everything that decided a set's content: the same lineage gives the same set, byte for byte.

    Attributes:
        dataset: content hash of the dataset; pairs: how many mining pairs it was mined from.
        judge, manager: fingerprints.
        policy: name of the evolution policy; rounds, size: its settings.
        seed: the run's seed.
        parent: version of the set that a refresh started from; empty if none.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    pairs: int
    judge: str
    manager: str
    policy: str
    rounds: int
    size: int
    seed: int
    parent: str = ""


class CriteriaSet(BaseModel):
    """Criteria, strongest first, with their vote and where they come from."""

    model_config = ConfigDict(frozen=True)

    members: tuple[Member, ...]
    method: str
    lineage: Lineage

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The criteria alone, strongest first."""
        return tuple(m.criterion for m in self.members)

    @property
    def ballot(self) -> Ballot:
        """The weighted vote."""
        return Ballot(weights={m.criterion.hash: m.weight for m in self.members}, method=self.method)

    @cached_property
    def version(self) -> str:
        """Content hash (12 hex digits) over criteria, weights and lineage."""
        seen = [[m.criterion.hash, round(m.weight, 9)] for m in self.members]
        body = json.dumps([seen, self.lineage.model_dump()], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()[:12]
