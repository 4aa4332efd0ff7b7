"""Two sets on the same pairs: the test is exact, the interval is Newcombe's, and the power is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agents.comparison import compare_sets, noticeable, paired_interval, power
from agents.statistics import better_than_chance, paired_gain

SIGNS = st.sampled_from([-1, 0, 1])


def cells(both: int, only_new: int, only_old: int, neither: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Credits of old and new with these counts."""
    old = [1.0] * both + [0.0] * only_new + [1.0] * only_old + [0.0] * neither
    new = [1.0] * both + [1.0] * only_new + [0.0] * only_old + [0.0] * neither
    return np.array(old), np.array(new)


def signs(text: str) -> NDArray[np.int8]:
    return np.array([{"A": 1, "B": -1, "=": 0}[c] for c in text], dtype=np.int8)


def compared(old: str, new: str, truth: str, units: list[str] | None = None, answered: list[bool] | None = None):  # type: ignore[no-untyped-def]
    there = None if answered is None else np.array(answered)
    return compare_sets(signs(old), signs(new), signs(truth), units or [str(i) for i in range(len(truth))], there)


def textbook(both: int, only_new: int, only_old: int, neither: int) -> tuple[float, float]:
    """Newcombe's method 10 in counts, as Altman and others 2000 work it out ("Statistics with confidence", p. 52)."""
    n = both + only_new + only_old + neither
    ends = [stats.binomtest(x, n).proportion_ci(method="wilson") for x in (both + only_new, both + only_old)]
    new, old = (both + only_new) / n, (both + only_old) / n
    margins = (both + only_new) * (only_old + neither) * (both + only_old) * (only_new + neither)
    together = both * neither - only_new * only_old
    corrected = together - n / 2 if together > n / 2 else min(together, 0)
    phi = corrected / math.sqrt(margins) if margins else 0.0
    down, up = (new - ends[0].low, ends[1].high - old), (ends[0].high - new, old - ends[1].low)
    below, above = (math.sqrt(x * x - 2 * phi * x * y + y * y) for x, y in (down, up))
    return new - old - below, new - old + above


@given(st.tuples(*[st.integers(0, 40)] * 4).filter(any))
@settings(max_examples=150, deadline=None)
@example((20, 12, 2, 16))
@example((36, 12, 2, 0))
@example((0, 0, 9, 0))
def test_the_interval_is_newcombes(counts: tuple[int, int, int, int]) -> None:
    found, (low, high) = paired_interval(*cells(*counts)), textbook(*counts)
    assert (found.low, found.high) == pytest.approx((max(-1.0, low), min(1.0, high)), abs=1e-9)


@pytest.mark.parametrize(("n", "gain", "loss"), [(40, 0.2, 0.1), (120, 0.15, 0.15), (300, 0.1, 0.02)])
def test_the_interval_covers_the_true_difference_as_often_as_it_says(n: int, gain: float, loss: float) -> None:
    rng, hits, times = np.random.default_rng(n), 0, 600
    for _ in range(times):
        drawn = rng.choice(4, size=n, p=[0.5, gain, loss, 0.5 - gain - loss])
        found = paired_interval(np.isin(drawn, (0, 2)).astype(float), np.isin(drawn, (0, 1)).astype(float))
        hits += found.low <= gain - loss <= found.high
    assert hits / times >= 0.93


@given(st.lists(st.tuples(SIGNS, SIGNS, SIGNS), min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_old_and_new_exchanged_turn_everything_round(votes: list[tuple[int, int, int]]) -> None:
    old, new, truth = (np.array(part, dtype=np.int8) for part in zip(*votes, strict=True))
    units = [str(i) for i in range(len(votes))]
    one, other = compare_sets(old, new, truth, units), compare_sets(new, old, truth, units)
    assert one.p_value == other.p_value
    assert (one.discordant, one.won) == (other.discordant, other.discordant - other.won)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    turned = {"better": "worse", "worse": "better"}
    assert turned.get(one.verdict, one.verdict) == other.verdict
    assert one.low <= one.difference <= one.high


@given(st.lists(st.tuples(SIGNS, SIGNS, SIGNS), min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_of_separate_pairs_the_test_is_mcnemars(votes: list[tuple[int, int, int]]) -> None:
    old, new, truth = (np.array(part, dtype=np.int8) for part in zip(*votes, strict=True))
    found = compare_sets(old, new, truth, [str(i) for i in range(len(votes))])
    scored = [(signs * truth).astype(np.int8)[truth != 0] for signs in (old, new)]
    one_sided = [paired_gain(scored[0], scored[1]), paired_gain(scored[1], scored[0])]
    assert found.p_value == pytest.approx(min(1.0, 2 * min(one_sided)))
    assert found.n + found.ties == len(votes)


def test_a_vote_that_balances_counts_as_a_coin() -> None:
    found = compared("AAAA", "====", "AABB")
    assert (found.old_accuracy, found.new_accuracy, found.difference) == (0.5, 0.5, 0.0)
    assert (found.discordant, found.won) == (4, 2)


def test_pairs_that_hang_together_are_one_unit() -> None:
    alone = compared("B" * 12, "A" * 12, "A" * 12)
    together = compared("B" * 12, "A" * 12, "A" * 12, units=["x"] * 6 + ["y"] * 6)
    assert (alone.units, alone.verdict) == (12, "better")
    assert (together.units, together.discordant, together.verdict) == (2, 2, "no clear difference")
    assert together.effective < alone.effective
    assert together.low < alone.low


def test_ties_and_pairs_without_an_answer_are_left_out_and_counted() -> None:
    found = compared("AAAA", "AABB", "A=AB", answered=[True, True, False, True])
    assert (found.n, found.ties, found.unanswered) == (2, 1, 1)


@pytest.mark.parametrize(
    ("truth", "answered", "told"), [("==", None, "new to both"), ("AB", [False, False], "judgment")]
)
def test_where_nothing_can_be_compared_it_says_so(truth: str, answered: list[bool] | None, told: str) -> None:
    found = compared("AA", "BB", truth, answered=answered)
    assert found.verdict == "not compared"
    assert (found.low, found.high, found.p_value, found.power) == (-1.0, 1.0, 1.0, 0.0)
    assert told in found.told


def test_arguments_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 old and 2 new votes, 3 truths"):
        compare_sets(signs("AA"), signs("AA"), signs("AAA"), ["x", "y"])


def test_the_sentence_carries_what_a_number_must_carry() -> None:
    told = compared("B" * 20 + "A" * 80, "A" * 100, "A" * 100).told
    for part in ("better", "1.000 against 0.800 on 100 sealed pairs", "+20.0 points", "95 % interval", "p = 0.000"):
        assert part in told


@pytest.mark.parametrize(("units", "share", "gain"), [(60, 0.3, 0.1), (200, 0.2, 0.05), (150, 0.1, 0.1)])
def test_the_power_is_what_a_simulation_finds(units: int, share: float, gain: float) -> None:
    rng, found, times = np.random.default_rng(units), 0, 3000
    wins = (share + gain) / (2 * share)
    for _ in range(times):
        differing = rng.binomial(units, share)
        won = rng.binomial(differing, wins)
        found += won > differing / 2 and 2 * better_than_chance(won, differing) <= 0.05
    assert power(units, share, gain) == pytest.approx(found / times, abs=0.03)


def test_more_pairs_notice_smaller_gains() -> None:
    sizes = [noticeable(n, 0.2) for n in (5, 30, 100, 400, 2000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 1.0
    assert sizes[-1] < 0.05
    assert power(400, 0.2, noticeable(400, 0.2)) >= 0.8
    assert stats.binomtest(5, 5, 0.5).pvalue > 0.05
