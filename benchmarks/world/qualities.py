"""The latent qualities of texts: what points at each, what expresses it, and how to read its level off a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import yaml

from knowledge_base.strict_yaml import StrictLoader

FOLDER = Path(__file__).parent
FULL = 4
"""Strength at which a quality is fully expressed."""

MARKED = re.compile("<([^>]+)>")


@dataclass(frozen=True)
class Quality:
    """A latent quality.

    Attributes:
        name: one word.
        concepts: what points at it, each a tuple of forms, the one to write first.
        says: strength (1, 2 or 3) -> sentences that express it, the counted phrase in `<...>`.
    """

    name: str
    concepts: tuple[tuple[str, ...], ...]
    says: dict[int, tuple[str, ...]]

    @property
    def words(self) -> tuple[str, ...]:
        """The first form of every concept."""
        return tuple(forms[0] for forms in self.concepts)


@cache
def qualities() -> tuple[Quality, ...]:
    """All twelve, in file order."""
    read = yaml.load((FOLDER / "qualities.yaml").read_text(encoding="utf-8"), Loader=StrictLoader)
    return tuple(
        Quality(
            one["name"],
            tuple(tuple(forms.split()) for forms in one["words"]),
            {strength: tuple(sentences) for strength, sentences in one["says"].items()},
        )
        for one in read
    )


@cache
def names() -> tuple[str, ...]:
    """Names of the qualities, in file order."""
    return tuple(quality.name for quality in qualities())


@cache
def quality_named(name: str) -> Quality:
    """The quality of this name.

    Raises:
        KeyError: there is none.
    """
    return {quality.name: quality for quality in qualities()}[name]


@lru_cache(maxsize=8192)
def levels(text: str) -> dict[str, float]:
    """Quality -> level in [0, 1]: the strengths of the distinct phrases that express it, up to `FULL`."""
    pattern, meaning = _phrases()
    total = dict.fromkeys(names(), 0)
    for phrase in set(pattern.findall(text)):
        quality, strength = meaning[phrase]
        total[quality] += strength
    return {quality: min(strength, FULL) / FULL for quality, strength in total.items()}


def level(text: str, quality: str) -> float:
    """The level of one quality in a text, in [0, 1], from the text alone.

    Raises:
        KeyError: there is no quality of this name.
    """
    return levels(text)[quality]


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, tuple[str, int]]]:
    meaning: dict[str, tuple[str, int]] = {}
    for quality in qualities():
        for strength, sentences in quality.says.items():
            meaning |= {MARKED.findall(sentence)[0]: (quality.name, strength) for sentence in sentences}
    longest_first = sorted(meaning, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), meaning
