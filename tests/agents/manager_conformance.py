"""The suite that every manager must pass. A test subclasses `ManagerConformance` and offers a `world` fixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import pytest
from made_up import LINEAGE, assessment

from agents.judge import Judge
from agents.local_run import run_local
from agents.manager import Brief, Case, Manager, Proposal
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.outcome import Outcome
from agents.pairs import Pair
from agents.panel import Panel, seat_of
from agents.policies import policy_named
from knowledge_base.criterion import Criterion
from knowledge_base.embedding import embed
from knowledge_base.retrieval import SAME_MEANING


class ManagerWorld(Protocol):
    """A manager and what it is briefed with.

    Attributes:
        brief: a dozen mining pairs or more, on which something can be learnt.
        sealed: pairs of other texts, that no manager may see.
    """

    brief: Brief
    sealed: Sequence[Pair]

    def manager(self) -> Manager:
        """A new manager, always set up alike."""
        ...

    def judge(self) -> Judge:
        """A judge that can judge what the manager proposes."""
        ...


class SpyManager:
    """Passes everything on to a real manager, and remembers all that it was shown."""

    def __init__(self, manager: Manager) -> None:
        self._manager, self.fingerprint = manager, manager.fingerprint
        self.shown: list[str] = []
        self.briefs: list[Brief] = []

    def base(self, brief: Brief) -> list[Criterion]:
        self._see(brief)
        return self._manager.base(brief)

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        self._see(brief)
        return self._manager.seed(brief, n)

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        self._see(brief, *cases)
        return self._manager.refine(brief, cases)

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        self._see(brief, *kept, *failures, *banned)
        return self._manager.replace(brief, kept, failures, banned, n)

    def _see(self, brief: Brief, *others: Case | Criterion) -> None:
        self.briefs.append(brief)
        self.shown.append(f"{brief!r} {others!r}")


class ManagerConformance:
    """What a manager promises."""

    def test_two_managers_set_up_alike_have_one_fingerprint(self, world: ManagerWorld) -> None:
        assert world.manager().fingerprint == world.manager().fingerprint

    @pytest.mark.parametrize("n", [0, 1, 7])
    def test_no_more_seeds_come_than_asked_for(self, world: ManagerWorld, n: int) -> None:
        assert len(world.manager().seed(world.brief, n)) <= n

    def test_seeds_differ_in_content(self, world: ManagerWorld) -> None:
        assert _distinct(world.manager().seed(world.brief, 12))

    def test_there_is_a_first_candidate(self, world: ManagerWorld) -> None:
        assert world.manager().seed(world.brief, 4)

    def test_the_judge_can_judge_by_what_is_proposed(self, world: ManagerWorld) -> None:
        judge = world.judge()
        assert all(judge.can_judge(p.criterion) for p in world.manager().seed(world.brief, 12))

    def test_the_same_brief_gives_the_same_seeds(self, world: ManagerWorld) -> None:
        assert world.manager().seed(world.brief, 8) == world.manager().seed(world.brief, 8)

    def test_the_order_of_the_pairs_does_not_change_the_seeds(self, world: ManagerWorld) -> None:
        assert world.manager().seed(world.brief, 8) == world.manager().seed(_reversed(world.brief), 8)

    def test_asking_twice_gives_the_same_as_asking_once(self, world: ManagerWorld) -> None:
        manager = world.manager()
        assert manager.seed(world.brief, 5) == manager.seed(world.brief, 5)

    def test_each_case_gets_its_own_answer_in_order(self, world: ManagerWorld) -> None:
        manager = world.manager()
        cases = _cases(manager, world.brief, 4)
        together = manager.refine(world.brief, cases)
        assert len(together) == len(cases)
        assert together == [manager.refine(world.brief, [case])[0] for case in cases]

    def test_no_case_is_no_rewrite(self, world: ManagerWorld) -> None:
        assert world.manager().refine(world.brief, []) == []

    def test_a_rewrite_is_not_what_it_rewrites(self, world: ManagerWorld) -> None:
        manager = world.manager()
        cases = _cases(manager, world.brief, 8)
        rewrites = manager.refine(world.brief, cases)
        assert all(r is None or r.criterion.hash != c.criterion.hash for r, c in zip(rewrites, cases, strict=True))

    def test_a_rewrite_is_named_after_its_content(self, world: ManagerWorld) -> None:
        manager = world.manager()
        for rewrite in filter(None, manager.refine(world.brief, _cases(manager, world.brief, 8))):
            read = Criterion.model_validate_json(rewrite.criterion.model_dump_json())
            assert rewrite.criterion.hash == read.hash

    @pytest.mark.parametrize("n", [0, 1, 7])
    def test_no_more_replacements_come_than_asked_for(self, world: ManagerWorld, n: int) -> None:
        assert len(_replace(world.manager(), world.brief, n)) <= n

    def test_replacements_differ_in_content(self, world: ManagerWorld) -> None:
        assert _distinct(_replace(world.manager(), world.brief, 12))

    def test_the_same_brief_gives_the_same_replacements(self, world: ManagerWorld) -> None:
        assert _replace(world.manager(), world.brief, 6) == _replace(world.manager(), world.brief, 6)

    def test_what_is_kept_is_not_proposed_again(self, world: ManagerWorld) -> None:
        manager = world.manager()
        kept = [p.criterion for p in manager.seed(world.brief, 6)]
        found = manager.replace(world.brief, kept, [], [], 6)
        assert not {p.criterion.hash for p in found} & {c.hash for c in kept}

    def test_nothing_of_a_banned_meaning_comes_back(self, world: ManagerWorld) -> None:
        manager = world.manager()
        banned = [p.criterion for p in manager.seed(world.brief, 12)]
        found = manager.replace(world.brief, [], [], banned, 12)
        assert found
        assert _closest([p.criterion for p in found], banned) < SAME_MEANING

    def test_sealed_pairs_are_never_shown(self, world: ManagerWorld) -> None:
        spy = SpyManager(world.manager())
        _mine(world, spy, world.sealed)
        texts = [text for p in world.sealed for text in (p.a, p.b)]
        assert texts
        assert spy.shown
        assert not [text for text in texts for shown in spy.shown if repr(text)[1:-1] in shown]

    def test_sealed_pairs_change_nothing_that_is_mined(self, world: ManagerWorld) -> None:
        sealed = _mine(world, world.manager(), world.sealed).criteria_set
        assert sealed == _mine(world, world.manager(), ()).criteria_set


def _distinct(proposals: Sequence[Proposal]) -> bool:
    return len({p.criterion.hash for p in proposals}) == len(proposals)


def _reversed(brief: Brief) -> Brief:
    return replace(brief, pairs=brief.pairs[::-1])


def _cases(manager: Manager, brief: Brief, n: int) -> list[Case]:
    seeds = [p.criterion for p in manager.seed(brief, n)]
    return [Case(c, assessment(c.hash), ()) for c in seeds]


def _replace(manager: Manager, brief: Brief, n: int) -> list[Proposal]:
    seeds = _cases(manager, brief, 6)
    return manager.replace(brief, [seeds[0].criterion], seeds[1:3], [c.criterion for c in seeds[3:]], n)


def _closest(found: Sequence[Criterion], banned: Sequence[Criterion]) -> float:
    return float((embed([c.words for c in found]) @ embed([c.words for c in banned]).T).max())


def _mine(world: ManagerWorld, manager: Manager, sealed: Sequence[Pair]) -> Outcome:
    judge = world.judge()
    policy = policy_named("paper", size=5, rounds=2)
    ledger = MemoryLedger([*world.brief.pairs, *sealed])
    thread = Mining(world.brief, tuple(sealed), ledger, manager, policy, Panel(seats=(seat_of(judge),)))
    return run_local(thread, judge, LINEAGE)
