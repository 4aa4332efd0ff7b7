"""What benchmarks share with the tests: small parties, a database server. Both stand in a checkout only."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLACES = [str(ROOT / "tests" / "services"), str(ROOT / "tests" / "agents")]


def borrowed(module: str) -> Any:
    """A module that stands beside the tests, such as `letter_parties`."""
    sys.path[:0] = [place for place in PLACES if place not in sys.path]
    return importlib.import_module(module)
