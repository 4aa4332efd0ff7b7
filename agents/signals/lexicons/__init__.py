"""Word lists and phrase matching for the signals: a list is read once and looked up by n-gram, never scanned."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from knowledge_base.errors import InputError

FOLDER = Path(__file__).parent
ANY = "_"
"""In a phrase, stands for any one word."""


def lines_of(name: str) -> list[str]:
    """Lines of `lexicons/<name>.txt` without comments and blanks. Raises InputError if there is no such list."""
    path = FOLDER / f"{name}.txt"
    if not path.is_file():
        raise InputError(f"word list {name!r} is not installed: {path} is missing; reinstall the package")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@cache
def load(name: str) -> frozenset[str]:
    """The single words of a list (lines hold several words, parted by spaces), lower case."""
    return frozenset(word for line in lines_of(name) for word in line.lower().split())


@cache
def load_table(name: str) -> dict[str, frozenset[str]]:
    """A list whose lines read `key: word word ...`, as key -> words."""
    rows = (line.split(":", 1) for line in lines_of(name))
    return {key.strip(): frozenset(words.lower().split()) for key, words in rows}


class Phrases:
    """A set of phrases that counts how often any of them occurs in a list of words.

    A phrase is written in words; `hung/hangs in the air` means both; `_` stands for any one word.
    Matching takes the longest phrase at each place and never counts a word twice.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        """Read phrases, each one or more words parted by spaces."""
        self.size = 0
        self._root: dict[str, Any] = {}
        for phrase in phrases:
            for words in itertools.product(*(part.split("/") for part in phrase.lower().split())):
                self._add(words)

    def _add(self, words: Sequence[str]) -> None:
        node = self._root
        for word in words:
            node = node.setdefault(word, {})
        self.size += "" not in node
        node[""] = True

    def count(self, words: Sequence[str]) -> int:
        """How many phrases stand in `words` (lower case, straight apostrophes)."""
        return len(self.spans(words))

    def spans(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Places (start, end) of the phrases in `words`, in order, without overlap."""
        root, found, at, total = self._root, [], 0, len(words)
        while at < total:
            if words[at] in root and (end := _longest(root, words, at)) > at:
                found.append((at, end))
                at = end
            else:
                at += 1
        return found

    def found(self, words: Sequence[str]) -> set[str]:
        """The different phrases that stand in `words`."""
        return {" ".join(words[start:end]) for start, end in self.spans(words)}


def _longest(node: dict[str, Any], words: Sequence[str], at: int) -> int:
    best = at if "" in node else -1
    if at < len(words):
        for step in (words[at], ANY):
            if step in node:
                best = max(best, _longest(node[step], words, at + 1))
    return best


@cache
def phrases(name: str) -> Phrases:
    """The phrases of a list, one a line."""
    return Phrases(lines_of(name))


@cache
def phrase_table(name: str) -> dict[str, Phrases]:
    """A list whose lines read `key: phrase | phrase | ...`, as key -> phrases; a key may stand on several lines."""
    table: dict[str, list[str]] = {}
    for line in lines_of(name):
        key, _, rest = line.partition(":")
        table.setdefault(key.strip(), []).extend(part.strip() for part in rest.split("|") if part.strip())
    return {key: Phrases(entries) for key, entries in table.items()}


@cache
def frequencies() -> dict[str, float]:
    """English word -> share of running words, wordfreq's large list (Speer 2022); read once, about .15 s."""
    from wordfreq import get_frequency_dict

    return get_frequency_dict("en", wordlist="best")


@cache
def zipf(word: str) -> float:
    """Zipf frequency of a lower-case English word: log10 of its rate per 10^9 words; 0 if unknown (Speer 2022)."""
    rate = frequencies().get(word, 0.0)
    return math.log10(rate) + 9.0 if rate else 0.0


def packaged(package: str, *parts: str) -> Path:
    """Path of a data file that an installed package carries, without importing the package (some take seconds).

    Raises InputError if the package or the file is not there.
    """
    spec = find_spec(package)
    folder = next(iter(spec.submodule_search_locations or []), None) if spec else None
    path = Path(folder or "", *parts)
    if folder is None or not path.is_file():
        raise InputError(f"{package}/{'/'.join(parts)} is missing; reinstall the package {package!r}")
    return path
