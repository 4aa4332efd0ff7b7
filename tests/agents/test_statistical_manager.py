"""The statistical manager keeps the promises of every manager, and proposes what fits the mining pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from made_up import assessment, criterion, likeness
from made_up_texts import answer_pair, brief, small_index
from manager_conformance import ManagerConformance, ManagerWorld

from agents.expression import MAX_LENGTH, check
from agents.expression_space import SAME_VOTES
from agents.judge import Judge
from agents.manager import Brief, Case, Manager, Proposal
from agents.pairs import Pair
from agents.sample import Sample
from agents.signal_judge import SignalJudge
from agents.signals import SIGNALS
from agents.signals.measurement import MemoryCache
from agents.statistical_manager import StatisticalManager
from knowledge_base.criterion import Criterion
from knowledge_base.index import Index

CACHE = MemoryCache()
BRIEF = brief()
CLEAR = replace(BRIEF, pairs=tuple(answer_pair(i) for i in range(24) if i % 5 != 4 and i % 9 != 8))
"""Pairs on which people always preferred the careful text, which is also the longer one."""

WRONG = criterion("fewer words are better", "words", "lower")


class StatisticalWorld:
    """Statistical managers over a small catalogue that share their measurements."""

    brief = BRIEF
    sealed: Sequence[Pair] = tuple(map(answer_pair, range(40, 46)))

    def manager(self) -> Manager:
        return manager()

    def judge(self) -> Judge:
        return SignalJudge(CACHE)


class TestStatisticalManager(ManagerConformance):
    """See `ManagerConformance`."""

    @pytest.fixture
    def world(self) -> ManagerWorld:
        return StatisticalWorld()


def manager(index: Index | None = None) -> StatisticalManager:
    return StatisticalManager(small_index() if index is None else index, CACHE)


def case(of: Criterion) -> Case:
    return Case(of, assessment(of.hash), ())


def rewrite(of: Criterion) -> Proposal | None:
    return manager().refine(CLEAR, [case(of)])[0]


def right(of: Criterion, told: Brief = BRIEF) -> int:
    sample = Sample(told.pairs, CACHE)
    return int((sample.votes(of) * sample.truth > 0).sum())


def test_seeds_come_from_the_knowledge_base_first_and_then_from_the_search() -> None:
    origins = [p.origin for p in manager().seed(BRIEF, 12)]
    assert set(origins) == {"knowledge base", "search"}
    assert origins == sorted(origins)


def test_what_is_not_programmatic_is_not_proposed() -> None:
    assert all(p.criterion.programmatic for p in manager().seed(BRIEF, 30))


def test_every_proposal_can_be_evaluated() -> None:
    for proposal in manager().seed(BRIEF, 30):
        check(proposal.criterion.expression, SIGNALS)


def test_without_a_knowledge_base_the_search_fills_the_round() -> None:
    found = manager(Index.build([])).seed(BRIEF, 5)
    assert [p.origin for p in found] == ["search"] * 5


def test_a_search_says_how_many_mining_pairs_it_got_right() -> None:
    found = manager(Index.build([])).seed(BRIEF, 3)
    assert all(p.why.startswith(f"right on {right(p.criterion)} of ") for p in found)


def test_the_search_puts_the_best_fit_first() -> None:
    found = manager(Index.build([])).seed(BRIEF, 1)[0]
    assert right(found.criterion) >= 9


def test_what_the_search_finds_does_not_vote_alike() -> None:
    sample = Sample(BRIEF.pairs, CACHE)
    found = [sample.votes(p.criterion) for p in manager(Index.build([])).seed(BRIEF, 8)]
    alike = [abs(likeness(a, b)) for i, a in enumerate(found) for b in found[:i]]
    assert max(alike) < SAME_VOTES


def test_a_criterion_that_points_the_wrong_way_is_rewritten_to_fit_better() -> None:
    found = rewrite(WRONG)
    assert found is not None
    assert found.origin == "rewrite"
    assert right(found.criterion, CLEAR) > right(WRONG, CLEAR)


def test_a_rewrite_says_how_much_it_gains() -> None:
    found = rewrite(WRONG)
    assert found is not None
    assert f"right on {right(found.criterion, CLEAR)} of " in found.why
    assert f"instead of {right(WRONG, CLEAR)} of " in found.why


def test_a_criterion_that_is_always_right_is_left_alone() -> None:
    assert rewrite(criterion("more words are better", "words")) is None


def test_a_criterion_in_words_only_is_left_alone() -> None:
    assert rewrite(criterion("only words")) is None


def test_an_expression_with_no_room_left_to_grow_is_left_alone() -> None:
    long = "0 * words + " * 32 + "words"
    assert len(long) < MAX_LENGTH
    assert rewrite(criterion("fewer words are better, at length", long, "lower")) is None


def test_rewriting_again_and_again_never_makes_an_expression_that_cannot_be_read() -> None:
    now = WRONG
    for _ in range(12):
        found = rewrite(now)
        if found is None:
            break
        now = found.criterion
        check(now.expression, SIGNALS)


def test_pairs_that_all_tie_teach_nothing_and_raise_nothing() -> None:
    tied = replace(BRIEF, pairs=tuple(p.model_copy(update={"preferred": "tie"}) for p in BRIEF.pairs))
    found = manager().seed(tied, 6)
    assert all(p.origin == "knowledge base" for p in found)
    assert manager().refine(tied, [case(p.criterion) for p in found[:2]]) == [None, None]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_pairs_are_enough_to_propose(count: int) -> None:
    few = replace(BRIEF, pairs=BRIEF.pairs[:count])
    found = manager().seed(few, 4)
    assert found
    assert manager().replace(few, [found[0].criterion], [case(found[-1].criterion)], [], 3) is not None


def test_identical_texts_teach_nothing_and_raise_nothing() -> None:
    same = (Pair(id="1", a="The same.", b="The same.", preferred="a"),)
    assert all(p.origin == "knowledge base" for p in manager().seed(replace(BRIEF, pairs=same), 4))


def test_replacements_look_where_the_kept_ones_fail() -> None:
    sample = Sample(BRIEF.pairs, CACHE)
    missed = (sample.truth != 0) & (sample.votes(WRONG) != sample.truth)
    found = manager(Index.build([])).replace(BRIEF, [WRONG], [], [], 1)[0]
    assert int((sample.votes(found.criterion) * sample.truth)[missed].sum()) > 0


def test_swapping_the_texts_of_every_pair_changes_no_seed() -> None:
    """Up to the order of pairs by content, on which no vote depends."""
    turn = {"a": "b", "b": "a", "tie": "tie"}
    swapped = tuple(
        Pair.model_validate(p.model_dump() | {"a": p.b, "b": p.a, "preferred": turn[p.preferred]}) for p in BRIEF.pairs
    )
    here, there = manager().seed(BRIEF, 12), manager().seed(replace(BRIEF, pairs=swapped), 12)
    assert [p.criterion for p in here] == [p.criterion for p in there]


def test_the_fingerprint_follows_the_knowledge_base() -> None:
    assert manager().fingerprint != manager(Index.build([])).fingerprint
