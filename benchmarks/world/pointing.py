"""What words point at: which qualities, in which direction, and how unmistakably."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from benchmarks.world.qualities import qualities

SATURATION = 2.0
"""Named concepts after which pointing reaches 1 - 1/e; one more concept adds less and less."""

TURNING = frozenset({"avoids", "avoid", "avoiding", "less", "fewer", "sparing", "restraint"})
"""Words after which less of the quality is better."""

WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Pointing:
    """What words point at.

    Attributes:
        shares: quality -> share of the concepts named, adding up to 1; empty if the words point at nothing.
        reliability: in [0, 1): how many concepts of the main quality are named, saturating, less where others are.
        sign: -1 if the words ask for less of it, else +1.
        concepts: the concepts named (their first forms), in order.
    """

    shares: Mapping[str, float]
    reliability: float
    sign: int
    concepts: tuple[str, ...]

    @property
    def main(self) -> str:
        """The quality named most, the first in order of mention among equals; empty if none is."""
        return max(self.shares, key=lambda q: self.shares[q]) if self.shares else ""


@lru_cache(maxsize=16384)
def point(words: str) -> Pointing:
    """What a criterion's words (name and description), or anybody's, point at."""
    known = _concepts()
    spoken = WORD.findall(words.lower())
    concepts = tuple(dict.fromkeys(known[word][1] for word in spoken if word in known))
    counts = Counter(known[concept][0] for concept in concepts)
    total = sum(counts.values())
    most = max(counts.values(), default=0)
    reliability = (1 - math.exp(-most / SATURATION)) * math.sqrt(most / total) if total else 0.0
    sign = -1 if TURNING & set(spoken) else 1
    return Pointing({q: c / total for q, c in counts.items()}, reliability, sign, concepts)


def quality_of(concept: str) -> str:
    """The quality that a concept points at.

    Raises:
        KeyError: no quality has this concept.
    """
    return _concepts()[concept][0]


def tally(text: str) -> Counter[tuple[str, int]]:
    """(quality, sign) -> how often sentences of a text name it; a sentence asks for more or for less."""
    found: Counter[tuple[str, int]] = Counter()
    for sentence in re.split(r"[.;!?\n]+", text):
        pointing = point(sentence)
        found.update({(quality, pointing.sign): 1 for quality in pointing.shares})
    return found


@cache
def _concepts() -> dict[str, tuple[str, str]]:
    """Form -> (quality, first form of its concept)."""
    return {form: (quality.name, forms[0]) for quality in qualities() for forms in quality.concepts for form in forms}
