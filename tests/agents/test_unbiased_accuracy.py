"""Picked pairs mislead the plain share, and neither of the other estimates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.next_pair import chances
from agents.statistics import wilson
from agents.unbiased_accuracy import Answered, Draws, Estimate, draw_weights, from_sample, naive, weighted
from benchmarks.bench_next_pair import Asked, Way, ask, found, made_world

Floats = NDArray[np.float64]
WORLDS = 60
WEIGHED: tuple[Way, ...] = ("random", "weighted")


def drawn(count: int, since: int = 0) -> Answered:
    """Pairs answered in the order of the draws."""
    numbers = np.arange(count, dtype=np.int64)
    return Answered(numbers, np.full(count, since), np.zeros(count, dtype=np.int64))


def uniform_draws(count: int, population: int) -> Draws:
    left = population - np.arange(count, dtype=float)
    return Draws(1 / left, left)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(0, 20))
def test_uniform_draws_weigh_the_same(count: int, more: int) -> None:
    weights = draw_weights(uniform_draws(count, count + more), drawn(count))
    assert weights.tolist() == pytest.approx([(count + more) / count] * count)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 15), st.integers(0, 2**32))
def test_once_all_are_drawn_each_stands_for_itself(population: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    left = population - np.arange(population, dtype=float)
    likely = np.append(chance.uniform(0.05, 1, population - 1), 1.0)
    assert draw_weights(Draws(likely, left), drawn(population)).tolist() == pytest.approx([1] * population, abs=1e-5)


def test_weights_are_those_of_the_paper() -> None:
    """Farquhar, Gal and Rainforth 2021, equation 6: v_m = 1 + (N - M) / (N - m) (1 / ((N - m + 1) q_m) - 1)."""
    population, likely = 9, np.array([0.3, 0.05, 0.2, 0.4])
    left = population - np.arange(4, dtype=float)
    m = np.arange(1, 5)
    v = 1 + (population - 4) / (population - m) * (1 / ((population - m + 1) * likely) - 1)
    found = draw_weights(Draws(likely, left), drawn(4))
    assert found.tolist() == pytest.approx((v * population / 4).tolist())


def exhaustive(score: Floats, count: int, value: Floats, use: Callable[[list[int], Draws], float]) -> float:
    """The expectation of `use` over all ways of drawing `count` pairs, each with its probability."""

    def go(taken: list[int], likely: list[float], weight: float) -> float:
        if len(taken) == count:
            left = len(score) - np.arange(count, dtype=float)
            return weight * use(taken, Draws(np.array(likely), left))
        rest = [i for i in range(len(score)) if i not in taken]
        # Later chances depend on what was seen before, as they do where a belief is formed on the way.
        told = chances(score[rest] * (1 + value[taken].sum()) + value[taken].sum())
        return sum(go([*taken, i], [*likely, q], weight * q) for i, q in zip(rest, told.tolist(), strict=True))

    return go([], [], 1.0)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 1), st.sampled_from([0.0, 1.0])), min_size=2, max_size=6), st.data())
def test_totals_are_unbiased_over_all_ways_of_drawing(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    score, value = (np.array(column) for column in zip(*pairs, strict=True))
    count = data.draw(st.integers(1, min(4, len(pairs))))

    def total(taken: list[int], draws: Draws) -> float:
        return float(draw_weights(draws, drawn(count)) @ value[taken])

    assert exhaustive(score, count, value, total) == pytest.approx(value.sum(), rel=1e-6, abs=1e-6)


def grown_total(score: Floats, value: Floats, late: int, chance: np.random.Generator) -> float:
    """Two draws, then the last `late` pairs come in and the first undrawn one is answered undrawn; two draws more."""
    size = len(score)
    there, taken = list(range(size - late)), list[int]()
    likely, left, since, known = [], [], np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    told: list[int] = []
    for number in range(4):
        if number == 2:
            told = [i for i in there if i not in taken][:1]
            there = [*[i for i in there if i not in told], *range(size - late, size)]
            since[size - late :], known[told] = 2, 2
        rest = [i for i in there if i not in taken]
        q = chances(score[rest])
        at = int(chance.choice(len(rest), p=q))
        taken.append(rest[at])
        likely.append(float(q[at]))
        left.append(float(len(rest)))
    pairs = np.array([*taken, *told])
    number_of = np.array([*range(4), *[-1] * len(told)], dtype=np.int64)
    answered = Answered(number_of, since[pairs], known[pairs])
    return float(draw_weights(Draws(np.array(likely), np.array(left)), answered) @ value[pairs])


def test_totals_stay_unbiased_as_pairs_come_and_are_answered_elsewhere() -> None:
    chance = np.random.default_rng(1)
    score, value = np.array([0.9, 0.1, 0.5, 0.3, 0.8, 0.2, 0.6, 0.4]), np.array([1.0, 0, 1, 1, 1, 0, 0, 1])
    totals = np.array([grown_total(score, value, 3, chance) for _ in range(4_000)])
    assert totals.mean() == pytest.approx(value.sum(), abs=4 * totals.std() / np.sqrt(len(totals)))
    assert totals.std() > 0.5


def test_pairs_answered_without_any_draw_stand_for_themselves() -> None:
    none = Draws(np.empty(0), np.empty(0))
    answered = Answered(np.array([-1, -1]), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64))
    assert draw_weights(none, answered).tolist() == [1, 1]
    assert weighted(np.array([1.0, 0.0]), np.ones(2), none, answered).accuracy == 0.5


def test_nothing_answered_is_no_accuracy() -> None:
    empty, none = np.empty(0), Answered(*[np.empty(0, dtype=np.int64)] * 3)
    for estimate in (
        weighted(empty, empty, Draws(empty, empty), none), naive(empty, empty), from_sample(empty, empty, 0, 10),
    ):  # fmt: skip
        assert np.isnan(estimate.accuracy)
        assert (estimate.low, estimate.high, estimate.decided) == (0, 1, 0)


@pytest.mark.parametrize(("chance", "left"), [([0.0], [1.0]), ([1.5], [1.0]), ([0.5], [0.0]), ([0.5, 0.5], [1.0])])
def test_impossible_draws_are_refused(chance: list[float], left: list[float]) -> None:
    with pytest.raises(ValueError, match=r"chance"):
        Draws(np.array(chance), np.array(left))


def test_a_random_sample_has_the_interval_of_a_finite_population() -> None:
    right, decided = np.array([1.0] * 30 + [0.0] * 10), np.ones(40)
    few = from_sample(right, decided, 40, 100_000)
    assert (few.low, few.high) == pytest.approx((wilson(30, 40).low, wilson(30, 40).high), abs=1e-3)
    many = from_sample(right, decided, 40, 50)
    assert few.high - few.low > 2 * (many.high - many.low) > 0
    whole = from_sample(right, decided, 40, 40)
    assert whole.low == whole.high == whole.accuracy == 0.75


def test_pairs_of_the_sample_without_an_answer_keep_the_interval_open() -> None:
    assert from_sample(np.ones(5), np.ones(5), 10, 10).low < 1


@pytest.fixture(scope="module")
def simulated() -> list[Asked]:
    """A criterion's pairs, picked by information in many worlds."""
    return [ask(made_world(seed, pairs=300), "information", 90, seed) for seed in range(WORLDS)]


def errors(simulated: list[Asked], way: Way) -> Floats:
    """The estimates' errors for all criteria, a row a world."""
    return np.array(
        [
            [told[way].accuracy - true for told, true in zip(asked.estimates(), asked.world.accuracy, strict=True)]
            for asked in simulated
        ]
    )


def test_the_plain_share_of_picked_pairs_is_biased_and_the_others_are_not(simulated: list[Asked]) -> None:
    def mean_and_error(way: Way) -> tuple[float, float]:
        by_world = np.nanmean(errors(simulated, way), axis=1)
        return float(by_world.mean()), float(by_world.std() / np.sqrt(WORLDS))

    plain, plain_error = mean_and_error("naive")
    assert plain < -4 * plain_error
    for way in WEIGHED:
        mean, error = mean_and_error(way)
        assert abs(mean) < 3 * error
        assert abs(mean) < abs(plain) / 2


def test_weighing_back_uses_the_votes_that_a_random_sample_leaves_out(simulated: list[Asked]) -> None:
    spread = {way: float(np.nanmean(np.square(errors(simulated, way)))) for way in WEIGHED}
    assert spread["weighted"] < spread["random"] / 2


@pytest.mark.parametrize("way", WEIGHED)
def test_intervals_hold_the_truth_about_as_often_as_they_say(simulated: list[Asked], way: Way) -> None:
    held = [
        _holds(told[way], true)
        for asked in simulated
        for told, true in zip(asked.estimates(), asked.world.accuracy, strict=True)
    ]
    assert 0.90 <= np.mean(held) <= 0.99


def test_asking_for_information_ranks_criteria_no_worse_than_asking_at_random() -> None:
    """The means over worlds; docs/annotation.md has the table."""
    worlds = [made_world(seed) for seed in range(40)]
    order = {
        picking: np.mean([found(ask(w, picking, 60, seed)).order for seed, w in enumerate(worlds)])
        for picking in ("random", "information")
    }
    assert order["information"] > order["random"] - 0.01


def _holds(estimate: Estimate, true: float) -> bool:
    return estimate.low <= true <= estimate.high
