"""The signal judge keeps the promises of every judge, and decides by the values it states."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_conformance import JudgeConformance, JudgeWorld, answers, question, text_pair
from made_up import criterion

from agents.judge import Judge
from agents.judgments import Judgment
from agents.signal_judge import SignalJudge, decide
from agents.signals.measurement import MemoryCache
from knowledge_base.criterion import Criterion, Direction

CACHE = MemoryCache()
LONGER = criterion("longer", "words")
finite = st.floats(-1e6, 1e6)


class SignalWorld:
    """Signal judges that share their measurements."""

    criteria: Sequence[Criterion] = (
        LONGER,
        criterion("shorter sentences", "words / sentences", "lower", 0.5),
        criterion("prompt", "prompt_coverage"),
        criterion("dense", "(type_token_ratio > 0.5) + log1p(causal_rate)"),
    )
    unreadable: Criterion | None = criterion("broken", "words +")

    def judge(self) -> Judge:
        return SignalJudge(CACHE)


class TestSignalJudge(JudgeConformance):
    """See `JudgeConformance`."""

    @pytest.fixture
    def world(self) -> JudgeWorld:
        return SignalWorld()


@pytest.mark.parametrize(
    "expression",
    ["", "words +", "wrods", "1 + 2", "words.T", "words ** 2", "-" * 390 + "words", "words * " + "9" * 350, "\x00"],
)
def test_an_expression_that_cannot_be_evaluated_is_invalid(expression: str) -> None:
    judge = SignalJudge(CACHE)
    bad = criterion("bad", expression)
    of = text_pair("one two", "one")
    assert not judge.can_judge(bad)
    found = answers(judge, [question(of, bad, judge), question(of, LONGER, judge)])
    assert [j.status for j in found] == ["invalid", "decided"]


def verdict(direction: Direction, margin: float, first: float, second: float) -> Judgment:
    return decide("k", criterion("any", "words", direction, margin), first, second)


@pytest.mark.parametrize(
    ("direction", "first", "second", "expected"),
    [
        ("higher", 2, 1, "A"),
        ("higher", 1, 2, "B"),
        ("lower", 2, 1, "B"),
        ("lower", 1, 2, "A"),
        ("higher", 1, 1, "abstain"),
    ],
)
def test_the_better_value_wins(direction: Direction, first: float, second: float, expected: str) -> None:
    assert verdict(direction, 0.0, first, second).verdict == expected


def test_a_difference_of_exactly_the_margin_is_an_abstention() -> None:
    assert verdict("higher", 0.5, 1.5, 1.0).status == "abstained"
    assert verdict("higher", 0.5, 1.75, 1.0).status == "decided"


@pytest.mark.parametrize(("first", "second"), [(math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan)])
def test_a_value_that_does_not_apply_is_an_abstention(first: float, second: float) -> None:
    assert verdict("higher", 0.0, first, second).status == "abstained"


@given(finite, finite, st.floats(0, 10), st.sampled_from(["higher", "lower"]))
def test_swapping_the_values_swaps_the_verdict(
    first: float, second: float, margin: float, direction: Direction
) -> None:
    here, there = verdict(direction, margin, first, second), verdict(direction, margin, second, first)
    assert here.sign == -there.sign
    assert (here.status, here.margin) == (there.status, there.margin)


@given(finite, finite, st.floats(0, 10))
def test_the_other_direction_gives_the_other_verdict(first: float, second: float, margin: float) -> None:
    assert verdict("higher", margin, first, second).sign == -verdict("lower", margin, first, second).sign


@given(finite, st.floats(0.1, 5), st.floats(1.01, 100), st.floats(1.01, 100))
def test_a_larger_difference_is_a_larger_margin(base: float, margin: float, one: float, other: float) -> None:
    near, far = sorted([one, other])
    assert verdict("higher", margin, near * margin, 0).margin <= verdict("higher", margin, far * margin, 0).margin < 1


def test_the_rationale_states_expression_values_and_direction() -> None:
    assert verdict("lower", 0.0, 12.3456, 2).rationale == "words: A 12.35, B 2; lower is better"


def test_the_rationale_of_an_abstention_states_the_margin() -> None:
    assert "margin of 0.5" in verdict("higher", 0.5, 1.0, 1.25).rationale


def test_a_new_judge_without_a_cache_answers_alike() -> None:
    judge, other = SignalJudge(), SignalJudge(CACHE)
    asked = [question(text_pair("one two", "one"), LONGER, judge)]
    assert answers(judge, asked) == answers(other, asked)


def test_a_criterion_of_words_only_cannot_be_judged() -> None:
    by: Criterion = criterion("only words")
    assert not SignalJudge(CACHE).can_judge(by)
