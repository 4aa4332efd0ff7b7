"""A world: what its people care about, and the pairs they compared."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agents.pairs import Pair, Preference
from benchmarks.world.chance import generator, happens, uniform
from benchmarks.world.qualities import FULL, levels, names, quality_named
from benchmarks.world.texts import QUESTIONS, SHARES, Topic, draw_steps, topics, write

LADDER = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Weights of the qualities cared about, before jitter; the last only where six are."""

DISLIKED = -0.3
"""Weight of a disliked quality, before jitter."""

JITTER = 0.15
"""Each weight is multiplied by a number from 1 - JITTER to 1 + JITTER."""

DECIDEDNESS = 4.7
"""Log-odds of the preference for a weighted difference of one standard deviation: an oracle agrees on about .89."""

LEVEL_CORRELATION = 0.259
"""What `texts.CRAFT` leaves of correlation after rounding to steps."""

DESCRIPTION = "Answers to everyday questions. People chose the answer that they found better."


@dataclass(frozen=True)
class World:
    """People who prefer by some qualities.

    Attributes:
        seed: which world. 0-99 are kept for reported results.
    """

    seed: int

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Quality -> weight: above 0 cared about, below 0 disliked, 0 irrelevant."""
        rng = generator("weights", self.seed)
        order = rng.sample(names(), len(names()))
        liked, disliked = rng.choice((5, 6)), rng.choice((1, 2))
        plain = [*LADDER[:liked], *[DISLIKED] * disliked]
        found = {q: w * rng.uniform(1 - JITTER, 1 + JITTER) for q, w in zip(order, plain, strict=False)}
        return {q: found.get(q, 0.0) for q in names()}

    @property
    def cared(self) -> tuple[str, ...]:
        """Qualities cared about, the weightiest first."""
        return tuple(sorted((q for q, w in self.weights.items() if w > 0), key=lambda q: -self.weights[q]))

    @property
    def disliked(self) -> tuple[str, ...]:
        """Qualities that people would rather have less of."""
        return tuple(q for q, w in self.weights.items() if w < 0)

    @property
    def irrelevant(self) -> tuple[str, ...]:
        """Qualities that do not matter."""
        return tuple(q for q, w in self.weights.items() if w == 0)

    def contributions(self, a: str, b: str) -> dict[str, float]:
        """Quality -> how much it speaks for `a` (negative: for `b`) to these people."""
        of_a, of_b = levels(a), levels(b)
        return {q: w * (of_a[q] - of_b[q]) for q, w in self.weights.items()}

    def utility(self, a: str, b: str) -> float:
        """Weighted difference of two texts, positive for `a`, with standard deviation 1 over this world's pairs."""
        return sum(self.contributions(a, b).values()) / self._scale

    def pairs(self, n: int, stream: str, noise: float = 0.0, reasons: bool = False) -> list[Pair]:
        """The first `n` pairs of a stream; more are the same ones and others, and noise changes labels alone.

        Args:
            n: how many.
            stream: `mining`, `sealed` or any other name; different streams share no draw.
            noise: probability in [0, 1] that a label is turned round, on top of the logistic law's own.
            reasons: whether people say in words why.
        """
        return [self._pair(f"{stream}-{number}", noise, reasons) for number in range(n)]

    def _pair(self, name: str, noise: float, reasons: bool) -> Pair:
        rng = generator("pair", self.seed, name)
        topic = rng.choice(topics())
        prompt = topic.fill(rng.choice(QUESTIONS))
        a, b = self._text(topic, rng), self._text(topic, rng)
        chance = 1 / (1 + math.exp(-DECIDEDNESS * self.utility(a, b)))
        for_a = uniform("label", self.seed, name) < chance
        turned = happens(noise, "noise", self.seed, name)
        preferred: Preference = "a" if for_a != turned else "b"
        reason = self._reason(a, b, preferred, name) if reasons else ""
        return Pair(id=name, a=a, b=b, preferred=preferred, prompt=prompt, reason=reason)

    def _text(self, topic: Topic, rng: random.Random) -> str:
        return write(draw_steps(rng, self.cared), topic, rng)

    def _reason(self, a: str, b: str, preferred: Preference, name: str) -> str:
        """What spoke most for the preferred text, in a word or two of ordinary talk."""
        sign = 1 if preferred == "a" else -1
        spoke = sorted(((sign * v, q) for q, v in self.contributions(a, b).items() if sign * v > 0), reverse=True)
        rng = generator("reason", self.seed, name)
        told = [_said(self.weights[q], rng.choice(quality_named(q).words)) for _, q in spoke[: rng.choice((1, 2))]]
        return ". ".join(told) if told else "I just liked it better"

    @cached_property
    def _scale(self) -> float:
        """Standard deviation of the weighted difference of two random texts."""
        mean = sum(i * s for i, s in enumerate(SHARES)) / FULL
        variance = sum(s * (i / FULL - mean) ** 2 for i, s in enumerate(SHARES))
        squares = sum(w * w for w in self.weights.values())
        crafted = [self.weights[q] for q in self.cared]
        shared = LEVEL_CORRELATION * (sum(crafted) ** 2 - sum(w * w for w in crafted))
        return math.sqrt(2 * variance * (squares + shared))


def _said(weight: float, word: str) -> str:
    return f"It has more {word}" if weight > 0 else f"It has less {word}"
