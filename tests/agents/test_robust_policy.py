"""The default policy keeps what evidence and prior speak for, whatever its numbers are tuned to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import assessment, criterion, truth, votes

from agents.assessment import Assessment, assess
from agents.ballot import vote_correlation
from agents.policy import Decision
from agents.robust_policy import RobustPolicy
from agents.statistics import Beta, paired_gain

TUNED = RobustPolicy()
POLICY = replace(
    TUNED, size=3, rounds=3, candidates=8, first_rung=4, survive=0.5, floor=0.25, keep=0.6, drop=0.5, false_share=0.2,
    same_votes=0.97, gain_level=0.1, trust=0.2, spread=0.3,
)  # fmt: skip
"""The numbers of these tests, so that tuning the policy's own changes none of them."""

BELIEVED = Beta(0.65, 10.0)
PAIRS = 8
rows = st.lists(st.text("AB-?", min_size=PAIRS, max_size=PAIRS), min_size=1, max_size=7)
preferences = st.text("AB=", min_size=PAIRS, max_size=PAIRS)


def named(found: list[str]) -> dict[str, str]:
    return {f"c{i}": row for i, row in enumerate(found)}


def decide(found: Mapping[str, str], preferred: str, prior: Beta = BELIEVED) -> dict[str, Decision]:
    made = votes(found)
    return {d.criterion: d for d in POLICY.decide(made, assess(made, truth(preferred), dict.fromkeys(found, prior)))}


def alone(one: Assessment) -> Decision:
    return POLICY.decide(votes({one.criterion: "AB"}), [one])[0]


@given(rows, preferences)
def test_every_criterion_gets_one_decision(found: list[str], preferred: str) -> None:
    made = votes(named(found))
    decisions = POLICY.decide(made, assess(made, truth(preferred)))
    assert sorted(d.criterion for d in decisions) == sorted(made.criteria)


@given(rows, preferences, st.sampled_from([TUNED, POLICY]))
def test_a_kept_criterion_is_never_one_below_drop_or_floor(
    found: list[str], preferred: str, policy: RobustPolicy
) -> None:
    made = votes(named(found))
    assessed = {a.criterion: a for a in assess(made, truth(preferred), dict.fromkeys(made.criteria, BELIEVED))}
    for decision in policy.decide(made, list(assessed.values())):
        one = assessed[decision.criterion]
        if decision.fate == "keep":
            assert one.decided
            assert one.shrunken >= max(policy.drop, policy.keep)
            assert one.coverage >= policy.floor


@given(rows, preferences)
def test_of_criteria_that_vote_alike_only_one_goes_on(found: list[str], preferred: str) -> None:
    """One whose judgments never came where people chose has no evidence yet: it waits, whatever it votes like."""
    made = votes(named(found))
    decisions = decide(named(found), preferred).items()
    going = [c for c, d in decisions if d.fate != "replace" and not d.why.startswith("no evidence")]
    correlation = vote_correlation(made.rows(going))
    assert (correlation - np.eye(len(going)) < POLICY.same_votes).all()


@given(rows, preferences)
def test_swapping_the_texts_changes_no_decision(found: list[str], preferred: str) -> None:
    swap = str.maketrans("AB", "BA")
    swapped = {name: row.translate(swap) for name, row in named(found).items()}
    assert decide(named(found), preferred) == decide(swapped, preferred.translate(swap))


@given(rows, preferences, st.permutations(range(PAIRS)))
def test_the_order_of_the_pairs_changes_no_decision(found: list[str], preferred: str, order: list[int]) -> None:
    moved = {name: "".join(row[i] for i in order) for name, row in named(found).items()}
    assert decide(named(found), preferred) == decide(moved, "".join(preferred[i] for i in order))


@given(rows, preferences)
def test_the_order_of_the_criteria_changes_no_decision(found: list[str], preferred: str) -> None:
    turned = dict(reversed(named(found).items()))
    assert decide(named(found), preferred) == decide(turned, preferred)


def test_a_duplicate_is_replaced_and_the_reason_names_the_one_it_votes_like() -> None:
    found = decide({"c": "AAAABBBB", "d": "AAAABBBB"}, "AAAABBBB")
    assert found["c"].fate == "keep"
    assert found["d"].fate == "replace"
    assert "c" in found["d"].why.split("votes as ")[1]


@pytest.mark.parametrize(("wins", "printed"), [(20, "(p < 0.01)"), (3, "(p = 0.")])
def test_a_p_value_is_never_printed_as_nought(wins: int, printed: str) -> None:
    new = np.ones(wins, dtype=np.int8)
    assert printed in POLICY.accepts(-new, new)[1]


def test_a_criterion_that_votes_the_opposite_is_no_duplicate() -> None:
    assert "votes as" not in decide({"c": "AAAABBBB", "d": "BBBBAAAA"}, "AAAABBBB")["d"].why


def test_a_criterion_that_is_right_on_all_is_kept() -> None:
    assert decide({"c": "AAAABBBB"}, "AAAABBBB")["c"].fate == "keep"


def test_a_criterion_that_is_wrong_on_all_is_replaced() -> None:
    assert decide({"c": "BBBBAAAA"}, "AAAABBBB")["c"].fate == "replace"


def test_a_criterion_that_only_abstains_is_replaced() -> None:
    assert decide({"c": "--------"}, "AAAABBBB")["c"].fate == "replace"


def test_a_middling_criterion_is_refined() -> None:
    assert alone(assessment("c", shrunken=0.55, prior=0.6)).fate == "refine"


def test_a_criterion_that_decides_too_few_pairs_is_refined() -> None:
    assert alone(assessment("c", shrunken=0.7, prior=0.6, coverage=0.2)).fate == "refine"


def test_missing_evidence_is_not_counted_as_wrong() -> None:
    assert decide({"c": "AAAA????"}, "AAAABBBB")["c"].fate == "keep"


def test_a_criterion_that_nothing_but_these_pairs_speaks_for_needs_evidence_beyond_chance() -> None:
    assert alone(assessment("c", shrunken=0.7, prior=0.5, q_value=0.5)).fate == "refine"
    assert alone(assessment("c", shrunken=0.7, prior=0.5, q_value=0.01)).fate == "keep"
    assert alone(assessment("c", shrunken=0.7, prior=0.6, q_value=0.5)).fate == "keep"


def test_no_criteria_are_no_decisions() -> None:
    assert POLICY.decide(votes({"c": "A"}).rows([]), []) == []


def test_a_second_order_is_asked_where_the_first_came_to_a_decision() -> None:
    assert POLICY.looks == "second"


@given(st.integers(1, 500), st.integers(1, 40))
def test_rungs_grow_and_end_with_every_pair(pairs: int, first: int) -> None:
    found = replace(POLICY, first_rung=first).rungs(pairs)
    assert list(found) == sorted(set(found))
    assert found[-1] == pairs


@given(st.integers(1, 500), st.integers(1, 40), st.floats(1.2, 4.0), st.integers(0, 5))
def test_each_rung_is_longer_by_the_growth_and_there_are_no_more_than_so_many(
    pairs: int, first: int, growth: float, most: int
) -> None:
    found = replace(POLICY, first_rung=first, growth=growth, most_rungs=most).rungs(pairs)
    assert len(found) <= most + 1
    assert all(rung == round(first * growth**i) for i, rung in enumerate(found[:-1]))
    assert found[-1] == pairs >= max(found)


@pytest.mark.parametrize(
    ("pairs", "rungs"), [(1, (1,)), (4, (4,)), (5, (4, 5)), (8, (4, 8)), (30, (4, 8, 30)), (500, (4, 8, 500))]
)
def test_two_rungs_are_few_pairs_and_the_third_is_all(pairs: int, rungs: tuple[int, ...]) -> None:
    assert POLICY.rungs(pairs) == rungs


@given(st.integers(0, 200), st.integers(0, 40), st.floats(0.1, 1.0))
def test_a_share_passes_but_never_fewer_than_are_wanted_alive(n: int, alive: int, share: float) -> None:
    passed = replace(POLICY, alive=alive, survive=share).passing(n)
    assert passed == min(n, max(alive, math.ceil(n * share)))
    found = [assessment(f"c{i}") for i in range(n)]
    assert len(replace(POLICY, alive=alive, survive=share).survivors(found, 0, 2)) == passed


def test_as_many_pass_as_the_set_has_unless_fewer_are_wanted() -> None:
    assert POLICY.passing(4) == POLICY.size
    assert replace(POLICY, alive=1).passing(4) == 2


def test_newcomers_are_a_sets_worth_unless_fewer_are_worth_paying_for() -> None:
    assert POLICY.room(1, 1) == POLICY.size
    assert replace(POLICY, newcomers=2).room(1, 1) == 2


def test_what_no_catalogue_ranks_is_believed_as_much_as_the_policy_says() -> None:
    unknown = criterion("nobody knows it")
    assert replace(POLICY, belief=0.6, belief_pairs=8.0).prior(unknown, "answers") == Beta(0.6, 8.0)
    central = criterion("central", domains={"answers": 3})
    assert replace(POLICY, belief=0.51).prior(central, "answers").mean > 0.51
    assert replace(POLICY, belief=0.99).prior(central, "answers").mean == 0.99


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_survivors_are_the_most_promising_and_never_fewer_than_the_set_needs(shrunken: list[float]) -> None:
    found = [assessment(f"c{i}", shrunken=s) for i, s in enumerate(shrunken)]
    promise = {a.criterion: a.promise for a in found}
    going = POLICY.survivors(found, 0, 2)
    assert len(going) >= min(POLICY.size, len(found))
    assert min(promise[c] for c in going) >= max((p for c, p in promise.items() if c not in going), default=-1) - 1e-8


def test_survivors_do_not_depend_on_the_order_in_which_candidates_stand() -> None:
    found = [assessment(f"c{i}", shrunken=0.6) for i in range(9)]
    assert POLICY.survivors(found, 0, 2) == POLICY.survivors(found[::-1], 0, 2)


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])), min_size=1, max_size=20))
def test_a_rewrite_is_accepted_exactly_on_paired_evidence(scores: list[tuple[int, int]]) -> None:
    old, new = (np.array(s, dtype=np.int8) for s in zip(*scores, strict=True))
    assert POLICY.accepts(old, new)[0] == (paired_gain(old, new) <= POLICY.gain_level)


def test_a_rewrite_that_changes_nothing_is_refused() -> None:
    same = np.ones(9, dtype=np.int8)
    assert POLICY.accepts(same, same)[0] is False


def test_the_reason_of_a_rewrite_states_wins_and_losses() -> None:
    old, new = np.array([-1, -1, 1, 1], dtype=np.int8), np.array([1, 1, -1, 1], dtype=np.int8)
    assert "better on 2, worse on 1" in POLICY.accepts(old, new)[1]


Composed = tuple[list[str], dict[str, float]]


def compose(found: Mapping[str, str], preferred: str, weights: list[float] | None = None) -> Composed:
    priors = dict.fromkeys(found, BELIEVED)
    counts = np.ones(len(preferred)) if weights is None else np.array(weights)
    final, ballot = POLICY.compose(votes(found), truth(preferred), counts, priors)
    return final, ballot.weights


@given(rows, preferences)
def test_the_set_is_never_larger_than_asked_for_and_votes_by_its_own_weights(found: list[str], preferred: str) -> None:
    final, weights = compose(named(found), preferred)
    assert 1 <= len(final) <= POLICY.size
    assert list(weights) == final


@given(rows, preferences)
def test_no_member_votes_against_its_words_unless_it_is_the_only_one(found: list[str], preferred: str) -> None:
    final, weights = compose(named(found), preferred)
    assert len(final) == 1 or all(w > 0 for w in weights.values())


@given(rows, preferences)
def test_swapping_the_texts_changes_neither_the_set_nor_a_weight(found: list[str], preferred: str) -> None:
    swap = str.maketrans("AB", "BA")
    swapped = {name: row.translate(swap) for name, row in named(found).items()}
    assert compose(named(found), preferred) == compose(swapped, preferred.translate(swap))


@given(rows, preferences)
def test_the_order_of_the_criteria_does_not_change_the_set(found: list[str], preferred: str) -> None:
    here, there = compose(named(found), preferred)[1], compose(dict(reversed(named(found).items())), preferred)[1]
    assert sorted(here) == sorted(there)
    assert [here[c] for c in sorted(here)] == pytest.approx([there[c] for c in sorted(there)], abs=1e-5)


def test_pairs_that_people_tied_do_not_move_a_weight() -> None:
    assert compose({"c": "AAAABB"}, "AAAA==")[1] == compose({"c": "AAAA"}, "AAAA")[1]


def test_a_stronger_criterion_weighs_more_and_stands_first() -> None:
    final, weights = compose({"weak": "AABBABAB", "strong": "AAAABBBB"}, "AAAABBBB")
    assert final[0] == "strong"
    assert weights["strong"] > weights.get("weak", 0.0)


def test_all_ties_leave_the_weights_at_the_prior() -> None:
    _, weights = compose({"c": "AB", "d": "BA"}, "==")
    assert weights["c"] == pytest.approx(weights["d"])
    assert weights["c"] > 0


def test_heavier_pairs_count_for_more() -> None:
    light = compose({"c": "AB"}, "AA", [1.0, 1.0])[1]["c"]
    assert compose({"c": "AB"}, "AA", [9.0, 1.0])[1]["c"] > light


def test_no_criterion_is_an_empty_set() -> None:
    final, ballot = POLICY.compose(votes({"c": "A"}).rows([]), truth("A"), np.ones(1), {})
    assert (final, ballot.weights) == ([], {})
