"""docs/signals.md: every signal by family, and the language of the expressions over them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agents.expression import ARITY, FUNCTIONS, MAX_LENGTH
from agents.signals import FAMILIES, SIGNALS, Signal
from agents.signals.passage import LIMIT
from agents.signals.signal import Scope
from services.docs.blocks import table

SCOPES: dict[Scope, str] = {
    "any": "any text",
    "english": "English prose; a text whose words are plainly those of another language has no value",
    "cased": "scripts with upper and lower case, such as Latin, Greek and Cyrillic",
    "code": "texts that hold code: a fenced block, or enough lines that read like code",
    "prompt": "texts that answer a prompt",
}

FUNCTION_MEANINGS = {
    "log1p": "natural logarithm of 1 + x; a negative x counts as 0",
    "sqrt": "square root; a negative x counts as 0",
    "abs": "size without sign",
    "min": "the smaller of two",
    "max": "the greater of two",
    "clip": "x, but at least `low` and at most `high`",
}
PARAMETERS = {1: "x", 2: "x, y", 3: "x, low, high"}


def signals_page() -> str:
    """The whole page."""
    families = [module.__name__.rsplit(".", 1)[-1] for module in FAMILIES]
    parts = [_opening(families), _language(), *(_family(name) for name in families)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _opening(families: Sequence[str]) -> str:
    links = ", ".join(f"[{name.replace('_', ' ')}](#{name})" for name in families)
    scopes = table(("scope", "a signal of this scope applies to"), [(f"`{s}`", text) for s, text in SCOPES.items()])
    return f"""
<!-- Written by `make docs` from agents/signals; edit the code, not this page. -->

# Signals

A signal is one documented measure of a text. It needs no model, costs nothing, and gives the same number for the same
text every time. There are {len(SIGNALS)} of them, in {len(families)} families: {links}.

A signal that does not apply to a text has no value there (NaN), and a criterion that uses it abstains on every pair
that holds such a text. Where a signal applies is its scope:

{scopes}

Rates are per 100 words unless the unit says otherwise, shares lie between 0 and 1, counts are raw. A text is measured
by its first {LIMIT:,} characters. Words in Chinese, Japanese and Korean are found by segmentation.
"""


def _language() -> str:
    calls = [(f"`{name}({PARAMETERS[ARITY[name]]})`", FUNCTION_MEANINGS[name]) for name in FUNCTIONS]
    return f"""
## Expressions

A programmatic criterion binds its words to an expression over signals, a direction and a margin:

```yaml
expression: log1p(number_rate) + 0.5 * log1p(citation_rate) - hedge_rate / 10
direction: higher
margin: 0.25
```

The expression is evaluated on both texts of a pair. The text with the higher value (or, with `direction: lower`, the
lower one) is better. If the two values differ by no more than `margin`, or either text has no value, the judge
abstains.

An expression holds signal names, numbers, `+ - * /`, parentheses, one comparison at a time (`<  <=  >  >=`, which gives
1 or 0), and these functions:

{table(("function", "value"), calls)}

Nothing else is read: no other names, no attributes, no powers, no text; at most {MAX_LENGTH} characters. Expressions
never reach Python's `eval`.
"""


def _family(name: str) -> str:
    signals = [s for s in SIGNALS.values() if s.family == name]
    heads = ("signal", "unit", "range", "scope", "definition", "source")
    rows = [(f"`{s.name}`", s.unit, _range(s), s.scope, s.definition, s.source) for s in signals]
    return f'<a id="{name}"></a>\n\n## {name.replace("_", " ").capitalize()}\n\n{table(heads, rows)}'


def _range(signal: Signal) -> str:
    low, high = signal.low, signal.high
    if math.isinf(low) and math.isinf(high):
        return "any"
    if math.isinf(high):
        return f"{low:g} and up"
    return f"up to {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"
