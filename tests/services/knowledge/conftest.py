"""No model is loaded here: vectors are counted from letters, and the catalogue is five criteria."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from knowledge_bench import light_knowledge


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts embedded so far."""
    with light_knowledge(monkeypatch) as texts:
        yield texts
