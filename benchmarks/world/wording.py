"""Words for criteria: names and descriptions made from concepts, and those that point at nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

NOT_WHEN = "One of the texts is empty."

NAMES = ("{}", "Use of {}", "Attention to {}", "Degree of {}", "{} throughout", "Presence of {}")

MORE = (
    "Look for {} in both texts. The text that has more of it is better.",
    "Compare what each text offers by way of {}. The text that offers more is better.",
    "This is about {} as a reader meets it from line to line. The text with more of it is better.",
    "Read both texts for {} and nothing else. The text that shows more of it is better.",
)
LESS = (
    "Look for {} in both texts. The text that avoids it is better.",
    "Compare how far each text goes in {}. The text that has less of it is better.",
)
EMPTY = (
    "Weigh how each text comes across in its {}. The text that does this better is better.",
    "Read both texts for their {}. The text that leaves a better impression in this is better.",
    "This is about {} as such, wherever it shows. The text that handles it better is better.",
)

ASPECTS = (
    "general appeal", "glamour", "outdoor feel", "flow", "professional look", "maturity", "energy",
    "balance", "elegance", "rhythm", "humour", "rhyme", "seasonal colour", "regional flavour", "use of colours",
    "celebrity mentions", "topical mentions", "domestic cosiness", "old-world grace", "personal voice", "optimism",
    "luxury", "confidence", "momentum", "memorability", "musicality", "symmetry", "modernity", "nostalgia",
    "spontaneity", "poise", "charm", "seriousness", "playfulness", "patience", "ambition", "modesty", "wit", "drama",
    "restfulness", "fashionable phrasing", "gallantry", "patriotism", "sportsmanship", "pageantry",
    "momentousness", "authority", "everyday feel",
)  # fmt: skip
"""What criteria can be about without pointing at any quality."""

FRAMES = ("{}", "{} of the opening", "{} at the end", "{} for newcomers", "{} across paragraphs", "Lasting {}")
"""Variants of an aspect's name."""


@dataclass(frozen=True)
class Wording:
    """A criterion in words."""

    name: str
    description: str

    @property
    def words(self) -> str:
        """Name and description in one string, as a judge sees them."""
        return f"{self.name}: {self.description}"


def name_for(concept: str, rng: random.Random) -> str:
    """A noun phrase that holds the concept."""
    return sentence_case(rng.choice(NAMES).format(concept))


def describe(concepts: Sequence[str], sign: int, rng: random.Random) -> str:
    """A description that names these concepts and asks for more (sign 1) or less (-1) of them."""
    return rng.choice(MORE if sign > 0 else LESS).format(listing(concepts))


def pointless(rng: random.Random) -> Wording:
    """A criterion that points at nothing."""
    aspect, frame = rng.choice(ASPECTS), rng.choice(FRAMES)
    return pointless_about(aspect, frame, rng)


def pointless_about(aspect: str, frame: str, rng: random.Random) -> Wording:
    """A criterion about an aspect that no quality answers to."""
    about = frame.format(aspect)
    return Wording(sentence_case(about), rng.choice(EMPTY).format(about[:1].lower() + about[1:]))


def listing(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def sentence_case(text: str) -> str:
    """The first letter a capital."""
    return text[:1].upper() + text[1:]
