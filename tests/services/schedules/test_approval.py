"""The bar of a schedule, applied to evidence."""

from __future__ import annotations

import pytest

from agents.comparison import SetComparison
from services.schedules.approval import rule
from services.schedules.terms import Bar

BETTER = SetComparison(n=200, effective=180.0, low=0.02, high=0.12, difference=0.07, verdict="better")
LEVEL = SetComparison(n=200, effective=180.0, low=-0.02, high=0.06, difference=0.02, verdict="no clear difference")
WORSE = SetComparison(n=200, effective=180.0, low=-0.12, high=-0.02, difference=-0.07, verdict="worse")
STRICT, LENIENT = Bar(pairs=100), Bar(pairs=100, margin=0.03)


@pytest.mark.parametrize(
    ("bar", "comparison", "causes", "approves", "told"),
    [
        (None, BETTER, (), False, "a person decides"),
        (STRICT, BETTER, (), True, "it is better"),
        (STRICT, LEVEL, (), False, "does not pass"),
        (STRICT, LEVEL, ("fit",), False, "does not pass"),
        (LENIENT, LEVEL, ("fit",), True, "drift was found (fit)"),
        (LENIENT, LEVEL, ("corpus", "judge"), True, "(corpus, judge)"),
        (LENIENT, LEVEL, (), False, "does not pass"),
        (LENIENT, WORSE, ("fit",), False, "does not pass"),
        (LENIENT, BETTER, ("annotators",), False, "the annotators moved"),
        (LENIENT, LEVEL, ("annotators", "fit"), False, "the annotators moved"),
        (Bar(pairs=181), BETTER, (), False, "180 separate sealed pairs are fewer than the 181"),
        (LENIENT, SetComparison(n=0), ("fit",), False, "0 separate sealed pairs"),
    ],
)
def test_the_ruling_follows_from_bar_evidence_and_causes(
    bar: Bar | None, comparison: SetComparison, causes: tuple[str, ...], approves: bool, told: str
) -> None:
    found = rule(bar, comparison, causes)
    assert found.approves is approves
    assert told in found.told
