"""Exact stopping never changes an outcome; likely stopping changes it no more often than it says."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import criterion
from pydantic import ValidationError
from scipy.special import expit, logit

from agents.assessment import Assessment, assess
from agents.ballot import Ballot
from agents.criteria_set import Member
from agents.early_stop import (
    TEMPER,
    TOGETHER,
    Left,
    StopRule,
    certain,
    left_of,
    likely,
    majority_certain,
    outcome,
    outcome_certain,
    outcome_likely,
    total_of,
    turn_probability,
)
from agents.statistics import Beta, wilson
from agents.votes import tally

SIGNS = (-1, 0, 1)
# Multiples of 1/20 add up to no sum that rounding could take for another.
tame = st.integers(-40, 40).map(lambda n: n / 20)
wild = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1e-12, -1e-9, 3e-10, 0.1, 0.2, 0.3])
ballots = st.lists(st.tuples(wild, st.sampled_from(SIGNS)), min_size=1, max_size=12)


def plain(weights: Sequence[float]) -> tuple[Left, ...]:
    return tuple(Left(abs(w)) for w in weights)


def vote(rule: StopRule, left: Sequence[Left], moves: Sequence[float]) -> tuple[int, int]:
    """Ask as the rule says; outcome, and how many were asked. `moves` are weights times votes."""
    met = 0
    while not rule.settled(math.fsum(moves[:met]), left[met:]):
        size = rule.next_block(math.fsum(moves[:met]), left[met:])
        assert 1 <= size <= len(left) - met
        met += size
    return outcome(math.fsum(moves[:met])), met


def completions(total: float, weights: Sequence[float]) -> set[int]:
    """Every outcome that votes of these weights could still give."""
    grids = itertools.product(SIGNS, repeat=len(weights))
    return {outcome(math.fsum([total, *(s * w for s, w in zip(signs, weights, strict=True))])) for signs in grids}


@given(ballots, st.integers(1, 5))
def test_exact_stopping_never_changes_the_outcome(votes: list[tuple[float, int]], block: int) -> None:
    moves = [weight * sign for weight, sign in votes]
    stopped, _ = vote(StopRule(block=block), plain([w for w, _ in votes]), moves)
    assert stopped == outcome(math.fsum(moves))


@given(ballots)
def test_whatever_comes_after_the_outcome_is_certain_does_not_change_it(votes: list[tuple[float, int]]) -> None:
    hashes = [f"c{i}" for i in range(len(votes))]
    ballot = Ballot(weights={c: w for c, (w, _) in zip(hashes, votes, strict=True)}, method="by hand")
    signs = {c: sign for c, (_, sign) in zip(hashes, votes, strict=True)}
    final = outcome(total_of(ballot, signs))
    for met in range(len(votes) + 1):
        first = {c: signs[c] for c in hashes[:met]}
        if outcome_certain(ballot, first, hashes[met:]):
            assert outcome(total_of(ballot, first)) == final


@given(tame, st.lists(tame.map(abs), max_size=5))
def test_an_outcome_is_certain_exactly_if_every_completion_gives_it(total: float, weights: list[float]) -> None:
    assert certain(total, weights) == (len(completions(total, weights)) == 1)


@given(st.lists(st.sampled_from(SIGNS), max_size=6), st.integers(0, 5))
def test_a_majority_is_certain_exactly_if_every_completion_gives_it(signs: list[int], left: int) -> None:
    found = majority_certain({f"c{i}": s for i, s in enumerate(signs)}, [f"d{i}" for i in range(left)])
    assert found == (len(completions(float(sum(signs)), [1.0] * left)) == 1)


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (1.0, [0.6, 0.3], True),
        (1.0, [0.6, 0.4], False),  # a tie is another outcome
        (0.0, [], True),
        (0.0, [0.0, 0.0], True),  # a tie, and nothing left has weight
        (0.0, [0.1], False),
        (-2.0, [1.0, 0.5], True),
        (0.1 + 0.2 - 0.3, [0.0], True),
    ],
)
def test_certainty_by_example(total: float, weights: list[float], expected: bool) -> None:
    assert certain(total, weights) is expected


def test_criteria_that_a_ballot_does_not_weigh_cannot_keep_an_outcome_open() -> None:
    ballot = Ballot(weights={"c": 0.5}, method="by hand")
    assert outcome_certain(ballot, {"c": 0}, ["unknown"])
    assert outcome_certain(ballot, {"c": 1}, ["unknown"])


def test_a_sum_that_is_only_rounding_is_a_tie() -> None:
    assert 0.1 + 0.2 - 0.3 != 0
    assert outcome(0.1 + 0.2 - 0.3) == 0
    assert (outcome(1e-8), outcome(-1e-8)) == (1, -1)


@given(ballots, st.randoms(use_true_random=False))
def test_a_total_is_the_same_in_whichever_order_votes_came(votes: list[tuple[float, int]], rng: random.Random) -> None:
    ballot = Ballot(weights={f"c{i}": w for i, (w, _) in enumerate(votes)}, method="by hand")
    signs = [(f"c{i}", sign) for i, (_, sign) in enumerate(votes)]
    before = total_of(ballot, dict(signs))
    rng.shuffle(signs)
    assert total_of(ballot, dict(signs)) == before


@given(tame, st.lists(tame.map(abs), min_size=1, max_size=7))
def test_a_block_is_the_fewest_that_could_settle_it(total: float, weights: list[float]) -> None:
    rule, left = StopRule(), plain(weights)
    if rule.settled(total, left):
        return
    size, side = rule.next_block(total, left), -1 if total < 0 else 1
    for fewer in range(1, size):
        agreed = math.fsum([total, *(side * w for w in weights[:fewer])])
        assert not certain(agreed, weights[fewer:])
    assert size == len(weights) or certain(math.fsum([total, *(side * w for w in weights[:size])]), weights[size:])


def test_a_block_is_at_least_as_large_as_asked_for_and_no_larger_than_what_is_left() -> None:
    left = plain([1.0, 0.1, 0.1, 0.1])
    assert StopRule().next_block(0.0, left) == 1
    assert StopRule(block=3).next_block(0.0, left) == 3
    assert StopRule(block=9).next_block(0.0, left) == 4


def test_the_rule_none_asks_everything_at_once() -> None:
    left = plain([1.0, 0.1, 0.0])
    rule = StopRule(kind="none")
    assert rule.next_block(0.0, left) == 3
    assert not rule.settled(1.0, left[1:])
    assert rule.settled(1.0, ())


def test_equal_votes_are_asked_until_one_side_has_more_than_half() -> None:
    left = plain([1.0] * 9)
    assert vote(StopRule(), left, [1.0] * 9) == (1, 5)
    assert vote(StopRule(), left, [1, 1, 1, 1, -1, 1, 1, 1, 1]) == (1, 6)
    assert vote(StopRule(), left, [1, -1, 1, -1, 1, -1, 1, -1, 1]) == (1, 9)


def model(total: float, left: Sequence[Left]) -> float:
    """The likely rule's model by enumeration: no rounding to steps, and every criterion in its three states."""
    lead, believed = abs(total), float(expit(abs(total) * TEMPER))
    together = sum(c.weight for c in left) >= lead

    def given_truth(agrees: bool) -> float:
        against = [c.coverage * (1 - c.low if agrees else c.high) for c in left]
        turned = 0.0
        for states in itertools.product((-1, 0, 1), repeat=len(left)):
            chances = [
                a if s < 0 else 1 - c.coverage if s == 0 else c.coverage - a
                for s, c, a in zip(states, left, against, strict=True)
            ]
            net = lead + sum(s * c.weight for s, c in zip(states, left, strict=True))
            turned += math.prod(chances) * (net <= 1e-12)
        return (1 - TOGETHER) * turned + TOGETHER * (max(against) if together else 0.0)

    return believed * given_truth(True) + (1 - believed) * given_truth(False)


shares = st.floats(0, 1)
weights_left = st.integers(1, 30).map(lambda n: n / 10)
rests = st.lists(
    st.builds(lambda w, c, ends: Left(w, c, min(ends), max(ends)), weights_left, shares, st.tuples(shares, shares)),
    min_size=1, max_size=5,
)  # fmt: skip


@given(st.integers(1, 60).map(lambda n: n / 10), rests)
def test_the_probability_of_a_turn_is_that_of_the_model_or_a_little_more(total: float, rest: list[Left]) -> None:
    exact, found = model(total, rest), turn_probability(total, rest)
    if certain(total, [c.weight for c in rest]):
        assert found == 0.0
    else:
        # Rounding to steps may take a lead for one that just fails: it counts the atoms within a step of the lead.
        near = model(total - 2 * len(rest) * sum(c.weight for c in rest) / 500, rest) if total > 1 else 1.0
        assert exact - 1e-9 <= found <= max(exact, near) + 1e-6
    assert found == pytest.approx(turn_probability(-total, rest))


def test_a_tie_is_turned_by_any_vote() -> None:
    assert turn_probability(0.0, [Left(0.1, 0.01)]) == 1.0
    assert turn_probability(0.0, [Left(0.0)]) == 0.0
    assert not likely(0.0, [Left(0.1)], 0.99)


def test_a_turn_is_likelier_the_less_is_known_of_the_criteria_and_the_more_they_decide() -> None:
    known, poor = ([Left(0.5, 0.8, *ends) for _ in range(4)] for ends in ((0.5, 0.5), (0.3, 0.7)))
    rare = [Left(0.5, 0.2) for _ in range(4)]
    assert turn_probability(1.0, rare) < turn_probability(1.0, known) < turn_probability(1.0, poor)
    assert outcome_likely(Ballot(weights={"c": 1.0}, method=""), {"c": 1}, rare, 0.2)
    assert not outcome_likely(Ballot(weights={"c": 1.0}, method=""), {"c": 1}, poor, 0.02)


def world(seed: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[Left, ...]]:
    """Criteria with true accuracy and coverage, their weights, and what is known of them from 60 pairs."""
    rng = np.random.default_rng(seed)
    accuracy, coverage = rng.uniform(0.52, 0.75, size), rng.uniform(0.3, 0.95, size)
    weights = np.sort(logit(accuracy) * 0.8)[::-1]
    order = np.argsort(-accuracy)
    accuracy, coverage = accuracy[order], coverage[order]
    left = []
    for a, c, w in zip(accuracy, coverage, weights, strict=True):
        decided = int(rng.binomial(60, c))
        believed = Beta(0.5, 20).after(int(rng.binomial(decided, a)), decided)
        ends = believed.interval()
        left.append(Left(float(w), wilson(decided, 60).high, ends.low, ends.high))
    return accuracy, coverage, weights, tuple(left)


def simulated(seed: int, accuracy: np.ndarray, coverage: np.ndarray, kind: str, pairs: int) -> np.ndarray:
    """(pairs, criteria) votes for what people say (+1) or against it."""
    rng = np.random.default_rng(seed + 1000)
    shape = (pairs, len(accuracy))
    share = 0.3 if kind == "hard pairs" else 0.0
    hard = rng.random(pairs) < share
    right = rng.random(shape) < np.where(hard[:, None], 0.5, (accuracy - 0.5 * share) / (1 - share))
    if kind == "shared blind spots":
        for first in range(0, len(accuracy), 3):
            alike = rng.random(pairs) < 0.5
            right[alike, first : first + 3] = right[alike, first : first + 1]
    return np.where(rng.random(shape) < coverage, np.where(right, 1, -1), 0)


@pytest.mark.parametrize("kind", ["independent", "shared blind spots", "hard pairs"])
@pytest.mark.parametrize("error", [0.02, 0.05, 0.1])
def test_likely_stopping_turns_no_more_labels_than_it_says(kind: str, error: float) -> None:
    turned = asked = exactly = whole = 0
    for seed, size in ((1, 12), (2, 20), (3, 7)):
        accuracy, coverage, weights, left = world(seed, size)
        for row in simulated(seed, accuracy, coverage, kind, 300):
            moves = [float(m) for m in row * weights]
            stopped, met = vote(StopRule(kind="likely", error=error), left, moves)
            turned += stopped != outcome(math.fsum(moves))
            asked, whole = asked + met, whole + size
            exactly += vote(StopRule(), left, moves)[1]
    assert turned / 900 <= error
    assert asked <= exactly < 0.75 * whole
    assert error < 0.05 or asked < 0.97 * exactly


def member(weight: float, right: int, decided: int, asked: int) -> Member:
    made = criterion("Clear")
    signs = [1] * right + [-1] * (decided - right) + [0] * (asked - decided)
    votes = tally([made.hash], [f"p{i}" for i in range(asked)], [])
    votes.signs[0, :] = signs
    votes.states[0, :] = [1 if s else 2 for s in signs]
    found: Assessment = assess(votes, np.ones(asked, dtype=np.int8))[0]
    return Member(criterion=made, weight=weight, mining=found)


def test_what_is_assumed_of_a_measured_criterion_is_the_worse_end_of_its_intervals() -> None:
    made = member(0.7, right=24, decided=30, asked=40)
    found = left_of(made)
    assert found.weight == 0.7
    assert found.coverage == wilson(30, 40).high > 0.75
    assert (found.low, found.high) == (made.mining.low, made.mining.high)
    assert found.low < 0.8 < found.high


def test_a_negative_weight_is_right_where_its_criterion_is_wrong() -> None:
    made = member(-0.7, right=6, decided=30, asked=40)
    mirrored = left_of(member(0.7, right=24, decided=30, asked=40))
    found = left_of(made)
    assert found.weight == 0.7
    assert (found.low, found.high) == pytest.approx((mirrored.low, mirrored.high))


def test_a_criterion_that_was_never_measured_is_a_coin() -> None:
    assert left_of(member(0.7, 0, 0, 0)) == Left(0.7, 1.0, 0.5, 0.5)


def test_the_audited_share_of_pairs_is_as_stated_and_always_the_same() -> None:
    rng = random.Random(0)
    pairs = [f"{rng.getrandbits(64):016x}" for _ in range(4000)]
    rule = StopRule(kind="likely", audit=0.1)
    found = [rule.audited(p) for p in pairs]
    assert 0.08 < sum(found) / len(found) < 0.12
    assert found == [rule.audited(p) for p in pairs]
    assert not any(StopRule(audit=1.0).audited(p) for p in pairs), "exact stopping has no error to measure"
    assert all(StopRule(kind="likely", audit=1.0).audited(p) for p in pairs)


@pytest.mark.parametrize("wrong", [{"error": 0}, {"error": 1}, {"block": 0}, {"audit": 2}, {"kind": "maybe"}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StopRule.model_validate(wrong)
