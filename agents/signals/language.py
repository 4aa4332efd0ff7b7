"""Telling English from other languages on very short texts, where trained detectors guess wildly.

Scripts settle most cases; among Latin-script texts, function words do; a text without any (a six-word
review comment) counts as English unless most of its words are unknown to an English frequency list.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex  # type: ignore[import-untyped]  # ships no types

from agents.signals.lexicons import load, load_table, zipf

_LATIN = regex.compile(r"[\p{Latin}]")
_LETTER = regex.compile(r"\p{L}")


def latin_share(text: str) -> float:
    """Share of letters that are Latin, in [0, 1]; 0 without letters. Reads the first 5,000 characters."""
    letters = len(_LETTER.findall(text[:5000]))
    return len(_LATIN.findall(text[:5000])) / letters if letters else 0.0


def looks_english(text: str, words: Sequence[str]) -> bool:
    """Whether `text`, cut into lower-case `words`, is English prose (see module docstring for the rules)."""
    if latin_share(text) < 0.7:
        return False
    alphabetic = [word for word in words[:400] if word.replace("'", "").replace("-", "").isalpha()]
    if not alphabetic:
        return False
    english = sum(word in load("stop_words") for word in alphabetic)
    foreign = _foreign_hits(alphabetic)
    if foreign > english or (foreign >= 2 and foreign >= 0.75 * english):
        return False
    if foreign and foreign == english:
        return _known_share(alphabetic, 3.5) >= 0.5
    return english >= 0.1 * len(alphabetic) or _known_share(alphabetic, 2.5) >= 0.5


def _foreign_hits(words: Sequence[str]) -> int:
    stop = load("stop_words")
    strangers = [word for word in words if word not in stop]
    tables = load_table("foreign_function_words").values()
    return max(sum(word in table for word in strangers) for table in tables)


def _known_share(words: Sequence[str], least_zipf: float) -> float:
    """Share of content words that English uses; compounds and long unknowns (identifiers) do not speak against it."""
    stop = load("stop_words")
    ordinary = [word for word in words if "-" not in word and 2 <= len(word) <= 15 and word not in stop]
    known = sum(zipf(word) >= least_zipf and word.isascii() for word in ordinary)
    return known / len(ordinary) if len(ordinary) >= 2 else 1.0
