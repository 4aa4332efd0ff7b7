"""What an export of a criteria set gives."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Exported(BaseModel):
    """One file's text, ready to be written.

    Attributes:
        target: name of the format.
        version: of the criteria set.
        text: the file's text; the same set gives the same text.
        notes: what the target cannot carry, or means differently, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    version: str
    text: str
    notes: tuple[str, ...] = ()
