"""Measuring a batch of texts: each text once, remembered by content hash."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.fingerprints import source_digest
from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

CHUNK = 16
"""Texts measured between two looks at the cache: a second or so of work."""

Row = tuple[str, str, float]
"""(passage hash, signal name, value)."""


class MeasurementCache(Protocol):
    """Where measured values are remembered."""

    def get(self, hashes: Sequence[str], names: Collection[str]) -> Mapping[str, Mapping[str, float]]:
        """Passage hash -> signal name -> value, for whatever is known of what is asked."""
        ...

    def put(self, rows: Sequence[Row]) -> None:
        """Remember these values."""
        ...


class MemoryCache:
    """A `MeasurementCache` that lives as long as the process."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, float]] = {}

    def get(self, hashes: Sequence[str], names: Collection[str]) -> Mapping[str, Mapping[str, float]]:
        return {h: self._values[h] for h in hashes if h in self._values}

    def put(self, rows: Sequence[Row]) -> None:
        for text, name, value in rows:
            self._values.setdefault(text, {})[name] = value


def measure(
    passages: Sequence[Passage], names: Collection[str], cache: MeasurementCache
) -> dict[str, NDArray[np.float64]]:
    """Measure these signals on these passages, computing only what the cache lacks.

    The work is done `CHUNK` texts at a time, asking the cache anew before each chunk, and every process begins
    at another place: two processes that measure the same texts at once share the work instead of doing it twice.

    Returns:
        signal name -> (n,) float64 in the order of `passages`, NaN where a signal does not apply.

    Raises:
        KeyError: a name is not a registered signal.
    """
    distinct = list({p.hash: p for p in passages}.values())
    start = os.getpid() * CHUNK % max(len(distinct), 1)
    turned = distinct[start:] + distinct[:start]
    known: dict[str, dict[str, float]] = {}
    for at in range(0, len(turned), CHUNK):
        known.update(_measure_chunk(turned[at : at + CHUNK], sorted(names), cache))
    hashes = [p.hash for p in passages]
    return {name: np.array([known[h][name] for h in hashes], dtype=np.float64) for name in names}


def _measure_chunk(
    passages: Sequence[Passage], names: Sequence[str], cache: MeasurementCache
) -> dict[str, dict[str, float]]:
    found = cache.get([p.hash for p in passages], names)
    known = {p.hash: dict(found.get(p.hash, {})) for p in passages}
    fresh: list[Row] = []
    for name in names:
        lacking = [p for p in passages if name not in known[p.hash]]
        values = SIGNALS[name].batch(lacking) if lacking else ()
        for passage, value in zip(lacking, values, strict=True):
            known[passage.hash][name] = float(value)
            fresh.append((passage.hash, name, float(value)))
    if fresh:
        cache.put(fresh)
    return known


EMBEDDING_FAMILIES = frozenset({"coherence", "prompt", "prompt_code"})
"""Families that run the embedding model."""

WARM_UP = (
    "However, we should probably note that the 3 teams didn't agree; see https://example.org (2019).\n\n- One point.",
    'def add(left, right):\n    """Sum."""\n    if left is None:\n        raise ValueError\n    return left + right\n',
)


def warm_up() -> None:
    """Load every lexicon, table and grammar that signals load when first used; the embedding model is not run."""
    passages = [Passage(text, text) for text in WARM_UP]
    for known in SIGNALS.values():
        if known.family not in EMBEDDING_FAMILIES:
            known.batch(passages)
    signals_version()


def signals_version() -> str:
    """12 hex digits over every file of this package: a changed measure or lexicon is a different judge."""
    return source_digest(Path(__file__).parent)
