"""Vote weights stand at the prior where labels are few, and follow the evidence where they are many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import approx_fprime

from agents.stacking import stack

Floats = NDArray[np.float64]
seeds = st.integers(0, 10_000)


def world(seed: int, pairs: int, weights: list[float]) -> tuple[Floats, Floats]:
    """Random votes, and people who prefer as a logistic model with these weights says."""
    rng = np.random.default_rng(seed)
    votes = rng.choice([-1.0, 0.0, 1.0], size=(pairs, len(weights)))
    chance = 1 / (1 + np.exp(-votes @ np.array(weights)))
    return votes, np.where(rng.random(pairs) < chance, 1.0, -1.0)


def stacked(votes: Floats, truth: Floats, centre: list[float], spread: float, weights: Floats | None = None) -> Floats:
    return stack(votes, truth, np.ones(len(truth)) if weights is None else weights, np.array(centre), spread)


@given(seeds)
@settings(max_examples=20)
def test_weights_stand_at_the_centre_as_the_spread_goes_to_0(seed: int) -> None:
    votes, truth = world(seed, 30, [1.0, -1.0, 0.0])
    assert stacked(votes, truth, [0.3, 0.2, 0.1], 1e-6) == pytest.approx([0.3, 0.2, 0.1], abs=1e-6)


def test_many_labels_recover_strong_weights_from_a_centre_of_0() -> None:
    votes, truth = world(1, 6000, [2.0, 0.0, -1.0, 0.5])
    assert stacked(votes, truth, [0.0] * 4, 3.0) == pytest.approx([2.0, 0.0, -1.0, 0.5], abs=0.15)


def test_the_more_labels_the_further_from_the_centre() -> None:
    found = [stacked(*world(3, n, [1.5]), [0.0], 0.2)[0] for n in (10, 100, 1000)]
    assert found == sorted(found)
    assert found[0] < 0.5 < found[2]


@given(seeds, st.floats(0.05, 2.0))
@settings(max_examples=20)
def test_the_weights_are_a_stationary_point_of_the_penalised_likelihood(seed: int, spread: float) -> None:
    votes, truth = world(seed, 25, [1.0, 0.0])
    centre, counts = np.array([0.2, 0.1]), np.linspace(0.5, 2.0, 25)

    def loss(b: Floats) -> float:
        fit = counts @ np.logaddexp(0.0, -(votes * truth[:, None]) @ b)
        return float(fit + ((b - centre) ** 2).sum() / (2 * spread**2))

    found = stack(votes, truth, counts, centre, spread)
    assert np.abs(approx_fprime(found, loss)).max() < 1e-3


@given(seeds)
@settings(max_examples=20)
def test_swapping_the_texts_changes_no_weight(seed: int) -> None:
    votes, truth = world(seed, 30, [1.0, 0.5, 0.0])
    centre = [0.1, 0.2, 0.3]
    assert stacked(votes, truth, centre, 0.3).tobytes() == stacked(-votes, -truth, centre, 0.3).tobytes()


@given(seeds)
@settings(max_examples=20)
def test_the_same_votes_give_the_same_bytes(seed: int) -> None:
    votes, truth = world(seed, 30, [1.0, 0.5])
    assert (
        stacked(votes, truth, [0.1, 0.1], 0.3).tobytes()
        == stacked(votes.copy(), truth.copy(), [0.1, 0.1], 0.3).tobytes()
    )


def test_a_pair_of_weight_2_counts_as_two_pairs() -> None:
    votes, truth = world(5, 12, [1.0, 0.0])
    doubled = stacked(np.repeat(votes, 2, axis=0), np.repeat(truth, 2), [0.0, 0.0], 0.5)
    assert stacked(votes, truth, [0.0, 0.0], 0.5, np.full(12, 2.0)) == pytest.approx(doubled, abs=1e-6)


def test_a_pair_of_weight_0_does_not_count() -> None:
    votes, truth = world(5, 12, [1.0, 0.0])
    counts = np.r_[np.ones(8), np.zeros(4)]
    assert stacked(votes, truth, [0.0, 0.0], 0.5, counts) == pytest.approx(
        stacked(votes[:8], truth[:8], [0.0, 0.0], 0.5), abs=1e-6
    )


def test_a_criterion_that_always_decides_against_people_gets_a_negative_weight() -> None:
    assert stacked(-np.ones((40, 1)), np.ones(40), [0.1], 0.5)[0] < 0


def test_copies_of_a_criterion_share_its_weight() -> None:
    votes, truth = world(7, 200, [1.0])
    alone, shared = stacked(votes, truth, [0.0], 1.0), stacked(np.repeat(votes, 2, axis=1), truth, [0.0, 0.0], 1.0)
    assert shared[0] == pytest.approx(shared[1], abs=1e-6)
    assert alone[0] / 2 <= shared[0] < alone[0]


def test_perfect_separation_gives_a_finite_weight() -> None:
    assert 0 < stacked(np.ones((30, 1)), np.ones(30), [0.0], 2.0)[0] < 20


def test_no_pairs_leave_the_centre() -> None:
    assert stacked(np.zeros((0, 2)), np.zeros(0), [0.4, -0.1], 0.3) == pytest.approx([0.4, -0.1])


def test_no_criteria_give_no_weights() -> None:
    assert len(stacked(np.zeros((5, 0)), np.ones(5), [], 0.3)) == 0
