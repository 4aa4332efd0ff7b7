from __future__ import annotations

import pytest

from services.report import figures


@pytest.mark.parametrize(
    ("share", "told"), [(0.724, "72%"), (0.0, "0%"), (1.0, "100%"), (0.004, "0.4%"), (0.996, "99.6%"), (0.5, "50%")]
)
def test_a_share_is_told_in_percent_and_never_rounded_to_certainty(share, told):
    assert figures.percent(share) == told


def test_an_interval_is_told_in_whole_percent():
    assert figures.span(0.491, 0.875) == "49\u201388%"


@pytest.mark.parametrize(("p", "told"), [(0.00004, "below 0.001"), (0.0123, "0.012"), (1.0, "1.000")])
def test_a_p_value_is_never_told_as_zero(p, told):
    assert figures.chance(p) == told


@pytest.mark.parametrize(
    ("difference", "told"),
    [(0.21, "+21 points"), (0.01, "+1 point"), (0.0, "±0 points"), (-0.05, "\u22125 points"), (0.001, "±0 points")],
)
def test_a_difference_is_told_in_points_with_its_sign(difference, told):
    assert figures.points(difference) == told


@pytest.mark.parametrize(("n", "told"), [(1, "1\u00a0tie"), (0, "0\u00a0ties"), (1200, "1,200\u00a0ties")])
def test_a_count_agrees_with_its_noun(n, told):
    assert figures.count(n, "tie") == told


def test_an_odd_plural_is_taken_as_given():
    assert figures.count(2, "criterion", "criteria") == "2\u00a0criteria"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3.21, "3.2\u00a0s"), (105.8, "1\u00a0min 46\u00a0s"), (3725, "1\u00a0h 2\u00a0min"), (59.99, "60.0\u00a0s")],
)
def test_seconds_are_told_as_a_person_would(seconds, told):
    assert figures.duration(seconds) == told


def test_a_negative_number_has_a_true_minus():
    assert figures.signed(-0.5) == "\u22120.50"
