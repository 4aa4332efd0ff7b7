"""Types of what a request may hold: bounded, and free of what no database takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
IDENT = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
DATASET = r"^[A-Za-z0-9][A-Za-z0-9._: -]*$"
HEX = r"^[0-9a-f]{8,64}$"
PREFIX = r"^[0-9a-f]{4,64}$"
CURSOR = r"^[A-Za-z0-9_=-]*$"

_PLAIN = "use letters, digits, dots, dashes and underscores, a letter or digit first"
SENTENCES: dict[str, str] = {
    NAME: _PLAIN,
    IDENT: "use letters, digits, dots, dashes, underscores and colons, a letter or digit first",
    DATASET: f"{_PLAIN}, or give the dataset's id",
    HEX: "give 8 to 64 of the digits 0-9 and a-f, all lower case",
    PREFIX: "give a version, or the first 4 or more of its digits (0-9 and a-f, all lower case)",
    CURSOR: "give the `next` of an earlier page, or nothing for the first",
    r"^[0-9a-f]*$": "give a version (digits 0-9 and a-f, all lower case), or nothing",
    r"^\S(.*\S)?$": "write it on one line, without spaces at its ends",
    r"^[^/\\\x00-\x1f\x7f]+$": "give the name of a file without folders, control characters and backslashes",
    r"^[\x21-\x7e]{1,200}$": "use 1 to 200 visible ASCII characters and no spaces",
}
"""What each pattern that a field may have asks for, in words."""


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
Hex = Annotated[str, StringConstraints(pattern=HEX)]
Prefix = Annotated[str, StringConstraints(pattern=PREFIX)]
"""A version of a criteria set, or how it begins."""
Ident = Annotated[str, StringConstraints(pattern=IDENT, max_length=96)]
"""An id that the server gave."""
DatasetName = Annotated[str, StringConstraints(pattern=NAME, min_length=1, max_length=96)]
"""What a dataset may be called: wherever one is asked for by id or name, this fits."""
DatasetRef = Annotated[str, StringConstraints(pattern=DATASET, min_length=1, max_length=100)]
"""Id or name of a dataset; names with spaces could be given once, and are still found."""
Count = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, StringConstraints(max_length=400, pattern=CURSOR)]


class Given(BaseModel):
    """What a client sends: nothing beside the fields that are documented."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(BaseModel):
    """What a client is told."""

    model_config = ConfigDict(frozen=True)
