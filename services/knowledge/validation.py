"""What a criterion must be before it may enter the knowledge base, where every later run may meet it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from agents.expression import check, evaluate, names_in
from agents.signals import SIGNALS
from knowledge_base.criterion import Criterion
from knowledge_base.errors import ExpressionError, InputError
from services.knowledge.remark import unstorable

LONGEST = {"not_when": 1200, "provenance.source": 500, "provenance.locator": 300}
"""Characters; name and description are bounded by the criterion itself."""

TRIALS = 64
"""Made-up measurements that an expression is tried on."""


def check_criterion(criterion: Criterion) -> None:
    """Make sure that a criterion can be stored, shown, and judged by.

    Raises:
        InputError: a text is too long or cannot be stored, or the expression cannot judge; all faults, one a line.
    """
    faults = [*_flaws(criterion), *_expression_flaws(criterion)]
    if faults:
        raise InputError("\n".join(f"{_named(criterion)}: {fault}" for fault in faults))


def _named(criterion: Criterion) -> str:
    return ascii(criterion.name) if not criterion.name.isprintable() else repr(criterion.name)


def _flaws(criterion: Criterion) -> Iterator[str]:
    provenance = criterion.provenance
    texts = {
        "name": criterion.name, "description": criterion.description, "not_when": criterion.not_when,
        "provenance.source": provenance.source, "provenance.locator": provenance.locator,
    }  # fmt: skip
    if not criterion.name.isprintable() or not criterion.name.strip():
        yield "name holds a line break or a control character; write it on one line"
    for field, text in texts.items():
        if field in LONGEST and len(text) > LONGEST[field]:
            yield f"{field} has {len(text):,} characters; the most is {LONGEST[field]:,}: shorten it"
        if unstorable(text):
            yield f"{field} holds a character that cannot be stored; leave control characters out"


def _expression_flaws(criterion: Criterion) -> Iterator[str]:
    if not criterion.programmatic:
        return
    try:
        check(criterion.expression, SIGNALS)
    except ExpressionError as error:
        yield f"expression {error}"
        return
    if not math.isfinite(criterion.margin):
        yield f"margin is {criterion.margin}; give a number"
    if not np.isfinite(_tried(criterion.expression)).any():
        yield f"expression {criterion.expression!r} has no value for any text; does it divide by 0?"


def _tried(expression: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The expression on made-up measurements from 0 to 100: one that can judge has a value on some."""
    rng = np.random.default_rng(0)
    return evaluate(expression, {name: rng.uniform(0.0, 100.0, TRIALS) for name in names_in(expression)})
