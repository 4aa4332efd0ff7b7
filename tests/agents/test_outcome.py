"""What a run hands over: accuracies with their intervals, and sealed pairs one by one."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pair, pairs, truth

from agents.local_run import run_local
from agents.outcome import Outcome, PairOutcome, VoteAccuracy, measure, measure_outcomes
from agents.paper_policy import PaperPolicy
from agents.sample import Signs
from agents.statistics import WITHIN_UNIT, wilson

GOOD, OTHER = criterion("good"), criterion("other")


def measured(signs: Signs, people: Signs, kind: Literal["mining", "test"]) -> VoteAccuracy:
    """Measured as pairs that have nothing to do with each other."""
    return measure(signs, people, kind, [str(i) for i in range(len(people))])


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    sealed = [pair(4, "A"), pair(5, "B"), pair(6, "="), pair(7, "A")]
    thread = mining(pairs("AABB"), ScriptedManager([GOOD, OTHER]), PaperPolicy(size=2, rounds=1), sealed)
    return run_local(thread, ScriptedJudge({"good": "AABBABA-", "other": "AAB-BBB-"}), LINEAGE)


def test_accuracy_is_over_the_pairs_that_the_vote_decided() -> None:
    found = measured(truth("AAB="), truth("AABB"), "mining")
    assert (found.n, found.decided, found.right, found.accuracy, found.coverage) == (4, 3, 3, 1.0, 0.75)


def test_pairs_that_people_tied_are_left_out_and_counted() -> None:
    found = measured(truth("AB"), truth("A="), "test")
    assert (found.n, found.ties, found.decided, found.right) == (1, 1, 1, 1)


def test_the_interval_is_wilsons() -> None:
    found = measured(truth("AAAB"), truth("AAAA"), "test")
    assert (found.low, found.high) == (wilson(3, 4).low, wilson(3, 4).high)


def test_pairs_that_hang_together_are_worth_less_and_widen_the_interval() -> None:
    row, people = truth("AAAAABBB"), truth("AAAAAAAA")
    apart = measured(row, people, "test")
    together = measure(row, people, "test", ["one"] * 4 + ["other"] * 4)
    assert (apart.effective, together.effective) == (8.0, pytest.approx(8 / (1 + 3 * WITHIN_UNIT)))
    assert together.low < apart.low < apart.accuracy == together.accuracy < apart.high < together.high


def test_only_units_of_decided_pairs_count() -> None:
    found = measure(truth("AB=="), truth("AAAA"), "test", ["one", "other", "one", "other"])
    assert found.effective == 2.0


@pytest.mark.parametrize(("row", "preferred"), [("", ""), ("==", "AB"), ("AB", "==")])
def test_nothing_decided_is_an_accuracy_of_one_half_that_could_be_anything(row: str, preferred: str) -> None:
    found = measured(truth(row), truth(preferred), "test")
    assert (found.accuracy, found.low, found.high) == (0.5, 0.0, 1.0)


@given(
    st.text("AB=", min_size=1, max_size=20).flatmap(
        lambda p: st.tuples(st.just(p), st.text("AB=", min_size=len(p), max_size=len(p)))
    )
)
def test_swapping_the_texts_changes_no_number(rows: tuple[str, str]) -> None:
    here, there = (truth(r) for r in rows)
    assert measured(here, there, "test") == measured(-here, -there, "test")


@pytest.mark.parametrize(
    ("probability", "decided"), [(0.5, 0), (0.5 + 1e-12, 0), (0.500001, 1), (0.499999, 1), (1.0, 1), (0.0, 1)]
)
def test_a_probability_of_one_half_decides_nothing(probability: float, decided: int) -> None:
    weighted, _ = measure_outcomes(
        [PairOutcome(pair="p", unit="p", truth=1, probability=probability, majority=0)], "sealed"
    )
    assert weighted.decided == decided


def test_sealed_pairs_are_pooled_for_both_votes() -> None:
    found = [
        PairOutcome(pair="p", unit="p", truth=1, probability=0.9, majority=-1),
        PairOutcome(pair="q", unit="q", truth=-1, probability=0.2, majority=0),
        PairOutcome(pair="r", unit="r", truth=0, probability=0.2, majority=1),
    ]
    weighted, plain = measure_outcomes(found, "crossfit")
    assert (weighted.kind, weighted.n, weighted.ties, weighted.right) == ("crossfit", 2, 1, 2)
    assert (plain.decided, plain.right) == (1, 0)


def test_no_sealed_pairs_are_no_accuracy() -> None:
    assert measure_outcomes([], "sealed")[0].n == 0


def test_every_sealed_pair_is_there_with_peoples_answer(outcome: Outcome) -> None:
    assert [(o.truth, o.majority) for o in outcome.sealed] == [(1, 0), (-1, -1), (0, 0), (1, 0)]


def test_the_weighted_vote_gives_a_probability_for_a(outcome: Outcome) -> None:
    assert [o.probability for o in outcome.sealed] == pytest.approx([0.5, 0.1192, 0.5, 0.5], abs=1e-4)


def test_accuracy_on_mining_pairs_is_marked_as_such(outcome: Outcome) -> None:
    assert outcome.mining_weighted.kind == outcome.mining_majority.kind == "mining"
    assert outcome.mining_majority.right == 4


def test_each_member_carries_how_it_did_on_the_mining_pairs(outcome: Outcome) -> None:
    by_name = {m.criterion.name: m.mining for m in outcome.criteria_set.members}
    assert (by_name["good"].right, by_name["other"].right, by_name["other"].decided) == (4, 3, 3)


def test_each_criterion_is_assessed_on_the_sealed_pairs_too(outcome: Outcome) -> None:
    found = {a.criterion: a for a in outcome.sealed_assessments}
    assert (found[GOOD.hash].decided, found[GOOD.hash].right, found[GOOD.hash].ties) == (2, 2, 1)


def test_the_lineage_is_handed_on(outcome: Outcome) -> None:
    assert outcome.criteria_set.lineage == LINEAGE


def test_an_outcome_survives_json(outcome: Outcome) -> None:
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome
