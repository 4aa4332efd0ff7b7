"""Who says something for the record, and what: bounded, and free of what no database stores."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge_base.errors import InputError

LONGEST_WHO, LONGEST_NOTE = 96, 4000


@dataclass(frozen=True)
class Remark:
    """A person's name (1 to 96 characters, on one line) and a note (at most 4000 characters).

    Raises:
        InputError: one of them cannot be put on record.
    """

    who: str
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what the record could not show as it was."""
        if not self.who.strip() or len(self.who) > LONGEST_WHO or not self.who.isprintable():
            remedy = f"give a name of 1 to {LONGEST_WHO} characters on one line"
            raise InputError(f"who is {self.who[:LONGEST_WHO]!r}; {remedy}")
        if len(self.note) > LONGEST_NOTE:
            raise InputError(f"the note has {len(self.note):,} characters; the most is {LONGEST_NOTE:,}: shorten it")
        if unstorable(self.note):
            raise InputError("the note holds a character that cannot be stored; leave control characters out")


def unstorable(text: str) -> bool:
    """Whether a text holds control characters other than line breaks and tabs, or half of a surrogate pair."""
    return any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in text)
