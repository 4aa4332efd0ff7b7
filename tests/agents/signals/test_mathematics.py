"""Signals of mathematics and worked solutions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

SOLUTION = """Step 1: Let x be the number of apples.
Step 2: Then 3x + 2 = 14, so 3x = 12.
Step 3: Hence x = 4.
To verify, substitute 4 back: 3*4 + 2 = 14.
The answer is 4."""


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


def test_a_worked_solution_shows_in_every_signal() -> None:
    assert value("step_marker_count", SOLUTION) == 3
    assert value("equation_count", SOLUTION) == 4
    assert value("final_answer_stated", SOLUTION) == 1
    assert value("verification_rate", SOLUTION) > 0
    assert value("math_symbol_rate", SOLUTION) > 0
    assert value("digit_share", SOLUTION) > 0.1


def test_prose_without_mathematics_shows_in_none() -> None:
    text = "The garden was quiet, and nobody came to see the roses that year."
    assert {name: value(name, text) for name, s in SIGNALS.items() if s.family == "mathematics"} == {
        name: 0.0 for name, s in SIGNALS.items() if s.family == "mathematics"
    }


@pytest.mark.parametrize(
    "text", [r"so $x^2$ holds", r"so $$x$$ holds", r"so \frac{1}{2} holds", r"so \(x\) holds", "so $n$ holds"]
)
def test_latex_is_seen(text: str) -> None:
    assert value("latex_rate", text) > 0


@pytest.mark.parametrize(
    "text", ["it cost $5 and then $10 more", "from $5-$10 each", r"C:\temp\files here", "US$ 5 or A$ 6"]
)
def test_money_and_paths_are_no_latex(text: str) -> None:
    assert value("latex_rate", text) == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a = b", 1),
        ("x == y", 0),
        ("x >= 2", 0),
        ("f => g", 0),
        ("a=b=c", 2),
        ("2x \u2248 5", 1),
        ("n != 3", 0),
        (r"\frac{1}{2} = \sqrt{x}", 1),
    ],
)
def test_equations_are_told_from_comparisons(text: str, count: int) -> None:
    assert value("equation_count", text) == count


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{7}",
        "#### 7",
        "The answer is 7.",
        "**Answer:** 7",
        "Therefore, the train takes 3 hours.",
        "Work.\n\nSo x = 7",
        "\u7b54\u6848\u662f 7",
        "Final answer: 7",
    ],
)
def test_a_stated_answer_is_found(text: str) -> None:
    assert value("final_answer_stated", text) == 1


@pytest.mark.parametrize("text", ["Answer me!", "Therefore we wait.", "So it goes.", "", "x = 7"])
def test_no_answer_is_found_where_none_is_stated(text: str) -> None:
    assert value("final_answer_stated", text) == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1. a\n2. b", 2),
        ("First, go. Then, stop. Finally, rest.", 3),
        ("first come first served", 0),
        ("**Step 4:** add", 1),
        ("In 1990. we", 0),
    ],
)
def test_step_marks_open_a_line_or_a_sentence(text: str, count: int) -> None:
    assert value("step_marker_count", text) == count


def test_digits_of_any_script_count() -> None:
    assert value("digit_share", "12ab") == 0.5
    assert value("digit_share", "\u0663\u0664") == 1
    assert math.isnan(value("digit_share", " "))


def test_verification_is_english_only() -> None:
    assert math.isnan(value("verification_rate", "\u6211\u4eec\u6765\u68c0\u67e5\u7b54\u6848\u3002"))


@settings(deadline=None)
@given(st.text(alphabet="x=+-*/$\\{}()123 \n.#frac", max_size=300))
def test_every_value_keeps_its_range_on_wild_text(text: str) -> None:
    for signal in (s for s in SIGNALS.values() if s.family == "mathematics"):
        found = signal.batch([Passage(text)])[0]
        assert math.isnan(found) or signal.low <= found <= signal.high
