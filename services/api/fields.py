"""Types of what a request may hold: bounded, and free of what no database takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def storable(text: str) -> str:
    """The text itself.

    Raises:
        ValueError: it holds a NUL, which Postgres refuses, or half of a character, which no encoding takes.
    """
    if "\x00" in text:
        raise ValueError("holds a NUL character; take it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair; send whole characters") from None
    return text


Storable = AfterValidator(storable)
Name = Annotated[str, StringConstraints(pattern=NAME, min_length=1, max_length=64)]
"""What people call a thing: letters, digits, dots, dashes, underscores."""
Line = Annotated[str, StringConstraints(max_length=500), Storable]
Prose = Annotated[str, StringConstraints(max_length=20_000), Storable]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
Ident = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=96)]
"""An id that the server gave."""
Count = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, StringConstraints(max_length=400, pattern=r"^[A-Za-z0-9_=-]*$")]


class Given(BaseModel):
    """What a client sends: nothing beside the fields that are documented."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(BaseModel):
    """What a client is told."""

    model_config = ConfigDict(frozen=True)
