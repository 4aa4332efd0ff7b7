"""Votes become one answer, by majority and by weight, and copies of one criterion count as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import votes
from scipy.special import expit

from agents.ballot import Ballot, effective_votes, majority, vote_correlation
from agents.votes import Votes

grids = st.tuples(st.integers(1, 6), st.integers(1, 10)).flatmap(
    lambda size: st.lists(st.text("AB-?", min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
)


def grid(rows: list[str]) -> Votes:
    return votes({f"c{i}": row for i, row in enumerate(rows)})


def swapped(rows: list[str]) -> list[str]:
    return [row.translate(str.maketrans("AB", "BA")) for row in rows]


def test_the_majority_counts_each_decided_criterion_once() -> None:
    assert majority(votes({"c": "AA-", "d": "AB-", "e": "B-?"})).tolist() == [1, 0, 0]


def test_a_majority_of_many_does_not_overflow() -> None:
    assert majority(votes({f"c{i}": "A" for i in range(300)})).tolist() == [1]


def test_a_majority_of_none_decides_nothing() -> None:
    assert majority(votes({"c": "AB"}).rows([])).tolist() == [0, 0]


def test_the_log_odds_are_the_weights_of_a_less_those_of_b() -> None:
    ballot = Ballot(weights={"c": 1.0, "d": 0.25}, method="m")
    assert ballot.log_odds(votes({"d": "BB-", "c": "AB?"})).tolist() == [0.75, -1.25, 0.0]


def test_a_criterion_without_a_weight_has_no_say() -> None:
    assert Ballot(weights={"c": 1.0}, method="m").log_odds(votes({"c": "A", "x": "B"})).tolist() == [1.0]


def test_a_probability_is_the_logistic_of_the_log_odds() -> None:
    ballot = Ballot(weights={"c": 2.0}, method="m")
    assert ballot.probability(votes({"c": "AB-"})) == pytest.approx([expit(2.0), expit(-2.0), 0.5])


def test_an_empty_ballot_is_undecided() -> None:
    assert Ballot(weights={}, method="m").probability(votes({"c": "AB"})).tolist() == [0.5, 0.5]


@given(grids)
def test_swapping_the_texts_turns_every_answer(rows: list[str]) -> None:
    ballot = Ballot(weights={f"c{i}": 1.0 + i for i in range(len(rows))}, method="m")
    assert ballot.log_odds(grid(rows)).tolist() == (-ballot.log_odds(grid(swapped(rows)))).tolist()
    assert majority(grid(rows)).tolist() == (-majority(grid(swapped(rows)))).tolist()


@given(grids)
def test_swapping_the_texts_changes_no_correlation(rows: list[str]) -> None:
    assert np.array_equal(vote_correlation(grid(rows)), vote_correlation(grid(swapped(rows))))


@given(grids)
def test_correlations_are_a_cosine(rows: list[str]) -> None:
    found = vote_correlation(grid(rows))
    assert np.array_equal(found, found.T)
    assert (np.abs(found) <= 1 + 1e-12).all()
    assert (np.diag(found) == 1).all()


def test_criteria_that_vote_alike_correlate_fully_and_opposed_ones_negatively() -> None:
    found = vote_correlation(votes({"c": "AABB", "d": "AABB", "e": "BBAA"}))
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(-1.0)


@pytest.mark.parametrize("copies", [1, 2, 9])
def test_copies_of_one_criterion_are_one_effective_vote(copies: int) -> None:
    assert effective_votes(grid(["AABB"] * copies)) == pytest.approx(1.0)


def test_uncorrelated_criteria_are_an_effective_vote_each() -> None:
    assert effective_votes(grid(["AABB", "ABAB", "ABBA"])) == pytest.approx(3.0)


@given(grids)
def test_effective_votes_are_between_one_and_the_number_that_ever_decide(rows: list[str]) -> None:
    voters = sum("A" in row or "B" in row for row in rows)
    assert effective_votes(grid(rows)) == 0 if not voters else 1 - 1e-9 <= effective_votes(grid(rows)) <= voters + 1e-9


def test_a_criterion_that_decides_nothing_adds_no_effective_vote() -> None:
    assert effective_votes(grid(["AABB", "----", "????"])) == pytest.approx(1.0)


def test_no_criteria_are_no_effective_votes() -> None:
    assert effective_votes(grid(["AB"]).rows([])) == 0.0
