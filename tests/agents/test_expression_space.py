"""The search over expressions: directions and margins that fit the sample, and no two that vote alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import criterion, likeness, pair

from agents.expression import evaluate, names_in
from agents.expression_space import SAME_VOTES, Candidate, bind, distinct, single, variants
from agents.pairs import Pair
from agents.sample import Sample, Signs
from agents.signals import SIGNALS
from agents.signals.measurement import MemoryCache

CACHE = MemoryCache()
signs = st.lists(st.sampled_from([-1, 0, 1]), min_size=6, max_size=6).map(lambda s: np.array(s, dtype=np.int8))


def word_pairs(preferred: str) -> list[Pair]:
    """Pairs in which a has from 1 to n words more than b."""
    return [
        pair(i, p, a=" ".join(["word"] * (3 + 2 * i)), b=" ".join(["word"] * (2 + i))) for i, p in enumerate(preferred)
    ]


def sample(preferred: str) -> Sample:
    return Sample(word_pairs(preferred), CACHE)


def candidate(votes: Signs, truth: Signs) -> Candidate:
    return Candidate("words", "higher", 0.0, votes, truth)


@pytest.mark.parametrize(("preferred", "direction"), [("AAAAAAAA", "higher"), ("BBBBBBBB", "lower")])
def test_binding_takes_the_direction_that_fits(preferred: str, direction: str) -> None:
    assert bind("words", sample(preferred)).direction == direction


def test_a_direction_that_is_given_stays() -> None:
    assert bind("words", sample("AAAAAAAA"), direction="lower").direction == "lower"


def test_without_a_margin_every_difference_decides() -> None:
    found = bind("words", sample("AAAAAAAA"), share=0.0)
    assert (found.margin, found.decided) == (0.0, 8)


def test_a_larger_share_is_a_larger_margin_and_fewer_decisions() -> None:
    narrow, wide = bind("words", sample("A" * 12), 0.2), bind("words", sample("A" * 12), 0.6)
    assert narrow.margin < wide.margin
    assert narrow.decided > wide.decided


@given(signs, signs)
def test_right_and_decided_leave_out_what_people_tied(votes: Signs, truth: Signs) -> None:
    found = candidate(votes, truth)
    assert found.decided == int(((votes != 0) & (truth != 0)).sum())
    assert found.right == int(((votes == truth) & (truth != 0)).sum())


@given(signs, signs)
def test_the_fit_of_the_opposite_votes_is_the_opposite_fit(votes: Signs, truth: Signs) -> None:
    assert candidate(votes, truth).fit == pytest.approx(-candidate((-votes).astype(np.int8), truth).fit)


@given(signs, signs)
def test_swapping_the_texts_changes_no_fit(votes: Signs, truth: Signs) -> None:
    swapped = candidate((-votes).astype(np.int8), (-truth).astype(np.int8))
    assert candidate(votes, truth).fit == swapped.fit


def test_right_on_many_pairs_fits_better_than_right_on_few() -> None:
    truth = np.ones(6, dtype=np.int8)
    many, few = np.ones(6, dtype=np.int8), np.array([1, 1, 0, 0, 0, 0], dtype=np.int8)
    assert 0 < candidate(few, truth).fit < candidate(many, truth).fit < 1


def test_all_ties_fit_nothing() -> None:
    assert candidate(np.ones(6, dtype=np.int8), np.zeros(6, dtype=np.int8)).fit == 0


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_is_an_expression(name: str) -> None:
    assert names_in(single(name)) == (name,)


def test_open_ended_counts_are_taken_by_their_logarithm_and_shares_are_not() -> None:
    assert single("words") == "log1p(words)"
    assert single("type_token_ratio") == "type_token_ratio"


@given(st.lists(signs, max_size=8), st.lists(signs, max_size=3))
def test_no_two_distinct_candidates_vote_alike_nor_like_what_is_taken(found: list[Signs], taken: list[Signs]) -> None:
    truth = np.ones(6, dtype=np.int8)
    chosen = [c.votes for c in distinct([candidate(v, truth) for v in found], taken)]
    for i, votes in enumerate(chosen):
        assert all(abs(likeness(votes, other)) < SAME_VOTES for other in [*chosen[:i], *taken])


def test_the_first_of_those_that_vote_alike_is_chosen() -> None:
    truth = np.ones(6, dtype=np.int8)
    first, second = candidate(truth, truth), candidate((-truth).astype(np.int8), truth)
    assert distinct([first, second]) == [first]


def test_every_variant_can_be_evaluated() -> None:
    values = {n: np.array([1.0, 2.0]) for n in ("words", "chars", "sentences")}
    for found in variants(criterion("some", "chars / words"), sample("AABBAABB"), ["sentences", "log1p(chars)"]):
        assert len(evaluate(found.expression, values)) == 2


def test_variants_without_a_partner_weigh_in_length_alone() -> None:
    found = variants(criterion("some", "chars"), sample("AABBAABB"), [])
    assert {n for c in found for n in names_in(c.expression)} == {"chars", "words"}


def test_a_partner_that_never_differs_is_not_joined() -> None:
    found = variants(criterion("some", "words"), sample("AABBAABB"), ["paragraphs"])
    assert all("paragraphs" not in names_in(c.expression) for c in found)
