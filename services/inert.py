"""Texts of strangers made harmless to look at: nothing in them can run, hide, or rearrange what stands around it.

Markup is escaped by the template engine. What is left are characters that act on their surroundings without being
markup: control characters, lone surrogates, and the bidirectional controls with which a text can make a page read
backwards (Boucher and Anderson 2021, "Trojan Source", arXiv 2111.00169). They are shown by name instead.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

_KEPT = "\n\t\u00ad\u200c\u200d"
"""Line breaks and tabs, and the joiners that some scripts and emoji cannot do without."""


_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SUSPECT = re.compile(r"[^\n -~]")
_CARRIAGE = re.compile(r"\r\n?")


def shown(text: str) -> str:
    """The text with every character that acts on its surroundings replaced by its name, as in `[U+202E]`."""
    return _SUSPECT.sub(lambda found: _named(found.group()), _CARRIAGE.sub("\n", text))


@lru_cache(maxsize=4096)
def _named(character: str) -> str:
    acts = character not in _KEPT and unicodedata.category(character) in _ACTING
    return f"[U+{ord(character):04X}]" if acts else character


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of the text, and how many there were if some are missing."""
    return text if len(text) <= limit else f"{text[:limit]} … (the first {limit:,} of {len(text):,} characters)"


def inert(value: Any) -> Any:
    """What a template prints in place of `value`: strings are shown, what is markup already passes."""
    return shown(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
