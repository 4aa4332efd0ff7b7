"""Measuring a batch of texts: each text once, remembered by content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

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

    Returns:
        signal name -> (n,) float64 in the order of `passages`, NaN where a signal does not apply.

    Raises:
        KeyError: a name is not a registered signal.
    """
    hashes = [p.hash for p in passages]
    known = {h: dict(row) for h, row in cache.get(hashes, names).items()}
    fresh: list[Row] = []
    for name in sorted(names):
        lacking = {h: p for h, p in zip(hashes, passages, strict=True) if name not in known.get(h, {})}
        values = SIGNALS[name].batch(list(lacking.values())) if lacking else ()
        for text, value in zip(lacking, values, strict=True):
            known.setdefault(text, {})[name] = float(value)
            fresh.append((text, name, float(value)))
    cache.put(fresh)
    return {name: np.array([known[h][name] for h in hashes], dtype=np.float64) for name in names}


@lru_cache(maxsize=1)
def signals_version() -> str:
    """Hash (12 hex digits) over every file of this package: a changed measure or lexicon is a different judge."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".txt", ".yaml"}):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
