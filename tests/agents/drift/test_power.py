from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agents.drift.betting import log_evidence
from agents.drift.planning import anchors_needed, detection, votes_needed
from agents.drift.power import binomial_power, matched_power, noticeable
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from knowledge_base.errors import InputError


def stream(reference: Tally, values: list[float], direction: str = "fall") -> Stream:
    fields = {"name": "x", "label": "x", "unit": "x", "direction": direction, "share": 1.0, "reference": reference}
    return Stream.model_validate(fields).after(values)


@pytest.mark.parametrize(("n", "expected"), [(30, 0.24), (100, 0.64), (200, 0.91)])
def test_the_design_pages_numbers_are_those_of_the_binomial_test_of_a_known_accuracy(n: int, expected: float) -> None:
    assert binomial_power(n, 0.88, 0.80) == pytest.approx(expected, abs=0.005)


@given(st.integers(0, 40), st.floats(0.05, 0.95), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_binomial_power_is_what_scipys_test_rejects(n: int, before: float, part: float) -> None:
    after = before * part
    rejected = [k for k in range(n + 1) if n and stats.binomtest(k, n, before, alternative="less").pvalue <= 0.05]
    assert binomial_power(n, before, after) == pytest.approx(sum(stats.binom.pmf(k, n, after) for k in rejected))


def test_matched_power_is_that_of_mcnemars_test_over_every_outcome() -> None:
    n, before, after, gained = 7, 0.9, 0.4, 0.05
    lost, expected = before - after + gained, 0.0
    for outcome in product((-1, 0, 1), repeat=n):
        odds = math.prod({-1: lost, 0: 1 - lost - gained, 1: gained}[o] for o in outcome)
        down, up = outcome.count(-1), outcome.count(1)
        if down + up and stats.binomtest(down, down + up, 0.5, alternative="greater").pvalue <= 0.05:
            expected += odds
    assert matched_power(n, before, after, gained) == pytest.approx(expected)


def test_pairs_that_hold_still_make_the_matched_test_sharper() -> None:
    found = [matched_power(100, 0.88, 0.80, gained) for gained in (0.0, 0.02, 0.05, 0.1)]
    assert found == sorted(found, reverse=True)
    assert found[0] > binomial_power(100, 0.88, 0.80) > found[-1]


@pytest.mark.parametrize(("before", "after", "gained"), [(0.8, 0.9, 0.0), (1.2, 0.8, 0.0)])
def test_accuracies_that_do_not_fall_are_refused(before: float, after: float, gained: float) -> None:
    with pytest.raises(InputError, match="second smaller"):
        binomial_power(10, before, after)
    with pytest.raises(InputError, match="second smaller"):
        matched_power(10, before, after, gained)


@pytest.mark.parametrize("gained", [-0.1, 0.2, 0.9])
def test_a_share_of_gained_pairs_that_cannot_be_is_refused(gained: float) -> None:
    with pytest.raises(InputError, match="smaller share"):
        matched_power(10, 0.9, 0.5, gained)


def test_nothing_lost_is_never_noticed() -> None:
    assert matched_power(50, 0.8, 0.8) == 0


@pytest.mark.parametrize(("right", "n0", "n"), [(170, 200, 300), (80, 100, 2000), (560, 600, 200)])
def test_a_noticeable_fall_is_noticed_about_as_often_as_it_says(right: int, n0: int, n: int) -> None:
    """Exactly, by the binomial law of how many new ones are right; the formula is a normal approximation."""
    reference, bar = Tally.binary(right, n0), math.log(40)
    found = noticeable(stream(reference, [1.0] * n), bar)
    assert found is not None
    enough = [k for k in range(n + 1) if log_evidence(reference, [Tally.binary(k, n)], "fall") >= bar]
    assert stats.binom.cdf(max(enough), n, right / n0 - found) == pytest.approx(0.8, abs=0.05)


def test_what_is_noticeable_depends_on_how_many_not_on_what_they_say() -> None:
    reference = Tally.binary(80, 100)
    assert noticeable(stream(reference, [1.0] * 50), 4.0) == noticeable(stream(reference, [0.0] * 50), 4.0)


def test_more_observations_make_smaller_changes_noticeable() -> None:
    reference = Tally.binary(240, 300)
    found = [noticeable(stream(reference, [1.0] * n), 4.0) for n in (50, 200, 1000)]
    assert None not in found
    assert found == sorted(found, key=lambda x: -(x or 0))


def test_too_few_observations_show_nothing() -> None:
    assert noticeable(stream(Tally.binary(80, 100), [1.0] * 3), 4.0) is None
    assert noticeable(stream(Tally(), [1.0] * 300), 4.0) is None
    assert noticeable(stream(Tally.binary(80, 100), []), 4.0) is None


def test_a_change_either_way_is_harder_to_notice_than_one_way() -> None:
    reference = Tally.binary(50, 100)
    one, two = (noticeable(stream(reference, [1.0] * 200, d), 4.0) for d in ("fall", "change"))
    assert one is not None
    assert two is not None
    assert one < two < one + 0.1


def test_a_single_flip_is_noticeable_where_none_can_be() -> None:
    assert noticeable(stream(Tally.binary(0, 10), [0.0] * 10, "never"), 4.0) == 0


def test_values_between_are_told_from_counts() -> None:
    """Shares vary less than zeros and ones of the same mean, so smaller changes can be seen."""
    narrow = noticeable(stream(Tally.of([0.4, 0.5, 0.6] * 50), [0.5] * 150, "rise"), 4.0)
    wide = noticeable(stream(Tally.binary(75, 150), [0.5] * 150, "rise"), 4.0)
    assert narrow is not None
    assert wide is not None
    assert narrow < wide


def test_planning_is_reproducible_and_counts_what_it_says() -> None:
    setting = {"reference": 100, "each": 50, "refreshes": 4, "level": 0.02, "streams": 40}
    first = detection(0.9, 0.5, **setting, seed=5)  # type: ignore[arg-type]  # a mapping of numbers
    assert first == detection(0.9, 0.5, **setting, seed=5)  # type: ignore[arg-type]
    assert list(first.by_refresh) == sorted(first.by_refresh)
    assert first.by_refresh[-1] > 0.9


def test_without_a_change_planning_finds_next_to_nothing() -> None:
    found = detection(0.8, 0.8, reference=80, each=40, refreshes=6, level=0.1, streams=100, seed=2)
    assert found.by_refresh[-1] <= 0.1


def test_a_larger_fall_needs_fewer_votes_and_one_too_small_no_number_of_them() -> None:
    asked = [votes_needed(0.9, after, reference=200, level=0.02, most=600, streams=30) for after in (0.5, 0.7, 0.89)]
    assert asked[0] is not None
    assert asked[1] is not None
    assert asked[0] < asked[1]
    assert asked[2] is None


def test_a_rarer_flip_needs_fewer_anchors() -> None:
    rare, common = (anchors_needed(b, b + 0.3, level=0.01, streams=30) for b in (0.02, 0.3))
    assert rare is not None
    assert common is not None
    assert rare < common


def test_flip_rates_that_do_not_rise_are_refused() -> None:
    with pytest.raises(InputError, match="second larger"):
        anchors_needed(0.2, 0.1, level=0.01)


def test_the_simulation_agrees_with_one_look_in_exact_numbers() -> None:
    """With one refresh, the chance is a double sum over what approval and the refresh may have counted."""
    n0, n, before, after, bar = 40, 30, 0.9, 0.4, math.log(50)
    exact = sum(
        stats.binom.pmf(a, n0, before) * stats.binom.pmf(b, n, after)
        for a in range(25, n0 + 1)
        for b in range(n + 1)
        if log_evidence(Tally.binary(a, n0), [Tally.binary(b, n)], "fall") >= bar
    )
    found = detection(before, after, reference=n0, each=n, refreshes=1, level=0.02, streams=400, seed=1)
    assert found.by_refresh[0] == pytest.approx(exact, abs=3 * np.sqrt(exact * (1 - exact) / 400) + 0.01)
