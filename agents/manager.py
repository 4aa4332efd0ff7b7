"""What every manager offers, whether statistics or a chat model propose behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.assessment import Assessment
from agents.chronicle import Origin
from agents.judgments import Judgment
from agents.pairs import Pair
from knowledge_base.criterion import Criterion, Domain


@dataclass(frozen=True)
class Brief:
    """What a manager may know: the mining pairs and what is said of them. Sealed pairs never enter it.

    Attributes:
        pairs: mining pairs.
        description: what people compared, in words; empty if not given.
        domain: the domain the texts belong to.
        seed: any integer; the same brief gives the same proposals.
        from_base: whether the manager may draw on the knowledge base.
        thorough: look at every mistake of a criterion, each by itself, as published; otherwise at the clearest few.
        incumbents: criteria of the set that a refresh starts from, strongest first; they meet every mining pair before
            anything replaces them.
    """

    pairs: tuple[Pair, ...]
    description: str
    domain: Domain
    seed: int
    thorough: bool = False
    from_base: bool = True
    incumbents: tuple[Criterion, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """A pair on which the judge decided against people, with what the judge said."""

    pair: Pair
    judgment: Judgment


@dataclass(frozen=True)
class Case:
    """A criterion up for refinement or replacement: how it did and where it went wrong."""

    criterion: Criterion
    assessment: Assessment
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Proposal:
    """A criterion a manager puts forward, where from and why."""

    criterion: Criterion
    origin: Origin
    why: str


class Manager(Protocol):
    """Proposes and rewrites criteria. `tests/agents/manager_conformance.py` is the suite all must pass.

    Attributes:
        fingerprint: names everything that can change a proposal.
    """

    fingerprint: str

    def base(self, brief: Brief) -> list[Criterion]:
        """The whole knowledge base that this manager draws on, for a policy that screens all of it."""
        ...

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        """Up to `n` distinct candidates for the first round, most promising first."""
        ...

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        """One rewrite (or None: leave it) for each case, in order."""
        ...

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        """Up to `n` new candidates that cover what `failures` missed, away from `kept` and unlike `banned`."""
        ...
