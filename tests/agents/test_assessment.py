"""A criterion's agreement with people: ties left out, abstentions and missing evidence told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import truth, votes

from agents.assessment import FLAT, Assessment, assess, scores
from agents.statistics import Beta, better_than_chance, q_values

rows = st.integers(1, 12).flatmap(
    lambda n: st.tuples(st.text("AB-? ", min_size=n, max_size=n), st.text("AB=", min_size=n, max_size=n))
)


def one(marks: str, preferred: str, prior: Beta = FLAT) -> Assessment:
    return assess(votes({"c": marks}), truth(preferred), {"c": prior})[0]


def test_accuracy_is_right_over_decided() -> None:
    found = one("AABB", "AAAB")
    assert (found.right, found.decided, found.accuracy) == (3, 4, 0.75)


def test_abstentions_lower_coverage_and_not_accuracy() -> None:
    found = one("AA--", "AAAA")
    assert (found.accuracy, found.coverage, found.strength) == (1.0, 0.5, 0.5)


def test_missing_evidence_is_neither_wrong_nor_abstained() -> None:
    found = one("A??-", "AAAA")
    assert (found.accuracy, found.abstained, found.missing) == (1.0, 1, 2)


def test_a_pair_that_people_tied_is_left_out_and_counted() -> None:
    found = one("AAB", "A==")
    assert (found.asked, found.decided, found.right, found.ties) == (1, 1, 1, 2)


def test_a_tied_pair_that_was_never_asked_is_not_counted() -> None:
    assert one("A ", "A=").ties == 0


def test_a_criterion_that_decides_nothing_has_an_accuracy_of_one_half_and_no_strength() -> None:
    found = one("--?", "AAA")
    assert (found.accuracy, found.coverage, found.strength, found.p_value) == (0.5, 0.0, 0.0, 1.0)


def test_a_criterion_never_asked_is_assessed_without_fault() -> None:
    assert one("  ", "AB").asked == 0


def test_all_ties_are_assessed_without_fault() -> None:
    found = one("AB", "==")
    assert (found.asked, found.ties, found.coverage) == (0, 2, 0.0)


def test_no_criteria_are_no_assessments() -> None:
    assert assess(votes({"c": "A"}).rows([]), truth("A")) == []


@given(rows)
def test_decided_abstained_and_missing_make_up_what_was_asked(row: tuple[str, str]) -> None:
    found = one(*row)
    assert found.decided + found.abstained + found.missing == found.asked


@given(rows)
def test_numbers_stay_in_their_ranges(row: tuple[str, str]) -> None:
    found = one(*row)
    assert 0 <= found.right <= found.decided <= found.asked
    assert 0 <= found.low <= found.shrunken <= found.high <= 1
    assert -1 <= found.promise <= 1
    assert 0 <= found.flip_rate <= 1


@given(rows)
def test_strength_is_coverage_times_twice_the_accuracy_less_one(row: tuple[str, str]) -> None:
    found = one(*row)
    assert found.strength == pytest.approx(found.coverage * (2 * found.accuracy - 1))


@given(rows)
def test_swapping_the_texts_everywhere_changes_no_number(row: tuple[str, str]) -> None:
    swap = str.maketrans("AB", "BA")
    assert one(*row) == one(row[0].translate(swap), row[1].translate(swap))


@given(rows)
def test_the_order_of_the_pairs_changes_no_number(row: tuple[str, str]) -> None:
    places = np.random.default_rng(0).permutation(len(row[0]))
    assert one(*row) == one("".join(row[0][i] for i in places), "".join(row[1][i] for i in places))


def test_the_shrunken_accuracy_lies_between_the_prior_and_what_was_seen() -> None:
    found = one("AAAA", "AAAA", Beta(0.6, 10))
    assert found.prior == 0.6
    assert found.shrunken == pytest.approx((6 + 4) / 14)
    assert 0.6 < found.shrunken < found.accuracy


def test_a_criterion_without_a_prior_gets_the_flat_one() -> None:
    assert assess(votes({"c": "A"}), truth("A"), {})[0].prior == FLAT.mean


def test_the_flip_rate_is_the_share_of_asked_pairs_where_the_orders_disagree() -> None:
    flipped = votes({"c": "A--A "}, flipped={"c": " xx  "})
    assert assess(flipped, truth("AAAAA"))[0].flip_rate == 0.5


def test_a_flip_on_a_pair_that_people_tied_does_not_count() -> None:
    assert assess(votes({"c": "A-"}, flipped={"c": " x"}), truth("A="))[0].flip_rate == 0.0


def test_q_values_are_adjusted_over_all_criteria_assessed_together() -> None:
    found = assess(votes({"c": "AAAAAA", "d": "AAABBB", "e": "AAAAAB"}), truth("AAAAAA"))
    expected = [better_than_chance(6, 6), better_than_chance(3, 6), better_than_chance(5, 6)]
    assert [a.p_value for a in found] == pytest.approx(expected)
    assert [a.q_value for a in found] == pytest.approx(q_values(expected).tolist())


def test_scores_are_one_for_agreement_minus_one_for_the_contrary_and_nothing_else() -> None:
    assert scores(votes({"c": "AB-?A"}), truth("AAAA=")).tolist() == [[1, -1, 0, 0, 0]]


def test_an_assessment_survives_json() -> None:
    found = one("AB-?", "AABB")
    assert Assessment.model_validate_json(found.model_dump_json()) == found
