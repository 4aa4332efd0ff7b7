"""Foreign text inside a prompt, fenced so that it cannot pass for anything else.

A block opens with `[[name mark]]` and closes with `[[/name mark]]`, each on a line of its own. The mark is an HMAC of
what the prompt is about under a secret, so it is the same for all prompts about one pair (they share a prefix that
endpoints cache) and no text can know it. A text that holds its own mark all the same has it blanked, and so are the
spellings of it that a model would read as the mark: other cases, digits and letters of other alphabets that look the
same, invisible characters in between.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

MARK_DIGITS = 12
BLANK = " " * MARK_DIGITS
DIGITS = "0123456789abcdef"
NAME = re.compile("[a-z0-9 ]+")
OPENING = re.compile(rf"^\[\[({NAME.pattern}) ([0-9a-f]{{{MARK_DIGITS}}})\]\]$", re.MULTILINE)

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: many endpoints reject a request that holds one."""

LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
"""Line ends that are not `\\n`: a fence is a line by every reader's idea of a line."""

BEYOND = "\U00010000"
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
)
UNSEEN += "\ufeff\uffa0\ufff9-\ufffb\u0300-\u036f"
"""Characters without a shape of their own, as a character class: they may stand inside a mark and change nothing."""

ALIKE = {"a": "аɑα", "b": "Ьƅ", "c": "сϲⅽ", "d": "ԁⅾ", "e": "еҽ", "f": "ғ", "0": "оОοΟ", "1": "Іӏ", "3": "Зз", "6": "б"}
"""Letters of other alphabets that pass for a hexadecimal digit (Unicode Technical Standard 39, section 4)."""


class Fence:
    """Fences for prompts about one thing.

    Args:
        secret: known to this deployment only.
        about: what the prompt is about, such as a pair's content hash.
    """

    def __init__(self, secret: bytes, about: str) -> None:
        digest = hmac.new(secret, about.encode("utf-8", "surrogatepass"), hashlib.sha256)
        self.mark = digest.hexdigest()[:MARK_DIGITS]

    def block(self, name: str, text: str) -> str:
        """`text` as a block called `name` (lower-case letters, digits and spaces).

        Raises:
            ValueError: the name holds anything else; names are ours, never foreign.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a block; use lower-case letters, digits and spaces")
        return f"[[{name} {self.mark}]]\n{self.inert(text)}\n[[/{name} {self.mark}]]"

    def blocks(self, named: Iterable[tuple[str, str]]) -> str:
        """Several blocks, one after the other."""
        return "\n\n".join(self.block(name, text) for name, text in named)

    def inert(self, text: str) -> str:
        """`text` as it stands in a block: nothing that an endpoint rejects, one kind of line end, no mark.

        Linear in the length of the text.
        """
        text = LINE_END.sub("\n", UNPRINTABLE.sub("\ufffd", text))
        if self.mark in text.lower():
            text = re.sub(self.mark, BLANK, text, flags=re.IGNORECASE)
        return text if text.isascii() else runs_of_digits().sub(self._without_mark, text)

    def _without_mark(self, run: re.Match[str]) -> str:
        """A run of characters that read as digits, with the mark blanked wherever they read as it."""
        characters, digits = list(run[0]), shapes_of_digits()
        at = [i for i, character in enumerate(characters) if character in digits]
        plain = "".join(digits[characters[i]] for i in at)
        for found in re.finditer(self.mark, plain):
            for i in range(at[found.start()], at[found.end() - 1] + 1):
                characters[i] = " "
        return "".join(characters)


@cache
def shapes_of_digits() -> dict[str, str]:
    """Every character that reads as a hexadecimal digit, with the digit.

    Those that Unicode itself calls compatible (full-width, mathematical, circled ...), decimal digits of every script,
    those of `ALIKE`, and the invisible tag characters.
    """
    shapes = {tag: digit for digit in DIGITS for tag in map(_tag, (digit, digit.upper()))}
    shapes |= {character: digit for digit, characters in ALIKE.items() for character in characters}
    for character in map(chr, (*range(0x21, 0xD800), *range(0xF900, 0x20000))):
        plain = _plain(character)
        if len(plain) == 1 and plain in DIGITS:
            shapes[character] = plain
    return shapes


@cache
def runs_of_digits() -> re.Pattern[str]:
    """Finds what may be long enough to read as a mark; in linear time, since no character is looked at twelve times.

    Beyond the first 65,536 characters of Unicode it asks for no particular ones: a class of them all is matched faster.
    """
    near = "".join(character for character in shapes_of_digits() if character < BEYOND)
    one = f"[{re.escape(near)}{BEYOND}-\U0010ffff]"
    return re.compile(f"{one}(?:[{UNSEEN}]*+{one}){{{MARK_DIGITS - 1},}}+")


def _tag(character: str) -> str:
    return chr(0xE0000 + ord(character))


def _plain(character: str) -> str:
    decimal = unicodedata.decimal(character, None)
    return unicodedata.normalize("NFKC", character).casefold() if decimal is None else str(decimal)


def read_blocks(prompt: str) -> list[tuple[str, str]]:
    """(name, text) of every block of a prompt, in order: what a faithful reader of the fences sees.

    The mark of the first block counts; an opening line with another mark is text.
    """
    first = OPENING.search(prompt)
    if first is None:
        return []
    mark, found, at = first[2], [], first.start()
    for opening in OPENING.finditer(prompt):
        closing = f"\n[[/{opening[1]} {mark}]]"
        if opening[2] != mark or opening.start() < at:
            continue
        end = prompt.find(closing, opening.end())
        if end < 0:
            continue
        found.append((opening[1], prompt[opening.end() + 1 : end]))
        at = end + len(closing)
    return found
