"""A label says what the answers amount to, weighted and by plain majority."""

from __future__ import annotations

import math

import pytest
from labelling_bench import letter_sheet

from services.labelling.label import CALIBRATION, label_of
from services.labelling.pair_vote import Answer
from services.labelling.sheet import Sheet

SHEET = letter_sheet({"e": 0.6, "t": 0.3, "a": 0.3, "o": -0.2})


def answers(said: str, sheet: Sheet = SHEET) -> list[Answer]:
    """One character a criterion: A, B, - (abstained), ? (failed)."""
    status = {"A": "decided", "B": "decided", "-": "abstained", "?": "failed"}
    return [
        Answer.model_validate(
            {"criterion": c, "seat": 0, "order": "ab", "sample": 0, "status": status[s],
             "verdict": s if s in "AB" else "abstain"}
        )
        for c, s in zip(sheet.criteria, said, strict=False)
    ]  # fmt: skip


def test_the_log_odds_are_the_weights_for_a_less_those_for_b() -> None:
    found = label_of(SHEET, answers("ABBA"))
    assert found.log_odds == pytest.approx(0.6 - 0.3 - 0.3 - 0.2)
    assert found.probability == pytest.approx(1 / (1 + math.exp(0.2)))
    assert found.label == "b"
    assert found.majority == "tie"
    assert (found.votes_for_a, found.votes_for_b, found.abstained, found.missing) == (2, 2, 0, 0)


def test_the_margin_is_how_far_the_probability_is_from_undecided() -> None:
    found = label_of(SHEET, answers("A"))
    assert found.margin == pytest.approx(2 * found.probability - 1)
    assert label_of(SHEET, answers("B")).margin == pytest.approx(found.margin)


def test_votes_that_balance_but_for_rounding_are_a_tie_of_even_odds() -> None:
    found = label_of(SHEET, answers("ABB-"))
    assert found.log_odds == 0.6 - 0.3 - 0.3 == 0.0
    uneven = letter_sheet({"e": 0.3, "t": 0.1, "a": 0.2})
    assert 0.3 - 0.1 - 0.2 != 0
    found = label_of(uneven, answers("ABB", uneven))
    assert (found.label, found.majority, found.probability, found.margin) == ("tie", "b", 0.5, 0.0)


def test_abstentions_and_missing_evidence_are_told_apart_and_weigh_nothing() -> None:
    found = label_of(SHEET, answers("-?A"))
    assert found.log_odds == pytest.approx(0.3)
    assert (found.votes_for_a, found.votes_for_b, found.abstained, found.missing) == (1, 0, 1, 1)


def test_no_answers_are_a_tie_without_votes() -> None:
    found = label_of(SHEET, [])
    assert (found.label, found.majority, found.effective_votes) == ("tie", "tie", 0.0)


@pytest.mark.parametrize(
    ("weights", "said", "worth"),
    [
        ({"e": 1.0, "t": 1.0, "a": -1.0}, "ABA", 3.0),
        ({"e": 1.0, "t": 0.0}, "AA", 1.0),
        ({"e": 2.0, "t": 1.0}, "AB", 9 / 5),
        ({"e": 2.0, "t": 1.0}, "A-", 1.0),
    ],
)
def test_effective_votes_are_as_many_equal_ones(weights: dict[str, float], said: str, worth: float) -> None:
    sheet = letter_sheet(weights)
    assert label_of(sheet, answers(said, sheet)).effective_votes == pytest.approx(worth)


def test_whoever_reads_a_probability_is_told_what_it_is_not() -> None:
    assert "calibrate" in CALIBRATION
