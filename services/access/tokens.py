"""The text of an API key: `tsk_<public id>_<secret><checksum>`.

All parts are letters and digits, so a double click selects the key and no shell or URL changes it. The secret has 32 of
62 characters: 190 bits, which nobody guesses. The checksum is the CRC-32 of all that stands before it, in six
characters: a key that was mistyped or cut off is told at once, without a look into the database, and a scanner of
public repositories that matches `PATTERN` can tell a key from chance. GitHub's tokens are built so for the same
reasons (github.blog, 2021-04-05, "Behind GitHub's new authentication token formats").
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from knowledge_base.errors import AccessDenied

PREFIX = "tsk"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 12, 32, 6

PATTERN = rf"{PREFIX}_[0-9A-Za-z]{{{ID_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH + CHECK_LENGTH}}}"
"""For scanners that look for keys where none should be."""

_SHAPE = re.compile(PATTERN)
LENGTH = len(PREFIX) + 1 + ID_LENGTH + 1 + SECRET_LENGTH + CHECK_LENGTH


@dataclass(frozen=True)
class Token:
    """A key in parts.

    Attributes:
        id: public; names the key in lists, logs and the record of actions.
        secret: is shown in no representation; `text` has it.
    """

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The key as its owner sends it."""
        body = f"{PREFIX}_{self.id}_{self.secret}"
        return body + checksum(body)

    def __str__(self) -> str:
        return f"{PREFIX}_{self.id}_(hidden)"


def new_token() -> Token:
    """A key that never was before."""
    return Token(random_name(ID_LENGTH), random_name(SECRET_LENGTH))


def random_name(length: int) -> str:
    """So many letters and digits, from the operating system's randomness; 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def parse_token(text: str) -> Token:
    """Read a key.

    Raises:
        AccessDenied: it is none, or it was mistyped; nothing of it stands in the message.
    """
    if not _SHAPE.fullmatch(text):
        raise AccessDenied(
            f"this is no API key: one starts with {PREFIX}_ and has {LENGTH} characters; copy it whole, or have one "
            "made by `touchstone keys create`",
            reason="unauthenticated",
        )
    body, check = text[:-CHECK_LENGTH], text[-CHECK_LENGTH:]
    if checksum(body) != check:
        raise AccessDenied(
            "the API key is mistyped: its checksum does not fit; copy it again from where it is kept",
            reason="unauthenticated",
        )
    _, name, secret = body.split("_")
    return Token(name, secret)


def checksum(body: str) -> str:
    """CRC-32 of the text before it, in base 62."""
    rest, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(CHECK_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
