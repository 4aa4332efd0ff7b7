"""Intervals, shrinkage and tests agree with scipy and with published tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agents.statistics import Beta, better_than_chance, design_effect, paired_gain, q_values, wilson

shares = st.floats(0.01, 0.99)
sizes = st.floats(1.0, 300.0)
signs = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombe_1998_table_1_method_3(
    right: int, n: int, low: float, high: float
) -> None:
    found = wilson(right, n)
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy(counts: tuple[int, int], level: float) -> None:
    right, n = counts
    theirs = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    ours = wilson(right, n, level)
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=1e-9)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, 2 * n), st.just(n))))
def test_wilson_holds_the_share_and_stays_between_0_and_1_even_with_half_points(counts: tuple[int, int]) -> None:
    halves, n = counts
    found = wilson(halves / 2, n)
    assert 0.0 <= found.low <= halves / 2 / n + 1e-12
    assert halves / 2 / n - 1e-12 <= found.high <= 1.0


def test_wilson_of_nothing_is_everything() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


@given(shares, sizes, st.integers(0, 100).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_posterior_is_the_beta_of_prior_and_counts(mean: float, size: float, counts: tuple[int, int]) -> None:
    right, n = counts
    law = stats.beta(mean * size + right, (1 - mean) * size + n - right)
    assert Beta(mean, size).after(right, n).mean == pytest.approx(law.mean())


@given(shares, st.floats(2.0, 300.0))
def test_a_credible_interval_agrees_with_scipy(mean: float, size: float) -> None:
    law, found = stats.beta(mean * size, (1 - mean) * size), Beta(mean, size).interval(0.9)
    assert [found.low, found.high] == pytest.approx([law.ppf(0.05), law.ppf(0.95)], abs=1e-6)


@given(shares, sizes, shares)
def test_the_probability_above_a_threshold_agrees_with_scipy(mean: float, size: float, threshold: float) -> None:
    law = stats.beta(mean * size, (1 - mean) * size)
    assert Beta(mean, size).above(threshold) == pytest.approx(law.sf(threshold), abs=1e-9)


def test_evidence_in_two_steps_is_evidence_in_one() -> None:
    two = Beta(0.6, 10).after(3, 4).after(5, 9)
    assert [two.mean, two.size] == pytest.approx([Beta(0.6, 10).after(8, 13).mean, 23])


def test_more_pairs_make_the_interval_narrower() -> None:
    few, many = Beta(0.5, 2).after(6, 10).interval(), Beta(0.5, 2).after(60, 100).interval()
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("right", "n", "p"), [(8, 10, 56 / 1024), (5, 5, 1 / 32), (0, 5, 1.0), (0, 0, 1.0)])
def test_better_than_chance_is_the_exact_binomial_tail(right: int, n: int, p: float) -> None:
    assert better_than_chance(right, n) == pytest.approx(p)


BENJAMINI_HOCHBERG = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
"""The 15 p values of the example in section 3.2 of Benjamini and Hochberg 1995, of which four are rejected at .05."""


def test_q_values_reject_the_four_hypotheses_of_benjamini_and_hochbergs_example() -> None:
    assert (q_values(BENJAMINI_HOCHBERG) <= 0.05).tolist() == [True] * 4 + [False] * 11


def test_the_fourth_q_value_of_that_example_is_its_p_value_times_15_over_4() -> None:
    assert q_values(BENJAMINI_HOCHBERG)[3] == pytest.approx(0.0095 * 15 / 4)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_at_least_the_p_values_and_rank_alike(p_values: list[float]) -> None:
    found = q_values(p_values)
    assert (found >= np.array(p_values) - 1e-12).all()
    assert (np.diff(found[np.argsort(p_values)]) >= -1e-12).all()


def test_q_values_of_nothing_are_nothing() -> None:
    assert len(q_values([])) == 0


def score(marks: str) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return np.array([{"+": 1, "-": -1, ".": 0}[m] for m in marks], dtype=np.int8)


def test_a_paired_gain_is_mcnemars_exact_test_over_the_pairs_that_differ() -> None:
    old, new = score("-------- + ++".replace(" ", "")), score("++++++++ - ++".replace(" ", ""))
    assert paired_gain(old, new) == pytest.approx(10 / 512)


@given(signs, signs)
def test_a_paired_gain_agrees_with_scipys_binomial_test(one: list[int], other: list[int]) -> None:
    n = min(len(one), len(other))
    old, new = np.array(one[:n], dtype=np.int8), np.array(other[:n], dtype=np.int8)
    wins, losses = int((new > old).sum()), int((new < old).sum())
    expected = stats.binomtest(wins, wins + losses, alternative="greater").pvalue if wins + losses else 1.0
    assert paired_gain(old, new) == pytest.approx(expected)


def test_no_gain_is_found_where_nothing_differs() -> None:
    assert paired_gain(score("+-."), score("+-.")) == 1.0


def test_pairs_that_do_not_differ_change_nothing() -> None:
    assert paired_gain(score("--+..++-"), score("+++..++-")) == paired_gain(score("--"), score("++"))


def test_the_design_effect_is_kishs_for_equal_units() -> None:
    assert design_effect(["a"] * 5 + ["b"] * 5, correlation=0.2) == pytest.approx(1 + 4 * 0.2)


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_pairs_never_gain_by_hanging_together(units: list[str]) -> None:
    assert 1.0 <= design_effect(units) <= max(1.0, len(units))


def test_separate_pairs_and_no_pairs_have_no_design_effect() -> None:
    assert design_effect(["a", "b", "c"]) == design_effect([]) == 1.0
