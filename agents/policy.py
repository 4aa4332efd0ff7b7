"""What an evolution policy decides; policies are values with pure methods and no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.assessment import Assessment
from agents.ballot import Ballot
from agents.chronicle import Fate
from agents.panel import Looks
from agents.statistics import Beta
from agents.votes import Votes
from knowledge_base.criterion import Criterion, Domain


@dataclass(frozen=True)
class Decision:
    """A criterion's fate in a round, with the reason in a sentence."""

    criterion: str
    fate: Fate
    why: str


class Policy(Protocol):
    """How a round is judged. Selectable by name with `agents.policies.policy_named`.

    Attributes:
        name: `robust` or `paper`.
        size: criteria wanted in the set.
        rounds: at most this many rounds.
        candidates: criteria asked of the manager for the first round's race.
        looks: which presentation orders are asked on mining pairs.
        thorough: whether the manager looks at every mistake by itself, as published.
        screens: whether the whole knowledge base meets every pair before the first round, as published.
    """

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def rounds(self) -> int: ...
    @property
    def candidates(self) -> int: ...
    @property
    def looks(self) -> Looks: ...
    @property
    def thorough(self) -> bool: ...
    @property
    def screens(self) -> bool: ...

    def prior(self, criterion: Criterion, domain: Domain) -> Beta:
        """What is believed of a criterion's accuracy before any pair is judged."""
        ...

    def screened(self, assessments: Sequence[Assessment]) -> list[str]:
        """Hashes of what the screening of the whole knowledge base leaves, best first, at most `size`."""
        ...

    def rungs(self, pairs: int) -> tuple[int, ...]:
        """Pairs on which candidates are compared, rung by rung; the last is all of them."""
        ...

    def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
        """Hashes of the candidates that go on to the next rung, best first."""
        ...

    def passing(self, n: int) -> int:
        """How many of `n` candidates pass a rung."""
        ...

    def room(self, alive: int, rewrites: int) -> int:
        """New candidates to ask for in a later round, given how many criteria are alive and being rewritten."""
        ...

    def decide(self, votes: Votes, assessments: Sequence[Assessment]) -> list[Decision]:
        """Every contender's fate after it met all mining pairs, best first."""
        ...

    def accepts(self, old: NDArray[np.int8], new: NDArray[np.int8]) -> tuple[bool, str]:
        """Whether a rewrite replaces its parent, given both (p,) scores on the same pairs, and why."""
        ...

    def compose(
        self, votes: Votes, truth: NDArray[np.int8], weights: NDArray[np.float64], priors: Mapping[str, Beta]
    ) -> tuple[list[str], Ballot]:
        """The final criteria (hashes, strongest first) and how they vote.

        Args:
            votes: (c, p) votes of every criterion ever kept, or alive at the end, on all mining pairs.
            truth: (p,) people's preference.
            weights: (p,) how much each pair counts.
            priors: beta prior by criterion hash.
        """
        ...
