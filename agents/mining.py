"""What one mining thread works with (context) and what it carries from node to node (state)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from agents.chronicle import Origin
from agents.ledger import Ledger
from agents.manager import Brief, Manager
from agents.pairs import Pair
from agents.panel import Panel
from agents.policy import Policy
from agents.statistics import Beta
from knowledge_base.criterion import Criterion

Stage = Literal["screen", "race", "sealed", "finished"]


class MiningState(TypedDict, total=False):
    """The graph's state: ids and labels only, never texts or judgments.

    Attributes:
        round: 1 for the first.
        stage: `screen` (the whole knowledge base is being tried), `race` (candidates are being compared), `sealed`
            (the set is composed), `finished`.
        rung: which rung of the race comes next, 0 for the first.
        candidates: how many entered this round's race.
        contenders: hashes in the race.
        kept, refining: hashes alive after the last full assessment, by fate; best first.
        archive: every hash ever kept and not beaten by its own rewrite, in the order kept.
        banned: hashes that failed; nothing of the same meaning comes back.
        failing: those that failed in the last round, to be replaced.
        parents: rewrite -> the criterion it was rewritten from.
        origins: hash -> where it came from.
        final: hashes of the composed set, strongest first.
    """

    round: int
    stage: Stage
    rung: int
    candidates: int
    contenders: list[str]
    kept: list[str]
    refining: list[str]
    archive: list[str]
    failing: list[str]
    banned: list[str]
    parents: dict[str, str]
    origins: dict[str, Origin]
    final: list[str]


@dataclass(frozen=True)
class Mining:
    """One thread of a run: what its nodes read and write through.

    Attributes:
        brief: the mining pairs and what is said of them.
        sealed: pairs that neither manager nor policy ever sees; judged once, at the end.
        ledger, manager, policy, panel: the parties; the panel is the workers.
    """

    brief: Brief
    sealed: tuple[Pair, ...]
    ledger: Ledger
    manager: Manager
    policy: Policy
    panel: Panel

    @cached_property
    def pairs(self) -> tuple[str, ...]:
        """Hashes of the mining pairs, in an order that neither file nor label decides."""
        return tuple(sorted(p.hash for p in self.brief.pairs))

    @cached_property
    def by_hash(self) -> Mapping[str, Pair]:
        """Mining pairs by hash."""
        return {p.hash: p for p in self.brief.pairs}

    @cached_property
    def incumbents(self) -> frozenset[str]:
        """Hashes of the criteria that a refresh starts from."""
        return frozenset(c.hash for c in self.brief.incumbents)

    def truth(self, pairs: tuple[str, ...]) -> NDArray[np.int8]:
        """(p,) people's preference on these mining pairs: +1 a, -1 b, 0 tie."""
        return np.array([self.by_hash[p].sign for p in pairs], dtype=np.int8)

    def priors(self, criteria: list[Criterion]) -> dict[str, Beta]:
        """What is known of each criterion before any pair is judged."""
        return {c.hash: self.policy.prior(c, self.brief.domain) for c in criteria}
