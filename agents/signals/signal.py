"""What a signal is, and the registry of all of them.

A signal is one documented, deterministic measure of a text. A family module declares its signals with
`@signal(...)` (one passage at a time) or `@batch_signal(...)` (a whole batch at once, for anything that
is faster together, such as embeddings). NaN means that the measure does not apply to this text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agents.signals.passage import Passage

Scope = Literal["any", "english", "code", "prompt", "cased"]
"""Where a signal applies: any text; English prose; text holding code; texts that answer a prompt;
scripts with upper and lower case."""

Batch = Callable[[Sequence[Passage]], NDArray[np.float64]]
One = Callable[[Passage], float]

SIGNALS: dict[str, Signal] = {}
"""Every registered signal by name; complete once `agents.signals` has been imported."""


@dataclass(frozen=True)
class Signal:
    """One measure.

    Attributes:
        name: as written in expressions; snake_case.
        family: module it lives in.
        unit: unit of its values, e.g. `words`, `share`, `per 100 words`.
        low, high: range of its values (inclusive; `inf` where open).
        definition: one or two sentences, the function's docstring.
        source: paper, standard or library that defines it; `this project` if new.
        scope: where it applies.
        batch: (n passages) -> (n,) float64, NaN where it does not apply.
    """

    name: str
    family: str
    unit: str
    low: float
    high: float
    definition: str
    source: str
    scope: Scope
    batch: Batch


def signal(
    *, unit: str, low: float = 0.0, high: float = math.inf, source: str, scope: Scope = "any"
) -> Callable[[One], One]:
    """Register a function of one passage as a signal named after the function."""

    def register(function: One) -> One:
        def batch(passages: Sequence[Passage]) -> NDArray[np.float64]:
            return np.array([function(p) if p.in_scope(scope) else math.nan for p in passages], dtype=np.float64)

        _add(function, batch, unit, low, high, source, scope)
        return function

    return register


def batch_signal(
    *, unit: str, low: float = 0.0, high: float = math.inf, source: str, scope: Scope = "any"
) -> Callable[[Batch], Batch]:
    """Register a function of a batch of passages as a signal named after the function."""

    def register(function: Batch) -> Batch:
        def batch(passages: Sequence[Passage]) -> NDArray[np.float64]:
            values = np.full(len(passages), math.nan)
            where = [i for i, p in enumerate(passages) if p.in_scope(scope)]
            if where:
                values[where] = function([passages[i] for i in where])
            return values

        _add(function, batch, unit, low, high, source, scope)
        return function

    return register


def _add(
    function: Callable[..., object], batch: Batch, unit: str, low: float, high: float, source: str, scope: Scope
) -> None:
    name = function.__name__
    if name in SIGNALS:
        raise ValueError(f"signal {name!r} is registered twice; rename one")
    family = function.__module__.rsplit(".", 1)[-1]
    definition = " ".join((function.__doc__ or "").split())
    SIGNALS[name] = Signal(name, family, unit, low, high, definition, source, scope, batch)
