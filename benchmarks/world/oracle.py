"""What the best procedure could reach in a world: a vote that knows the weights, and criteria that point perfectly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.pairs import Pair
from benchmarks.world.judging import judge
from benchmarks.world.people import World
from benchmarks.world.qualities import level, names
from benchmarks.world.temper import PLAIN, Temper

SIGN = {"A": 1, "B": -1}


def oracle_accuracy(world: World, pairs: Sequence[Pair]) -> float:
    """Share of pairs, in [0, 1], on which true weights on true levels agree with people; a balance counts half."""
    return agreement(np.sign([round(world.utility(p.a, p.b), 12) for p in pairs]), pairs)


def perfect_accuracies(pairs: Sequence[Pair]) -> dict[str, float]:
    """Quality -> accuracy over the pairs that differ in it, if its levels decided by themselves."""
    return {q: decided_accuracy(np.sign([level(p.a, q) - level(p.b, q) for p in pairs]), pairs) for q in names()}


def votes_by(words: str, pairs: Sequence[Pair], seed: object, temper: Temper = PLAIN) -> NDArray[np.float64]:
    """(p,) a judge's answers by a criterion, a shown first: 1, -1, or 0 for abstentions."""
    return np.array([SIGN.get(judge(words, p.a, p.b, seed, temper=temper), 0) for p in pairs], dtype=np.float64)


def agreement(votes: Sequence[float] | NDArray[np.float64], pairs: Sequence[Pair]) -> float:
    """Share of pairs on which the signs of votes are people's; 0 counts half, as a coin would."""
    signs, people = np.sign(np.asarray(votes)), np.array([p.sign for p in pairs])
    return float(np.where(signs == 0, 0.5, signs == people).mean())


def decided_accuracy(votes: NDArray[np.float64], pairs: Sequence[Pair]) -> float:
    """Share right among the pairs that the votes decide; 0.5 if they decide none."""
    decided = votes != 0
    people = np.array([p.sign for p in pairs])
    return float((votes[decided] == people[decided]).mean()) if decided.any() else 0.5
