"""Small made-up answers that signals can tell apart, and a catalogue small enough for tests."""

from __future__ import annotations

import random
from functools import cache

from agents.manager import Brief
from agents.pairs import Pair, Preference
from knowledge_base.criterion import Criterion
from knowledge_base.entries import load_catalogue
from knowledge_base.index import Index

TOPICS = ("bread", "a lock", "the kettle", "a bicycle chain", "the index", "a window", "rice", "the battery")
REASONS = ("because heat spreads slowly", "since two writers would collide", "so that nothing is lost")
STEPS = ("First measure it twice.", "For example, 250 g is enough for two.", "Then wait 10 minutes.", "Check it again.")
VAGUE = ("It depends.", "maybe try stuff lol", "I dont know, whatever works.", "Things are what they are!!")


def texts(number: int) -> tuple[str, str]:
    """A careful answer and a careless one; no two numbers give the same."""
    rng = random.Random(number)
    topic = TOPICS[number % len(TOPICS)]
    steps = " ".join(rng.sample(STEPS, k=1 + number % 3))
    careful = f"Start with {topic} number {number}, {rng.choice(REASONS)}. {steps}"
    return careful, f"{rng.choice(VAGUE)} {topic} {number}"


def answer_pair(number: int) -> Pair:
    """A pair in which people mostly preferred the careful text; each fifth is a surprise, each ninth a tie."""
    careful, careless = texts(number)
    a, b = (careful, careless) if number % 2 else (careless, careful)
    careful_side: Preference = "a" if number % 2 else "b"
    other: Preference = "b" if number % 2 else "a"
    preferred: Preference = "tie" if number % 9 == 8 else other if number % 5 == 4 else careful_side
    return Pair(id=str(number), a=a, b=b, preferred=preferred, prompt=f"How do I treat {TOPICS[number % 8]}?")


def brief(count: int = 16) -> Brief:
    """Mining pairs 0 to count - 1."""
    return Brief(tuple(map(answer_pair, range(count))), "Which answer to a how-to question helps more?", "answers", 7)


@cache
def small_index() -> Index:
    """Each eighth criterion of the catalogue."""
    criteria: tuple[Criterion, ...] = load_catalogue()[::8]
    return Index.build(criteria)
