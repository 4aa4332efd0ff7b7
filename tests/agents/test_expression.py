"""Expressions are arithmetic over signals, and nothing else is ever read as one."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.expression import FUNCTIONS, MAX_LENGTH, check, evaluate, names_in
from knowledge_base.entries import load_catalogue
from knowledge_base.errors import ExpressionError

Floats = NDArray[np.float64]
VALUES: dict[str, Floats] = {
    "words": np.array([10.0, 3.0, 0.0, -4.0, math.nan]),
    "chars": np.array([50.0, 3.0, 1.0, 2.5, 7.0]),
}

HOSTILE = [
    "__import__('os').system('touch {canary}')",
    "().__class__.__base__.__subclasses__()",
    "words.__class__",
    "words.tofile('{canary}')",
    "words.T",
    "words[0]",
    "words[:]",
    "open('{canary}', 'w')",
    "eval('1')",
    "exec('1')",
    "getattr(words, 'T')",
    "abs.__self__",
    "abs.__call__(words)",
    "(abs)(words)(words)",
    "(lambda: words)()",
    "lambda: words",
    "[words for words in (1, 2)]",
    "{{words for words in (1, 2)}}",
    "{{1: words}}",
    "(words for words in (1, 2))",
    "[words]",
    "(words, chars)",
    "(x := words)",
    "words ** 2",
    "9 ** 9 ** 9 * words",
    "words // 2",
    "words % 2",
    "words @ chars",
    "words << 2",
    "words | 1",
    "words & 1",
    "words ^ 1",
    "~words",
    "not words",
    "words and chars",
    "words or chars",
    "words if chars else words",
    "words == chars",
    "words != chars",
    "words is chars",
    "words in chars",
    "1 < words < 3",
    "'words'",
    "'a' * 10",
    "b'words'",
    "f'{{words}}'",
    "f'{{open(chr(47))}}'",
    "'{{0.__class__}}'.format(words)",
    "'%s' % words",
    "min(*words)",
    "min(words)",
    "min(words, chars, 1)",
    "min(**words)",
    "clip(words, a_min=0, a_max=1)",
    "abs(words, out=words)",
    "abs(x=words)",
    "clip(words, 0)",
    "log1p()",
    "sqrt(words, chars)",
    "pow(words, 2)",
    "np.abs(words)",
    "print(words)",
    "True",
    "words + True",
    "None",
    "...",
    "words + 1j",
    "words; chars",
    "words = 1",
    "words\nchars",
    "import os",
    "yield words",
    "(yield words)",
    "await words",
    "words +",
    "+",
    "",
    "   ",
    "# words",
    "\x00words",
    "words\x00",
    "words \ud800",
    "\u202ewords + ",
    "wor\u200bds",
    "words \u2212 1",
    "words \u00d7 2",
    "\u201cwords\u201d",
    "1_000_000__ * words",
    "0x1for words",
    "$words",
    "`words`",
    "words?",
    "words!",
    "words and __builtins__",
    "words,",
    "*words",
    "words:",
    "print words",
    "\\",
    "words \\",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_not_arithmetic_is_refused_and_never_run(hostile: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(ExpressionError):
        evaluate(hostile.format(canary=canary), VALUES)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["__builtins__", "__name__", "os", "numpy", "print", "FUNCTIONS", "nan", "inf", "abs"])
def test_a_name_that_is_no_signal_is_refused(name: str) -> None:
    with pytest.raises(ExpressionError, match="unknown signal"):
        evaluate(f"words + {name}", VALUES)


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 190 + "words" + ")" * 190,
        "-" * 390 + "words",
        "words" + "+1" * 190,
        "words" + "-words" * 60,
        "abs(" * 70 + "words" + ")" * 70,
        "1-(" * 90 + "words" + ")" * 90,
        "min(words," * 35 + "1" + ")" * 35,
    ],
)
def test_deep_nesting_is_evaluated_or_refused_and_never_exhausts_the_stack(deep: str) -> None:
    assert len(deep) <= MAX_LENGTH
    outcomes = [_outcome(frames, deep) for frames in (0, 300, 600)]
    assert outcomes[0] in ("evaluated", "refused")
    assert len(set(outcomes)) == 1


def _outcome(frames: int, expression: str) -> str:
    """What comes of an expression that is evaluated from deep inside other calls, as under a queue's worker."""
    if frames:
        return _outcome(frames - 1, expression)
    try:
        return "evaluated" if len(evaluate(expression, VALUES)) == 5 else "cut"
    except ExpressionError:
        return "refused"


def test_an_expression_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ExpressionError, match=str(MAX_LENGTH)):
        names_in("words" + " " * MAX_LENGTH)
    with pytest.raises(ExpressionError):
        names_in("(" * 5_000_000)


@pytest.mark.parametrize("number", ["9" * 350, "1" + "0" * 309, "1e400", "-1e999"])
def test_a_number_too_large_for_arithmetic_is_refused(number: str) -> None:
    with pytest.raises(ExpressionError, match="too large"):
        evaluate(f"words * {number}", VALUES)


def test_a_product_of_large_numbers_is_no_value_and_no_error() -> None:
    big = "9" * 120
    assert np.isnan(evaluate(f"words + {big} * {big} * {big}", VALUES)).all()


token = st.sampled_from(
    ["words", "chars", "(", ")", "+", "-", "*", "/", "**", "//", ",", "<", ">=", "==", "1", "0", "2.5", "1e308",
     "9" * 40, "abs(", "min(", "clip(", "log1p(", "lambda", ":", ":=", "[", "]", "{", "}", ".", "'", '"', "f'",
     "__class__",
     "import", "os", "for", "in", "if", "else", "not", "and", "*", "~", "@", "\n", "\t", "\\", "#", "=", "\u2212",
     "\ud800", "\uff57ords", "True", "None", "yield", "await", "1j", "0x", "_"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60), st.lists(token, max_size=25).map("".join), st.lists(token, max_size=25).map(" ".join)
    )
)
@settings(max_examples=400)
@example("words" * 81)
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_text_is_an_array_of_numbers_or_an_expression_error(text: str) -> None:
    try:
        found = evaluate(text, VALUES)
    except ExpressionError:
        return
    assert found.dtype == np.float64
    assert found.shape == (5,)
    assert not np.isinf(found).any()
    assert {n.id for n in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(n, ast.Name)} <= {
        *VALUES,
        *FUNCTIONS,
    }


@dataclass(frozen=True)
class Sum:
    """An expression as written, and what it is worth for words = w, chars = c by plain floats (NaN: not finite)."""

    written: str
    value: float


def combine(one: Sum, other: Sum, operator: str) -> Sum:
    a, b = one.value, other.value
    match operator:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "/":
            value = a / b if b else math.nan
        case "<":
            value = float(a < b)
        case ">=":
            value = float(a >= b)
        case "min" | "max":
            value = math.nan if math.isnan(a) or math.isnan(b) else {"min": min, "max": max}[operator](a, b)
        case _:
            raise AssertionError(operator)
    written = f"{operator}({one.written}, {other.written})" if operator in ("min", "max") else (
        f"({one.written}) {operator} ({other.written})"
    )  # fmt: skip
    return Sum(written, value)


def apply(one: Sum, function: str) -> Sum:
    positive = max(one.value, 0.0)
    values = {
        "-": -one.value, "abs": abs(one.value), "sqrt": math.sqrt(positive), "log1p": math.log1p(positive),
    }  # fmt: skip
    return Sum(f"{function}({one.written})", values[function])


leaves = st.sampled_from([Sum("words", 7.0), Sum("chars", -2.5)]) | st.integers(0, 9).map(
    lambda i: Sum(str(i), float(i))
)
sums = st.recursive(
    leaves,
    lambda inner: (
        st.builds(combine, inner, inner, st.sampled_from(["+", "-", "*", "<", ">=", "min", "max"]))
        | st.builds(apply, inner, st.sampled_from(["-", "abs", "sqrt", "log1p"]))
    ),
    max_leaves=8,
).filter(lambda s: len(s.written) <= MAX_LENGTH and ("words" in s.written or "chars" in s.written))


@given(sums)
@settings(max_examples=200)
def test_arithmetic_is_worth_what_plain_floats_make_of_it(made: Sum) -> None:
    found = evaluate(made.written, {"words": np.array([7.0]), "chars": np.array([-2.5])})
    assert found[0] == pytest.approx(made.value, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("words / chars", 10 / 50), ("words + 2 * chars", 110.0), ("-words", -10.0), ("+words", 10.0),
        ("clip(words, 0, 4)", 4.0), ("log1p(words)", math.log1p(10)), ("sqrt(words)", math.sqrt(10)),
        ("(words < 20) + (chars < 90)", 2.0), ("(words < 20) - (chars < 90)", 0.0), ("-(words < 20)", -1.0),
        ("(words > 20) * chars", 0.0), ("(words >= 10) / 2", 0.5), ("(words <= 9) + 1", 1.0), ("words*1_000", 10_000.0),
        ("  words  ", 10.0), ("(words\n+ chars)", 60.0), ("words # a remark", 10.0), ("\uff57ords", 10.0),
    ],
)  # fmt: skip
def test_expressions_mean_what_they_say(expression: str, expected: float) -> None:
    assert evaluate(expression, VALUES)[0] == pytest.approx(expected)


def test_roots_and_logarithms_of_negative_values_are_those_of_nought() -> None:
    assert evaluate("sqrt(words) + log1p(words)", VALUES)[3] == 0.0


def test_a_division_by_nought_is_no_value() -> None:
    assert np.isnan(evaluate("chars / words", VALUES)[2])
    assert np.isnan(evaluate("1 / 0 + words", VALUES)).all()


@pytest.mark.parametrize(
    "expression", ["words + chars", "0 * words", "words < 5", "max(words, chars)", "(words < 5) + chars"]
)
def test_where_a_signal_does_not_apply_neither_does_the_expression(expression: str) -> None:
    assert np.isnan(evaluate(expression, VALUES)[4])


def test_evaluating_changes_no_value_that_was_given() -> None:
    before = VALUES["words"].copy()
    evaluate("clip(abs(words), 0, 1) * 2", VALUES)
    assert np.array_equal(VALUES["words"], before, equal_nan=True)


def test_names_are_told_once_and_sorted() -> None:
    assert names_in("words + abs(chars) - words") == ("chars", "words")


def test_a_constant_is_refused_since_it_cannot_tell_two_texts_apart() -> None:
    with pytest.raises(ExpressionError, match="no signal"):
        check("1 + 2", VALUES)


def test_an_unknown_signal_is_named() -> None:
    with pytest.raises(ExpressionError, match="'wrods'"):
        check("wrods + chars", VALUES)


@pytest.mark.parametrize("expression", sorted({c.expression for c in load_catalogue() if c.expression})[::20])
def test_expressions_of_the_catalogue_are_read(expression: str) -> None:
    assert names_in(expression)
