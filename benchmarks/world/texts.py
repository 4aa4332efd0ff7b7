"""Texts that express given levels of the qualities, about varied topics."""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from statistics import NormalDist

import yaml

from benchmarks.world.qualities import FOLDER, FULL, MARKED, names, quality_named
from knowledge_base.strict_yaml import StrictLoader

SPLITS: dict[int, tuple[tuple[int, ...], ...]] = {
    0: ((),), 1: ((1,),), 2: ((2,),), 3: ((3,), (2, 1)), FULL: ((3, 1), (2, 2)),
}  # fmt: skip
"""Strengths of the sentences that make up a level (in steps of 1 / FULL); one way is chosen."""

SHARES = (0.26, 0.16, 0.16, 0.16, 0.26)
"""How often each step occurs: texts tend to have a quality or to lack it."""

CRAFT = 0.3
"""Correlation, before rounding to steps, of the qualities that careful writers attend to alike."""

QUESTIONS = (
    "What should {who} know about {topic}?", "How do {who} deal with {part}?", "Why does {part} matter in {topic}?",
    "Is {topic} worth the trouble?", "What would you tell {who} who are new to {topic}?",
)  # fmt: skip
OPENINGS = (
    "Much has been said about {topic} lately, not least by {who}.", "When {who} speak of {topic}, they mean {part}.",
    "The question of {topic} comes up every spring.", "I was asked about {topic} and about {part}.",
)  # fmt: skip
CLOSINGS = (
    "That is where {topic} stands for {who} at the moment.", "So much for {part} and for {topic}.",
    "The rest is up to {who}, wherever they meet {part}.", "More on {part} another time, when {who} have tried it.",
)  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """What a text is about: its name, a part of it, and people concerned with it."""

    topic: str
    part: str
    who: str

    def fill(self, template: str) -> str:
        """A template's sentence about this topic, its first letter a capital."""
        text = template.format(topic=self.topic, part=self.part, who=self.who)
        return text[:1].upper() + text[1:]


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in file order."""
    read = yaml.load((FOLDER / "topics.yaml").read_text(encoding="utf-8"), Loader=StrictLoader)
    return tuple(Topic(*fields) for fields in read)


def draw_steps(rng: random.Random, crafted: Collection[str]) -> dict[str, int]:
    """Quality -> step from 0 to `FULL`.

    A writer's care raises all of the `crafted` qualities together; the others are drawn each by itself.
    """
    care = rng.gauss(0, 1)
    return {q: _step(rng.gauss(0, 1), care if q in crafted else None) for q in names()}


def write(steps: Mapping[str, int], topic: Topic, rng: random.Random) -> str:
    """A text that expresses these steps (0 to `FULL`); `qualities.levels` reads them back exactly."""
    body = [sentence for name, step in steps.items() for sentence in _sentences(name, step, rng)]
    rng.shuffle(body)
    middle = len(body) // 2
    whole = [rng.choice(OPENINGS), *body, rng.choice(CLOSINGS)]
    lines = [topic.fill(MARKED.sub(r"\1", sentence)) for sentence in whole]
    return " ".join(lines[: middle + 1]) + "\n\n" + " ".join(lines[middle + 1 :])


def _step(own: float, care: float | None) -> int:
    mixed = own if care is None else math.sqrt(CRAFT) * care + math.sqrt(1 - CRAFT) * own
    return bisect(_bounds(), mixed)


@cache
def _bounds() -> tuple[float, ...]:
    """Standard normal quantiles between the steps."""
    return tuple(NormalDist().inv_cdf(share) for share in list(accumulate(SHARES))[:-1])


def _sentences(name: str, step: int, rng: random.Random) -> list[str]:
    """Distinct sentences whose strengths add up to `step`."""
    says, found = quality_named(name).says, []
    for strength in rng.choice(SPLITS[step]):
        found.append(rng.choice([s for s in says[strength] if s not in found]))
    return found
