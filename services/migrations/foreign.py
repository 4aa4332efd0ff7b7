"""Tables in our database that another's code made and looks after: those of LangGraph's checkpointers."""

from __future__ import annotations

from typing import Any

CHECKPOINTS = frozenset({
    "checkpoints", "writes", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations",
})  # fmt: skip


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether a thing found in a database is for our revisions to look at, as Alembic asks."""
    return kind != "table" or name not in CHECKPOINTS
