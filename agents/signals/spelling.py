"""Whether English knows a word, and what a misspelt word was meant to be."""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cache, lru_cache

from agents.signals.lexicons import frequencies, load, packaged, zipf
from agents.signals.tags import lexicon

_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ers", "est", "ly", "ness", "less", "like", "y", "ish", "'s")
_TURNS_Y = ("ness", "ly", "ed", "er", "ers", "est", "es", "d", "less")
_BEGINNINGS = ("un", "re", "non", "over", "under", "out", "mis", "pre", "sub", "anti", "multi", "half")
LONGEST = 25
"""Letters; a longer word is no English word (and looking for its neighbours would be slow)."""


@cache
def attested_words() -> frozenset[str]:
    """Words of edited English: Brill's tagging lexicon and Norvig's spelling list, both as carried by TextBlob."""
    path = packaged("textblob", "en", "en-spelling.txt")
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(";"))
    listed = {row[0].lower() for row in rows if len(row) == 2}
    return frozenset(listed | set(lexicon())) - load("common_misspellings")


@lru_cache(maxsize=100_000)
def is_misspelt(word: str) -> bool:
    """Whether a lower-case word is misspelt; names, code and other languages must be kept out by the caller.

    A common misspelling is; an attested or a frequent word, or one built from such, is not. Of the rest, a word is
    if English hardly uses it or if one edit makes a word a hundred times as frequent (Norvig 2007; Speer 2022).
    """
    if word in load("common_misspellings"):
        return True
    if len(word) < 3 or not word.isascii() or not word.isalpha() or _is_word(word) or _is_built(word[:LONGEST]):
        return False
    return (
        len(word) > LONGEST
        or zipf(word) < 1.5
        or any(zipf(near) >= max(zipf(word) + 2, 3.5) for near in _one_edit(word))
    )


def _is_word(word: str) -> bool:
    return zipf(word) >= 3.3 or word in attested_words()


def _is_built(word: str) -> bool:
    """Whether the word is an inflection, a derivation or a compound of known words."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending) and not _keeps_y(word, ending)]
    stems += [word.removeprefix(prefix) for prefix in _BEGINNINGS if word.startswith(prefix)]
    if any(len(base) > 2 and _is_word(base) for stem in stems for base in _bases(stem)):
        return True
    return any(_is_compound(base) for base in (word, word.removesuffix("s"), word.removesuffix("ed")))


def _keeps_y(word: str, ending: str) -> bool:
    """A y after a consonant that should have become i: happyness, carryed."""
    stem = word.removesuffix(ending)
    return ending in _TURNS_Y and stem.endswith("y") and stem[-2:-1] not in tuple("aeiou")


def _is_compound(word: str) -> bool:
    halves = ((word[:cut], word[cut:]) for cut in range(3, len(word) - 2))
    return any(zipf(head) >= 4 and zipf(tail) >= 4 for head, tail in halves)


def _bases(stem: str) -> Iterator[str]:
    yield from (stem, stem + "e")
    if stem.endswith("i"):
        yield stem[:-1] + "y"
    if stem[-1:] == stem[-2:-1]:
        yield stem[:-1]


def _one_edit(word: str) -> Iterator[str]:
    """English words one deletion, transposition, replacement or insertion away."""
    known = frequencies()
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    for head, tail in cuts:
        edits = [head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]]
        edits += [head + letter + rest for letter in string.ascii_lowercase for rest in (tail, tail[1:])]
        yield from (edit for edit in edits if edit in known and edit != word)
