"""Modules of this folder are found by each other; a database for what takes many steps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from services.database import Database


@pytest.fixture
def quick(tmp_path: Path) -> Database:
    """An SQLite database: for what takes many steps and does not depend on the kind."""
    return Database(f"sqlite:///{tmp_path / 'quick.sqlite'}").create()
