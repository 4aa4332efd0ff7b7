"""People, texts and a judge as arrays: what people weigh, what texts have, how a judge reads them; each may change.

The laws are those of `benchmarks.world`: texts have qualities in five steps, people prefer by a weighted difference
through a logistic law whose best possible accuracy is about .89, and a judge reads a quality with an error of its own
that stays with the text (the same pair is misread again) and a little that does not (it sometimes answers twice
differently).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.world.people import DECIDEDNESS, LADDER

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]

CRITERIA = len(LADDER)
TOPICS, DIMENSIONS = 6, 24
MISREADING, WAVERING, MARGIN = 0.15, 0.04, 0.12
"""Standard deviations of a reading's lasting and passing error, and the difference up to which a judge abstains."""

OTHER_MISREADING = 0.5
"""Lasting error of the model that takes over where the judge moves."""


@dataclass(frozen=True)
class Texts:
    """Texts: (n, q) qualities in [0, 1] and (n,) topics; topic TOPICS is the one that drift of the corpus brings."""

    levels: Floats
    topics: NDArray[np.intp]


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts with everything about them that stays.

    Attributes:
        gaps: (n, q) differences of the qualities.
        errors, other_errors: (n, c) lasting errors of the model and of the one that may take over.
        turn: (n, c) uniform numbers that decide which of the two reads, and where something new decides.
        unspoken: (n,) what else people may come to care about.
    """

    gaps: Floats
    errors: Floats
    other_errors: Floats
    turn: Floats
    unspoken: Floats

    def __len__(self) -> int:
        return len(self.gaps)


class Town:
    """A world and its random numbers; the same seed gives the same stream."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.weights = np.array(LADDER) * self.rng.uniform(0.85, 1.15, CRITERIA)
        self.other_taste = self.weights[::-1] * np.where(np.arange(CRITERIA) % 2, -1.0, 1.0)
        self.centres = self.rng.normal(0.0, 1.0, (TOPICS + 1, DIMENSIONS))
        self.loadings = self.rng.normal(0.0, 0.3, (CRITERIA, DIMENSIONS))

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the weighted difference of two texts of the old topics."""
        return float(np.std(self.pairs(20_000).gaps @ self.weights))

    def texts(self, n: int, moved: float = 0.0) -> Texts:
        """Texts of which a share `moved` is of the new topic, in which they differ less from each other."""
        new = self.rng.random(n) < moved
        levels = self.rng.integers(0, 5, (n, CRITERIA)) / 4.0
        levels[new] = 0.4 + 0.4 * levels[new]
        return Texts(levels, np.where(new, TOPICS, self.rng.integers(0, TOPICS, n)))

    def pairs(self, n: int, moved: float = 0.0) -> Pairs:
        """Pairs of texts of one topic each."""
        new = self.rng.random(n) < moved
        gaps = (self.rng.integers(0, 5, (n, CRITERIA)) - self.rng.integers(0, 5, (n, CRITERIA))) / 4.0
        gaps[new] *= 0.4
        shape = (n, CRITERIA)
        errors, others = self.rng.normal(0, MISREADING, shape), self.rng.normal(0, OTHER_MISREADING, shape)
        return Pairs(gaps, errors, others, self.rng.random(shape), self.rng.normal(size=n))

    def embeddings(self, texts: Texts) -> Floats:
        """(n, d) vectors: topic, a trace of the qualities, and noise."""
        noise = self.rng.normal(0.0, 0.6, (len(texts.topics), DIMENSIONS))
        found: Floats = self.centres[texts.topics] + texts.levels @ self.loadings + noise
        return found

    def scores(self, texts: Texts) -> Floats:
        """(n,) what a scorer says."""
        found: Floats = texts.levels @ self.weights + self.rng.normal(0.0, 0.2, len(texts.topics))
        return found

    def judge(self, pairs: Pairs, moved: float = 0.0) -> Signs:
        """(n, c) answers, 1 for a, -1 for b, 0 for an abstention; a share `moved` of them are another model's."""
        lasting = np.where(pairs.turn < moved, pairs.other_errors, pairs.errors)
        read = pairs.gaps + lasting + self.rng.normal(0.0, WAVERING, lasting.shape)
        return np.where(np.abs(read) <= MARGIN, 0, np.sign(read)).astype(np.int8)

    def votes(self, pairs: Pairs, taste: float = 0.0, unspoken: float = 0.0) -> Signs:
        """(n,) people's answers, 1 or -1: a share by another taste, a share by what no criterion speaks of."""
        own, other = pairs.gaps @ self.weights, pairs.gaps @ self.other_taste
        liked = np.where(self.rng.random(len(pairs)) < taste, other, own) / self.spread
        # Which pairs are decided by something new is a matter of the pair, so people agree on them.
        liked = np.where(pairs.turn[:, 0] < unspoken, pairs.unspoken, liked)
        return np.where(self.rng.random(len(pairs)) < 1 / (1 + np.exp(-DECIDEDNESS * liked)), 1, -1).astype(np.int8)

    def ballot(self) -> Floats:
        """(c,) vote weights such as a mined set has: the right order, a little off."""
        return self.weights * 1.5

    def set_vote(self, answers: Signs) -> Signs:
        """(n,) the weighted vote of (n, c) answers."""
        return np.sign(np.round(answers @ self.ballot(), 9)).astype(np.int8)
