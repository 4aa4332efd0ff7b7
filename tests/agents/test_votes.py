"""Judgments become votes: both orders merged, and missing evidence told apart from abstention."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import STATUS, VERDICT, votes

from agents.judgments import Judgment
from agents.votes import ABSTAINED, DECIDED, MISSING, Cell, Votes, tally

MARKS = "AB-?!"


def judgment(mark: str, margin: float = 0.5) -> Judgment:
    return Judgment(key="k", status=STATUS[mark], verdict=VERDICT.get(mark, "abstain"), margin=margin)


def merged(marks: str) -> Votes:
    """One cell that these judgments were made of."""
    return tally(["c"], ["p"], [("c", "p", "ab", judgment(m)) for m in marks])


@pytest.mark.parametrize(
    ("marks", "sign", "state"),
    [
        ("A", 1, DECIDED), ("B", -1, DECIDED), ("-", 0, ABSTAINED), ("?", 0, MISSING), ("!", 0, MISSING),
        ("AA", 1, DECIDED), ("AB", 0, ABSTAINED), ("A-", 1, DECIDED), ("-B", -1, DECIDED), ("--", 0, ABSTAINED),
        ("A?", 1, DECIDED), ("?-", 0, ABSTAINED), ("?!", 0, MISSING), ("AAB", 1, DECIDED), ("AB?", 0, ABSTAINED),
    ],
)  # fmt: skip
def test_judgments_of_a_cell_merge_into_one_vote(marks: str, sign: int, state: int) -> None:
    cell = merged(marks)
    assert (cell.signs[0, 0], cell.states[0, 0]) == (sign, state)


def test_a_cell_never_asked_is_neither_abstained_nor_missing() -> None:
    assert merged("").states[0, 0] == 0


@given(st.text(MARKS, max_size=5))
def test_the_order_of_the_judgments_does_not_matter(marks: str) -> None:
    found = {(c.signs[0, 0], c.states[0, 0], c.flipped[0, 0]) for c in map(merged, {marks, marks[::-1]})}
    assert len(found) == 1


@given(st.text("AB-", max_size=5), st.text("?!", max_size=3))
def test_missing_evidence_never_changes_a_vote(evidence: str, missing: str) -> None:
    with_gaps, without = merged(evidence + missing), merged(evidence)
    assert with_gaps.signs[0, 0] == without.signs[0, 0]
    assert not evidence or with_gaps.states[0, 0] == without.states[0, 0]


@given(st.text(MARKS, max_size=5))
def test_swapping_the_texts_turns_the_sign_and_nothing_else(marks: str) -> None:
    here, there = merged(marks), merged(marks.translate(str.maketrans("AB", "BA")))
    assert here.signs[0, 0] == -there.signs[0, 0]
    assert here.states[0, 0] == there.states[0, 0]
    assert here.margins[0, 0] == there.margins[0, 0]


def test_orders_that_disagree_are_a_flip_and_an_abstention() -> None:
    assert merged("AB").flipped[0, 0]
    assert not merged("A-").flipped[0, 0]


def test_a_margin_is_the_mean_over_the_orders_that_decided() -> None:
    cells: list[Cell] = [
        ("c", "p", "ab", judgment("A", 0.2)),
        ("c", "p", "ba", judgment("A", 0.6)),
        ("c", "p", "ab", judgment("-", 0.9)),
    ]
    assert tally(["c"], ["p"], cells).margins[0, 0] == pytest.approx(0.4)


def test_votes_stand_in_the_order_of_criteria_and_pairs_asked_for() -> None:
    cells: list[Cell] = [("d", "q", "ab", judgment("B")), ("c", "p", "ab", judgment("A"))]
    found = tally(["d", "c"], ["p", "q"], cells)
    assert found.signs.tolist() == [[0, -1], [1, 0]]


def test_votes_of_no_criterion_have_a_column_for_each_pair() -> None:
    assert tally([], ["p", "q"], []).signs.shape == (0, 2)


def test_rows_are_taken_in_the_order_asked_for() -> None:
    found = votes({"c": "AB", "d": "-?"}).rows(["d", "c"])
    assert found.criteria == ("d", "c")
    assert found.states.tolist() == [[ABSTAINED, MISSING], [DECIDED, DECIDED]]


def test_no_rows_can_be_taken() -> None:
    assert votes({"c": "AB"}).rows([]).signs.shape == (0, 2)


def test_columns_are_taken_by_mask_or_by_place() -> None:
    whole = votes({"c": "AB-"})
    by_mask, by_place = whole.columns(np.array([True, False, True])), whole.columns([0, 2])
    assert by_mask.pairs == by_place.pairs == ("0", "2")
    assert by_mask.signs.tolist() == by_place.signs.tolist() == [[1, 0]]


def test_every_pair_of_marks_gives_a_state() -> None:
    for marks in itertools.product(MARKS, repeat=2):
        assert merged("".join(marks)).states[0, 0] in (DECIDED, ABSTAINED, MISSING)


@pytest.mark.parametrize(
    ("first", "second", "twice"), [("A", "B", True), ("A", "-", True), ("A", "?", False), ("-", "-", True)]
)
def test_a_cell_was_shown_twice_if_evidence_came_of_both_orders(first: str, second: str, twice: bool) -> None:
    cells: list[Cell] = [("c", "p", "ab", judgment(first)), ("c", "p", "ba", judgment(second))]
    assert tally(["c"], ["p"], cells).twice[0, 0] == twice


def test_two_samples_of_one_order_are_not_two_orders() -> None:
    assert not merged("AA").twice[0, 0]
