"""Evidence of drift is what it claims to be: checked by writing down every outcome of small cases, not by examples."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agents.drift import onset
from agents.drift.betting import (
    PROOF,
    SHIFT_WEIGHTS,
    SLACK,
    STAKES,
    STEP_WEIGHTS,
    Direction,
    _bettors,
    confidence_sequence,
    log_evidence,
)
from agents.drift.tally import Tally

directions = st.sampled_from(["rise", "fall", "change"])
counts = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda t: (min(t), max(t)))
blocks_of_counts = st.lists(counts, max_size=4)


@lru_cache(maxsize=100_000)
def e_value(reference: tuple[int, int], blocks: tuple[tuple[int, int], ...], direction: Direction) -> float:
    return math.exp(log_evidence(Tally.binary(*reference), [Tally.binary(*b) for b in blocks], direction))


def chance(hits: int, n: int, p: float) -> float:
    return float(stats.binom.pmf(hits, n, p))


def best_stopping(n: int, sizes: tuple[int, ...], before: float, now: float, direction: Direction) -> float:
    """Expected e-value under the best rule for stopping that sees everything (the Snell envelope)."""

    def onward(hits: int, seen: tuple[tuple[int, int], ...]) -> float:
        here = e_value((hits, n), seen, direction)
        if len(seen) == len(sizes):
            return here
        size = sizes[len(seen)]
        return max(here, sum(chance(k, size, now) * onward(hits, (*seen, (k, size))) for k in range(size + 1)))

    return sum(chance(hits, n, before) * onward(hits, ()) for hits in range(n + 1))


@pytest.mark.parametrize("direction", ["rise", "fall", "change"])
@pytest.mark.parametrize("p", [0.02, 0.2, 0.5, 0.9])
@pytest.mark.parametrize(("n", "sizes"), [(6, (4, 3, 2)), (12, (1, 6)), (2, (5, 5)), (30, (8,))])
def test_no_rule_for_stopping_gains_on_average_without_drift(
    n: int, sizes: tuple[int, ...], p: float, direction: Direction
) -> None:
    assert best_stopping(n, sizes, p, p, direction) <= 1


@pytest.mark.parametrize(("before", "now", "direction"), [(0.5, 0.3, "rise"), (0.9, 0.4, "rise"), (0.3, 0.5, "fall")])
def test_what_moved_the_other_way_is_no_evidence_either(before: float, now: float, direction: Direction) -> None:
    assert best_stopping(8, (4, 4), before, now, direction) <= 1


@pytest.mark.parametrize(("before", "now", "direction"), [(0.1, 0.9, "rise"), (0.9, 0.1, "fall"), (0.1, 0.9, "change")])
def test_a_change_is_found(before: float, now: float, direction: Direction) -> None:
    assert best_stopping(12, (8, 8), before, now, direction) > 100


@given(
    means=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0]), min_size=2, max_size=4),
    direction=st.sampled_from(["rise", "fall", "change"]),
)
@settings(deadline=None, max_examples=30)
def test_a_panel_whose_members_differ_may_be_judged_again_and_again(means: list[float], direction: Direction) -> None:
    """Every answer of a reference pass and two more over the same panel, exactly."""

    def passes() -> list[tuple[int, float]]:
        found = []
        for answers in product((0, 1), repeat=len(means)):
            odds = math.prod(m if a else 1 - m for a, m in zip(answers, means, strict=True))
            found.append((sum(answers), odds))
        return found

    n, expected = len(means), 0.0
    for (a, p), (b, q), (c, r) in product(passes(), repeat=3):
        if p * q * r:
            expected += p * q * r * e_value((a, n), ((b, n), (c, n)), direction)
    assert expected <= 1


@given(means=st.lists(st.sampled_from([0.0, 0.2, 0.9]), min_size=3, max_size=4), size=st.integers(1, 3))
@settings(deadline=None, max_examples=20)
def test_a_random_part_of_a_panel_may_stand_for_it(means: list[float], size: int) -> None:
    n, expected = len(means), 0.0
    parts = list(combinations(range(n), size))
    for reference in product((0, 1), repeat=n):
        p = math.prod(m if a else 1 - m for a, m in zip(reference, means, strict=True))
        for part, answers in product(parts, product((0, 1), repeat=size)):
            q = math.prod(means[i] if a else 1 - means[i] for i, a in zip(part, answers, strict=True)) / len(parts)
            expected += p * q * e_value((sum(reference), n), ((sum(answers), size),), "rise") if p * q else 0
    assert expected <= 1


@pytest.mark.parametrize("law", [{0.0: 0.5, 0.5: 0.3, 1.0: 0.2}, {0.25: 0.9, 0.75: 0.1}])
def test_values_between_zero_and_one_are_as_good_as_counts(law: dict[float, float]) -> None:
    expected = 0.0
    for draws in product(law, repeat=7):
        odds = math.prod(law[d] for d in draws)
        blocks = [Tally.of(draws[4:6]), Tally.of(draws[6:])]
        expected += odds * math.exp(log_evidence(Tally.of(draws[:4]), blocks, "rise"))
    assert expected <= 1


@given(reference=counts, blocks=blocks_of_counts, mu=st.floats(0.01, 0.99), up=st.booleans())
@settings(deadline=None)
def test_the_capital_at_any_mean_is_a_martingale_from_refresh_to_refresh(
    reference: tuple[int, int], blocks: list[tuple[int, int]], mu: float, up: bool
) -> None:
    def capital(hits: list[tuple[int, int]]) -> float:
        seen = [Tally.binary(*b) for b in hits]
        return math.exp(_bettors(Tally.binary(*reference), seen, len(seen), up).at(mu)[0])

    p = mu if up else 1 - mu
    after = sum(chance(k, 3, p) * capital([*blocks, (k, 3)]) for k in range(4))
    assert after == pytest.approx(capital(blocks), rel=1e-9)


@given(n=st.integers(0, 20), mu=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_the_bets_on_the_reference_cost_their_expectation(n: int, mu: float) -> None:
    placed = [math.exp(_bettors(Tally.binary(k, n), (), 0, True).at(mu)[0]) for k in range(n + 1)]
    assert sum(chance(k, n, mu) * e for k, e in enumerate(placed)) == pytest.approx(1)


@given(reference=counts, blocks=blocks_of_counts, up=st.booleans())
@settings(deadline=None)
def test_what_is_reported_lies_just_below_the_least_capital(
    reference: tuple[int, int], blocks: list[tuple[int, int]], up: bool
) -> None:
    seen = [Tally.binary(*b) for b in blocks]
    bettors = _bettors(Tally.binary(*reference), seen, len(seen), up)
    found = log_evidence(Tally.binary(*reference), seen, "rise" if up else "fall")
    searched = min(bettors.at(mu)[0] for mu in np.linspace(0, 1, 501).tolist())
    assert searched - SLACK - 0.02 <= found <= searched + 1e-9


@given(reference=counts, blocks=blocks_of_counts, mu=st.floats(0.01, 0.98))
@settings(deadline=None)
def test_the_slope_of_the_capital_is_its_slope(
    reference: tuple[int, int], blocks: list[tuple[int, int]], mu: float
) -> None:
    seen = [Tally.binary(*b) for b in blocks]
    bettors, step = _bettors(Tally.binary(*reference), seen, len(seen), True), 1e-6
    measured = (bettors.at(mu + step)[0] - bettors.at(mu - step)[0]) / (2 * step)
    assert bettors.at(mu)[1] == pytest.approx(measured, rel=1e-4, abs=1e-4)


@given(reference=counts, blocks=blocks_of_counts)
@settings(deadline=None)
def test_a_fall_is_a_rise_of_what_is_lacking(reference: tuple[int, int], blocks: list[tuple[int, int]]) -> None:
    mirrored = [Tally.binary(n - k, n) for k, n in blocks]
    fall = log_evidence(Tally.binary(*reference), [Tally.binary(*b) for b in blocks], "fall")
    rise = log_evidence(Tally.binary(reference[1] - reference[0], reference[1]), mirrored, "rise")
    assert fall == pytest.approx(rise, abs=1e-9)


@given(reference=counts, blocks=blocks_of_counts)
@settings(deadline=None)
def test_a_change_is_the_average_of_a_rise_and_a_fall(
    reference: tuple[int, int], blocks: list[tuple[int, int]]
) -> None:
    rise, fall, change = (e_value(reference, tuple(blocks), d) for d in ("rise", "fall", "change"))
    assert change == pytest.approx((rise + fall) / 2)


def test_nothing_new_is_evidence_of_nothing() -> None:
    for reference in (Tally(), Tally.binary(3, 10), Tally.binary(500, 600)):
        assert log_evidence(reference, (), "rise") <= 0
        assert log_evidence(reference, (Tally(),), "change") <= 0


def test_without_a_reference_nothing_can_have_moved() -> None:
    assert log_evidence(Tally(), [Tally.binary(200, 200)], "rise") <= 0


def test_more_of_the_same_drift_is_more_evidence() -> None:
    reference = Tally.binary(30, 200)
    found = [log_evidence(reference, [Tally.binary(35 * k, 100 * k)], "rise") for k in (1, 2, 4)]
    assert found == sorted(found)
    assert found[0] > 2


def test_a_larger_reference_makes_the_same_drift_plainer() -> None:
    found = [log_evidence(Tally.binary(3 * k, 20 * k), [Tally.binary(30, 100)], "rise") for k in (1, 3, 10, 100)]
    assert found == sorted(found)


def test_quiet_refreshes_before_a_change_help_instead_of_diluting_it() -> None:
    reference, quiet, moved = Tally.binary(30, 200), Tally.binary(6, 40), Tally.binary(16, 40)
    at_once = log_evidence(reference, [moved] * 3, "rise")
    later = log_evidence(reference, [*[quiet] * 8, *[moved] * 3], "rise")
    pooled = log_evidence(reference, [Tally.binary(6 * 8 + 16 * 3, 40 * 11)], "rise")
    assert later > at_once - 1
    assert later > pooled + 2


def test_what_is_impossible_unless_something_changed_is_proof() -> None:
    assert log_evidence(Tally.binary(0, 10), [Tally.binary(0, 500)], "never") == 0
    assert log_evidence(Tally.binary(0, 10), [Tally.binary(0, 500), Tally.binary(1, 500)], "never") == PROOF


def test_blocks_must_fit_the_batches() -> None:
    with pytest.raises(ValueError, match="onset"):
        log_evidence(Tally.binary(1, 2), [Tally.binary(1, 2)] * 33, "rise")
    assert len(onset.starts(34)) == 33
    log_evidence(Tally.binary(1, 2), [Tally.binary(1, 2)] * 33, "rise", 34)


def test_the_weights_are_shares() -> None:
    assert SHIFT_WEIGHTS.sum() == pytest.approx(1)
    assert STEP_WEIGHTS.sum() == pytest.approx(1)
    assert (STAKES > 0).all()


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_false_alarms_over_a_whole_stream_stay_below_the_level(p: float) -> None:
    rng, raised = np.random.default_rng(7), 0
    for _ in range(120):
        reference = Tally.binary(int(rng.binomial(40, p)), 40)
        blocks = [Tally.binary(int(k), 20) for k in rng.binomial(20, p, 8)]
        raised += any(log_evidence(reference, blocks[:t], "change") >= math.log(5) for t in range(1, 9))
    assert raised <= 24


@given(counts.filter(lambda c: c[1] > 0))
def test_a_confidence_sequence_holds_the_mean_it_is_of(count: tuple[int, int]) -> None:
    found = confidence_sequence(Tally.binary(*count))
    assert 0 <= found.low <= count[0] / count[1] <= found.high <= 1


def test_a_confidence_sequence_of_nothing_says_nothing() -> None:
    assert (confidence_sequence(Tally()).low, confidence_sequence(Tally()).high) == (0, 1)


def test_a_confidence_sequence_narrows_and_is_wider_than_an_interval_for_one_look() -> None:
    widths = [(i := confidence_sequence(Tally.binary(8 * k, 10 * k))).high - i.low for k in (1, 10, 100)]
    assert widths == sorted(widths, reverse=True)
    once = stats.binomtest(800, 1000).proportion_ci(0.95)
    assert once.high - once.low < widths[-1] < 3 * (once.high - once.low)


def test_a_confidence_sequence_misses_at_some_moment_no_more_often_than_it_says() -> None:
    rng, missed = np.random.default_rng(3), 0
    for _ in range(100):
        draws, seen, out = rng.random(120) < 0.3, Tally(), False
        for start in range(0, 120, 10):
            seen = seen.plus(draws[start : start + 10].astype(float).tolist())
            found = confidence_sequence(seen, 0.8)
            out |= not found.low <= 0.3 <= found.high
        missed += out
    assert missed <= 20
