"""The database's revisions. Nothing of Alembic is imported here: every command asks for the newest one as it starts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
VERSIONS = FOLDER / "versions"

BASE = ""
"""The revision of a database that has none of the tables."""


@cache
def revisions() -> tuple[str, ...]:
    """Every revision, oldest first (`0001`, `0002`, ... as file names begin); each follows the one before it."""
    return tuple(sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py")))


def head() -> str:
    """The newest revision, whose tables this program works with."""
    return revisions()[-1]
