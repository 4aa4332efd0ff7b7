"""What a label is expected to teach, against a plain numerical reckoning; and the chances it gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from agents.next_pair import (
    FLOOR,
    PRIOR_RIGHT,
    PRIOR_WRONG,
    Belief,
    belief_of,
    chances,
    draw_probability,
    label_information,
    vote_information,
)
from agents.votes import ABSTAINED, DECIDED, Votes

Floats = NDArray[np.float64]


def votes_of(*rows: str) -> Votes:
    """A row a criterion, a character a pair: `A`, `B`, or `-` for no decision."""
    signs = np.array([[{"A": 1, "B": -1, "-": 0}[c] for c in row] for row in rows], dtype=np.int8)
    names = [tuple(f"{kind}{i}" for i in range(size)) for kind, size in zip("cp", signs.shape, strict=True)]
    no = np.zeros(signs.shape, dtype=bool)
    states = np.where(signs != 0, DECIDED, ABSTAINED).astype(np.uint8)
    return Votes(names[0], names[1], signs, states, no, np.ones(signs.shape, dtype=np.float32), ~no)


def known(*accuracies: tuple[float, float]) -> Belief:
    """Beliefs, each as right and wrong answers seen."""
    return Belief(np.array([r for r, _ in accuracies]), np.array([w for _, w in accuracies]))


def entropy(share: Floats) -> Floats:
    return np.asarray((special.entr(share) + special.entr(1 - share)) / np.log(2))


def sampled_information(signs: Floats, belief: Belief) -> float:
    """H[y] - E H[y | accuracies], by drawing the accuracies a hundred thousand times."""
    drawn = np.random.default_rng(0).beta(belief.right, belief.wrong, size=(100_000, len(belief.right)))
    likely = special.expit(special.logit(drawn) @ signs)
    return float(entropy(np.array(likely.mean())) - entropy(likely).mean())


@pytest.mark.parametrize("pair", range(4))
def test_the_closed_form_is_near_the_integral_it_stands_for(pair: int) -> None:
    votes = votes_of("AAAA", "AABB", "ABAB")  # as different from each other as can be: three effective votes
    belief = known((8, 4), (6, 6), (20, 7))
    exact = sampled_information(votes.signs[:, pair].astype(float), belief)
    assert label_information(votes, belief)[pair] == pytest.approx(exact, abs=0.02)


def test_criteria_that_disagree_make_a_pair_worth_asking_about() -> None:
    together, apart = label_information(votes_of("AA", "AB"), known((30, 10), (30, 10)))
    assert apart > 2 * together


def test_criteria_of_which_little_is_known_teach_more() -> None:
    new = label_information(votes_of("A"), known((3, 2)))
    old = label_information(votes_of("A"), known((300, 200)))
    assert new[0] > 10 * old[0] > 0


def test_a_pair_that_no_criterion_decides_teaches_nothing() -> None:
    assert label_information(votes_of("A-", "B-"), known((3, 2), (3, 2)))[1] == 0


def test_sides_do_not_matter() -> None:
    belief = known((9, 4), (5, 5))
    assert label_information(votes_of("AB", "BA"), belief).tolist() == pytest.approx(
        label_information(votes_of("BA", "AB"), belief).tolist()
    )


def test_copies_of_a_criterion_do_not_count_as_further_voters() -> None:
    """Ten of them are as open a question as one."""
    one = label_information(votes_of("AB" * 10), known((6, 3)))[0]
    copies = label_information(votes_of(*["AB" * 10] * 10), known(*[(6, 3)] * 10))[0]
    assert copies == pytest.approx(one)


def test_a_belief_of_other_criteria_is_refused() -> None:
    with pytest.raises(ValueError, match="2 criteria"):
        label_information(votes_of("A"), known((1, 1), (1, 1)))
    with pytest.raises(ValueError, match="above 0"):
        known((0, 1))


def test_labels_make_a_belief_and_ties_do_not() -> None:
    belief = belief_of(votes_of("AAB-", "BBBB"), np.array([1, 0, 1, 1], dtype=np.int8))
    assert belief.right.tolist() == [PRIOR_RIGHT + 1, PRIOR_RIGHT]
    assert belief.wrong.tolist() == [PRIOR_WRONG + 1, PRIOR_WRONG + 3]
    assert belief.mean.tolist() == [4 / 7, 3 / 8]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("AB-", min_size=4, max_size=4), min_size=1, max_size=6), st.floats(0.1, 1000), st.floats(0.1, 1000)
)
def test_information_is_a_share_of_a_bit(rows: list[str], right: float, wrong: float) -> None:
    votes = votes_of(*rows)
    found = label_information(votes, known(*[(right, wrong)] * len(rows)))
    assert ((found >= 0) & (found <= 1)).all()
    assert not found[~votes.signs.any(axis=0)].any()


def sampled_vote(counts: tuple[int, int, int]) -> float:
    drawn = np.random.default_rng(0).dirichlet(np.array(counts) + 0.5, size=200_000)
    mean = drawn.mean(axis=0)
    bits = special.entr(mean).sum() - special.entr(drawn).sum(axis=1).mean()
    return float(bits / np.log(2))


@pytest.mark.parametrize("counts", [(0, 0, 0), (1, 0, 0), (2, 2, 0), (5, 0, 1)])
def test_what_a_further_vote_teaches_is_the_integral(counts: tuple[int, int, int]) -> None:
    assert vote_information(np.array([counts], dtype=float))[0] == pytest.approx(sampled_vote(counts), abs=0.01)


def test_pairs_without_votes_come_before_contested_ones_and_those_before_settled_ones() -> None:
    none, contested, settled = vote_information(np.array([[0, 0, 0], [1, 1, 0], [2, 0, 0]], dtype=float))
    assert none > contested > settled > 0


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=30))
def test_chances_add_up_and_leave_nobody_out(information: list[float]) -> None:
    found = chances(np.array(information))
    assert found.sum() == pytest.approx(1)
    assert found.min() >= FLOOR / len(information) * 0.999


def test_more_information_is_drawn_more_often_and_the_unknown_like_the_mean() -> None:
    low, high, unknown = chances(np.array([0.1, 0.3, np.nan]))
    assert low < unknown < high
    assert chances(np.array([0.1, 0.3]), power=0).tolist() == pytest.approx([0.5, 0.5])
    assert chances(np.zeros(4)).tolist() == pytest.approx([0.25] * 4)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 60), st.floats(0, 1), st.integers(0, 2**32))
def test_chances_of_being_drawn_add_up_over_all_windows(
    window: int, fresh: int, taken: int, share: float, seed: int
) -> None:
    """Every fresh pair by every window that holds it: the mean over windows is what the probability stands for."""
    window = min(window, fresh)
    score = np.random.default_rng(seed).random(fresh) + 0.01
    total = 0.0
    for start in range(fresh):
        inside = np.arange(start, start + window) % fresh
        chance = chances(score[inside])
        total += sum(draw_probability(float(c), window, fresh, fresh + taken, share) for c in chance) / window
    assert total / fresh == pytest.approx(1 / fresh)


def test_where_all_is_random_every_pair_has_the_same_chance() -> None:
    assert draw_probability(0.9, 10, 50, 50, 1.0) == pytest.approx(1 / 50)


def test_once_the_order_is_gone_through_information_alone_decides() -> None:
    assert draw_probability(0.25, 10, 10, 0, 0.2) == 0.25


def test_houlsby_equation_three_is_what_is_computed() -> None:
    """Against the paper's own probit form at one point."""
    belief = known((7, 3))
    slope = np.sqrt(np.pi / 8)
    mean = slope * (special.digamma(7) - special.digamma(3))
    variance = np.pi / 8 * (special.polygamma(1, 7) + special.polygamma(1, 3))
    width = np.sqrt(np.pi * np.log(2) / 2)
    expected = entropy(stats.norm.cdf(mean / np.sqrt(variance + 1))) - width / np.sqrt(variance + width**2) * np.exp(
        -(mean**2) / (2 * (variance + width**2))
    )
    assert label_information(votes_of("A"), belief)[0] == pytest.approx(float(expected))
