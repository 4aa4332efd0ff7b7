"""Expressions over signals: arithmetic a criterion is bound to, read by a safe library, never by Python's eval.

simpleeval walks the syntax tree and knows only what is listed here: numbers, signal names, + - * /, comparisons
and six functions. Attributes, subscripts, calls of anything else, strings and powers are refused when the
expression is read, before any text is measured.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, cast

import numpy as np
import simpleeval
from numpy.typing import NDArray

from knowledge_base.errors import ExpressionError

Values = NDArray[np.float64]
MAX_LENGTH = 400
MAX_DEPTH = 60
"""Levels of nesting: far more than arithmetic needs, far fewer than would exhaust the stack of whoever evaluates."""


def _log1p(x: Values) -> Values:
    return cast(Values, np.log1p(np.maximum(x, 0.0)))


def _sqrt(x: Values) -> Values:
    return cast(Values, np.sqrt(np.maximum(x, 0.0)))


def _number(compare: Callable[..., Any]) -> Callable[..., Values]:
    """A comparison that gives 1.0 or 0.0, so that its results add up as numbers do."""
    return lambda x, y: np.asarray(compare(x, y), dtype=np.float64)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log1p": _log1p, "sqrt": _sqrt, "abs": np.abs, "min": np.minimum, "max": np.maximum, "clip": np.clip,
}  # fmt: skip
ARITY = {"log1p": 1, "sqrt": 1, "abs": 1, "min": 2, "max": 2, "clip": 3}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: np.divide,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Lt: _number(np.less), ast.LtE: _number(np.less_equal),
    ast.Gt: _number(np.greater), ast.GtE: _number(np.greater_equal),
}  # fmt: skip
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Load, ast.Constant, *OPERATORS,
)  # fmt: skip


@lru_cache(maxsize=4096)
def names_in(expression: str) -> tuple[str, ...]:
    """Signal names an expression uses, sorted.

    Raises:
        ExpressionError: it is too long or too deep, does not parse, or uses anything but the allowed arithmetic.
    """
    tree = _parse(expression)
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return tuple(sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}))


def check(expression: str, known: Collection[str]) -> None:
    """Raise ExpressionError unless every name is among `known` signals and there is at least one."""
    names = names_in(expression)
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ExpressionError(f"{expression!r}: unknown signal {unknown[0]!r}; docs/signals.md lists them all")
    if not names:
        raise ExpressionError(f"{expression!r}: no signal in it; a constant cannot tell two texts apart")


def evaluate(expression: str, values: Mapping[str, Values]) -> Values:
    """Evaluate over a batch of texts.

    Args:
        expression: see docs/signals.md.
        values: signal name -> (n,) float64, NaN where a signal does not apply.

    Returns:
        (n,) float64; NaN wherever an input is NaN or the result is not finite.

    Raises:
        ExpressionError: as `names_in`, or a name is missing from `values`.
    """
    names = names_in(expression)
    check(expression, values)
    reader = simpleeval.SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=dict(values))
    with np.errstate(all="ignore"):
        result = np.asarray(reader.eval(expression, previously_parsed=_parse(expression).body), dtype=np.float64)
    applies = np.all([np.isfinite(values[n]) for n in names], axis=0)
    return np.where(applies & np.isfinite(result), result, np.nan)


@lru_cache(maxsize=4096)
def _parse(expression: str) -> ast.Expression:
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"expression of {len(expression)} characters; the most is {MAX_LENGTH}: split it")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{expression!r} does not read as arithmetic ({error}); see docs/signals.md") from error
    for node in ast.walk(tree):
        _refuse_unless_arithmetic(node, expression)
    if _depth(tree) > MAX_DEPTH:
        raise ExpressionError(f"{expression!r} is nested deeper than {MAX_DEPTH} levels; split it")
    return tree


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _refuse_unless_arithmetic(node: ast.AST, expression: str) -> None:
    if not isinstance(node, _ALLOWED):
        raise ExpressionError(f"{expression!r}: {type(node).__name__} is not allowed; only + - * / and {_names()}")
    if isinstance(node, ast.Constant):
        node.value = _finite(node.value, expression)
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        raise ExpressionError(f"{expression!r}: chained comparison; write one at a time")
    if isinstance(node, ast.Call):
        _refuse_unknown_call(node, expression)


def _finite(value: object, expression: str) -> float:
    """A constant as a float: Python's integers have no bound, and products of them no end."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"{expression!r}: {value!r} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise ExpressionError(f"{expression!r}: a number in it is too large; the most is 1e308")
    return number


def _refuse_unknown_call(node: ast.Call, expression: str) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise ExpressionError(f"{expression!r}: only these functions may be called: {_names()}")
    if node.keywords or len(node.args) != ARITY[node.func.id]:
        raise ExpressionError(f"{expression!r}: {node.func.id} takes {ARITY[node.func.id]} plain argument(s)")


def _names() -> str:
    return ", ".join(FUNCTIONS)
