"""Modules of this folder are found by each other; a world with a mined set for those who ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from refresh_bench import World, world


@pytest.fixture
def letters(place: Path) -> Iterator[World]:
    """The world with a mined set."""
    with world(place) as made:
        yield made
