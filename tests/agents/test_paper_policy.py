"""The published policy: two thresholds on raw accuracy, one order, one vote each, an archive."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import assessment, truth, votes

from agents.assessment import assess
from agents.paper_policy import PaperPolicy

POLICY = PaperPolicy()
NO_VOTES = votes({"c": "A"})


def fate(right: int, decided: int) -> str:
    found = assessment("c", right=right, decided=decided, accuracy=right / decided if decided else 0.5)
    return POLICY.decide(NO_VOTES, [found])[0].fate


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_thresholds_are_exactly_one_half_and_three_quarters(counts: tuple[int, int]) -> None:
    share = Fraction(*counts)
    expected = "keep" if share >= Fraction(3, 4) else "refine" if share > Fraction(1, 2) else "replace"
    assert fate(*counts) == expected


@pytest.mark.parametrize(
    ("right", "decided", "expected"),
    [(15, 20, "keep"), (14, 20, "refine"), (11, 20, "refine"), (10, 20, "replace"), (3, 4, "keep"), (1, 2, "replace")],
)
def test_a_criterion_must_reach_the_upper_threshold_and_pass_the_lower_one(
    right: int, decided: int, expected: str
) -> None:
    assert fate(right, decided) == expected


def test_a_criterion_that_decides_nothing_is_replaced() -> None:
    assert fate(0, 0) == "replace"


def test_abstentions_do_not_lower_accuracy() -> None:
    found = assess(votes({"c": "AAA---??"}), truth("AAAAAAAA"))
    assert POLICY.decide(NO_VOTES, found)[0].fate == "keep"


def test_decisions_come_best_first_and_ties_by_hash() -> None:
    found = [assessment("d", accuracy=0.8), assessment("c", accuracy=0.8), assessment("e", accuracy=0.9)]
    assert [d.criterion for d in POLICY.decide(NO_VOTES, found)] == ["e", "c", "d"]


def test_the_reason_states_accuracy_count_and_thresholds() -> None:
    assert POLICY.decide(NO_VOTES, [assessment("c")])[0].why == "accuracy 0.50 on 20 decided pairs against 0.5 / 0.75"


def test_every_pair_is_judged_in_one_order() -> None:
    assert POLICY.looks == "one"


def test_there_is_no_race() -> None:
    assert POLICY.rungs(30) == (30,)
    assert POLICY.survivors([assessment("c", accuracy=0.0)], 0, 1) == ["c"]


@pytest.mark.parametrize(("alive", "room"), [(0, 20), (13, 7), (20, 0), (25, 0)])
def test_as_many_are_asked_for_as_were_replaced(alive: int, room: int) -> None:
    assert POLICY.room(alive, rewrites=3) == room


@pytest.mark.parametrize(
    ("old", "new", "accepted"),
    [
        ("++--", "+++-", True),
        ("++--", "--++", True),
        ("++--", "+---", False),
        ("+..-", "+...", True),
        ("+-", "..", True),
    ],
)
def test_a_rewrite_stays_if_its_raw_accuracy_is_not_worse(old: str, new: str, accepted: bool) -> None:
    scores = [np.array([{"+": 1, "-": -1, ".": 0}[m] for m in marks], dtype=np.int8) for marks in (old, new)]
    assert POLICY.accepts(*scores)[0] == accepted


def test_the_final_set_is_every_archived_criterion_from_three_quarters_with_one_vote_each() -> None:
    found = votes({"low": "AABB", "mid": "AAAB", "top": "AAAA"})
    final, ballot = POLICY.compose(found, truth("AAAA"), np.ones(4), {})
    assert final == ["top", "mid"]
    assert ballot.weights == {"top": 1.0, "mid": 1.0}


def test_the_single_best_stands_where_none_is_good() -> None:
    final, _ = POLICY.compose(votes({"low": "ABBB", "mid": "AABB"}), truth("AAAA"), np.ones(4), {})
    assert final == ["mid"]


def test_of_equally_accurate_criteria_the_one_that_decides_more_comes_first() -> None:
    final, _ = POLICY.compose(votes({"few": "AA--", "many": "AAAA"}), truth("AAAA"), np.ones(4), {})
    assert final == ["many", "few"]


def test_nothing_archived_is_an_empty_set() -> None:
    final, ballot = POLICY.compose(votes({"c": "A"}).rows([]), truth("A"), np.ones(1), {})
    assert (final, ballot.weights) == ([], {})


@given(
    st.lists(st.text("AB-?", min_size=6, max_size=6), min_size=1, max_size=6), st.text("AB=", min_size=6, max_size=6)
)
def test_swapping_the_texts_changes_neither_decisions_nor_the_set(rows: list[str], preferred: str) -> None:
    swap = str.maketrans("AB", "BA")
    here = votes({f"c{i}": row for i, row in enumerate(rows)})
    there = votes({f"c{i}": row.translate(swap) for i, row in enumerate(rows)})
    one, other = truth(preferred), truth(preferred.translate(swap))
    assert POLICY.decide(here, assess(here, one)) == POLICY.decide(there, assess(there, other))
    assert POLICY.compose(here, one, np.ones(6), {}) == POLICY.compose(there, other, np.ones(6), {})
