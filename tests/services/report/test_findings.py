from __future__ import annotations

import pytest
from report_cases import crossfit_result, sealed_result, unsealed_result

from agents.outcome import VoteAccuracy
from agents.statistics import wilson
from services.report.findings import findings, power
from services.run_result import RunResult


def vote(right: int, decided: int, kind: str = "sealed") -> VoteAccuracy:
    interval = wilson(right, decided)
    return VoteAccuracy.model_validate(
        {
            "kind": kind, "n": decided, "ties": 0, "decided": decided, "right": right,
            "accuracy": right / decided if decided else 0.5, "coverage": 1.0, "effective": decided,
            "low": interval.low, "high": interval.high,
        }
    )  # fmt: skip


def held_out(right: int, decided: int, plain: int | None = None, mining: tuple[int, int] = (45, 50)) -> RunResult:
    return sealed_result().model_copy(
        update={
            "held_out_weighted": vote(right, decided),
            "held_out_majority": vote(right if plain is None else plain, decided),
            "mining_weighted": vote(*mining, kind="mining"),
        }
    )


def test_the_headline_gives_the_accuracy_with_its_number_of_pairs_and_their_kind():
    told = "8\u00a0criteria, voting together, agree with people on 72% of 100 sealed pairs."
    assert findings(held_out(72, 100)).headline == told


def test_an_interval_above_chance_is_called_better_than_chance():
    said = findings(held_out(72, 100)).sureness
    assert said.endswith("from 63% to 80% (95% interval): better than chance, which is 50%.")


def test_an_interval_that_holds_chance_is_called_not_shown_to_be_better_than_guessing():
    said = findings(held_out(12, 18)).sureness
    assert "do not show that the set is better than guessing" in said


def test_an_interval_below_chance_warns_against_the_set():
    assert findings(held_out(2, 30)).sureness.endswith("Do not use this set.")


def test_the_majority_is_told_beside_the_weighted_vote():
    assert findings(held_out(72, 100, plain=64)).vote == (
        "Plain majority is right on 64% (54\u201373%): the weights are worth +8 points."
    )


def test_a_majority_that_does_as_well_is_said_to():
    assert "does as well" in findings(held_out(72, 100)).vote


def test_what_mining_flatters_is_told_in_points():
    assert "+18 points that come from having seen them" in findings(held_out(72, 100)).optimism


def test_no_optimism_is_told_as_such():
    said = findings(held_out(95, 100)).optimism
    assert "\u22125 points" in said
    assert said.endswith("no sign of over-fitting.")


def test_a_cross_fit_is_called_one():
    assert "cross-fitted pairs" in findings(crossfit_result()).headline


def test_without_held_out_pairs_no_accuracy_is_claimed():
    found = findings(unsealed_result())
    assert found.headline.endswith("is not known.")
    assert "%" not in found.headline + found.sureness + found.vote + found.optimism


def test_a_vote_that_decided_nothing_claims_no_accuracy():
    found = findings(held_out(0, 0))
    assert "decided none" in found.sureness
    assert "50%" not in found.headline


def test_a_majority_or_a_mining_vote_that_decided_nothing_claims_no_accuracy():
    plain = held_out(72, 100).model_copy(update={"held_out_majority": vote(0, 0)})
    assert findings(plain).vote == "Plain majority decides none of these pairs."
    assert "%" not in findings(held_out(72, 100, mining=(0, 0))).optimism


@pytest.mark.parametrize(("pairs", "chance"), [(30, 0.24), (100, 0.64), (200, 0.91)])
def test_power_is_what_the_design_states(pairs, chance):
    assert power(pairs) == pytest.approx(chance, abs=0.005)


def test_no_pairs_have_no_power():
    assert power(0) == 0.0
