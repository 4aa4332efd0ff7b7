"""How much of a long text a model is shown: as many tokens as allowed, and a line that says what is missing.

Deterministic, and linear in the length of the text: what is not shown is only looked through for words to count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from agents.chat.tokens import estimate_tokens
from knowledge_base.errors import InputError

Keep = Literal["head", "head-tail"]

FEWEST = 64
"""Fewest tokens that can be asked for: the line about what is missing takes some 20 of them."""

MARKERS = {
    "en": ("[... {:,} words left out ...]", "[... {:,} characters left out ...]"),
    "zh": ("[……略去 {:,} 个词……]", "[……略去 {:,} 个字符……]"),
}
"""By language: the line that stands for what is missing, in words and, for scripts without spaces, in characters."""

BORDERS = 2
"""Tokens set aside for the blank lines around that line."""

LONGEST_WORD = 15
"""Mean characters a word, spaces included, above which a text has no words that spaces would part."""

BREAKS = tuple(re.compile(p) for p in (r"\n[ \t]*\n", r"[.!?…][\"'”’)\]]?\s|[。！？]", r"\s"))
"""Where a text is best cut: after a paragraph, a sentence, a word."""

JOINED = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
"""Characters that belong to the one before them."""


class Shown(NamedTuple):
    """What is shown of a text, and whether that is a part only."""

    text: str
    cut: bool


@dataclass(frozen=True)
class TextLimit:
    """How many tokens of a text are shown, by estimate, and which.

    Attributes:
        tokens: at most so many, 64 or more; the line about what is missing included.
        keep: the `head`, or `head-tail`: two thirds from its head and one third from its tail.

    Raises:
        InputError: too few tokens.
    """

    tokens: int = 3000
    keep: Keep = "head-tail"

    def __post_init__(self) -> None:
        if self.tokens < FEWEST:
            raise InputError(f"a text limit of {self.tokens} tokens shows nothing; allow {FEWEST} or more")

    def show(self, text: str, language: str = "en") -> Shown:
        """`text` if it is short enough; else its head, a line in `language` on what is missing, and its tail."""
        if reach(text, self.tokens) == len(text):
            return Shown(text, False)
        _, characters = MARKERS.get(language, MARKERS["en"])
        spare = self.tokens - estimate_tokens(characters.format(len(text))) - BORDERS
        head, tail = self._ends(text, spare)
        pieces = (text[:head].rstrip(), marker(text[head:tail], language), text[tail:])
        return Shown("\n\n".join(piece for piece in pieces if piece), True)

    def _ends(self, text: str, spare: int) -> tuple[int, int]:
        """Where the head ends and the tail starts if they may take `spare` tokens."""
        if self.keep == "head":
            return head_end(text, spare), len(text)
        tail = tail_start(text, spare // 3)
        return head_end(text[:tail], spare * 2 // 3), tail


def reach(text: str, tokens: int, backwards: bool = False) -> int:
    """How many characters from the start (or backwards from the end) `tokens` reach for, to one in 200."""

    def fits(size: int) -> bool:
        return estimate_tokens(text[len(text) - size :] if backwards else text[:size]) <= tokens

    most = 4 * tokens
    while most < len(text) and fits(most):
        most *= 2
    if most >= len(text) and fits(len(text)):
        return len(text)
    return _last(fits, 0, min(most, len(text)))


def _last(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number that fits, to one in 200, between one that does and one that does not."""
    while high - low > 1 + low // 200:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def head_end(text: str, tokens: int) -> int:
    """Where to end a head of at most `tokens`: at a break in its last eighth, the best kind that is there."""
    end = reach(text, tokens)
    for kind in BREAKS:
        if found := [m.end() for m in kind.finditer(text, end - end // 8, end)]:
            return found[-1]
    return _before_joined(text, end)


def tail_start(text: str, tokens: int) -> int:
    """Where to start a tail of at most `tokens`: at a break in its first eighth, the best kind that is there."""
    size = reach(text, tokens, backwards=True)
    start = len(text) - size
    for kind in BREAKS:
        if found := kind.search(text, start, start + size // 8):
            return found.end()
    return _after_joined(text, start)


def _before_joined(text: str, at: int) -> int:
    while 0 < at < len(text) and JOINED.match(text, at):
        at -= 1
    return at


def _after_joined(text: str, at: int) -> int:
    while at < len(text) and JOINED.match(text, at):
        at += 1
    return at


def marker(missing: str, language: str) -> str:
    """The line that stands for `missing`; in English where the language has none of its own."""
    words, characters = MARKERS.get(language, MARKERS["en"])
    count = len(missing.split())
    return words.format(count) if count * LONGEST_WORD > len(missing) else characters.format(len(missing))
