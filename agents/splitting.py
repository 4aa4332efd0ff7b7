"""Pairs divided into those that the manager may learn from and those that only test what it learnt.

A text that stands on both sides of the divide would leak, so whole *units* move: the pairs of one group, together with
every pair that shares a text with them (directly or through others). Texts are compared without regard to case and
white space. Where too few pairs can be sealed to say anything, the pairs are cross-fitted instead: each fold is held
out once while the others are mined. Where units are too large even for that, nothing is sealed, and the split says so.

Which units are sealed depends on their content and the seed alone, never on the order of the file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.pairs import Pair

Mode = Literal["sealed", "crossfit", "none"]
Unit = tuple[int, ...]

MINING_SHARE = 0.5
"""Least share of the decided pairs that every fold of a cross-fit must leave for mining."""


@dataclass(frozen=True)
class Fold:
    """Indices of pairs, ascending: those mined from and those held out."""

    mining: tuple[int, ...]
    held_out: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    """How pairs are divided.

    Attributes:
        mode: `sealed` (one fold: `held_out` is sealed), `crossfit` (every pair is held out in exactly one fold) or
            `none` (no honest division exists: no fold, and no accuracy may be reported).
        folds: one for `sealed`, two or more for `crossfit`, none for `none`.
        units: number of units that had to stay together.
        note: why it is not as asked; empty if it is.
    """

    mode: Mode
    folds: tuple[Fold, ...]
    units: int
    note: str = ""


def split(
    pairs: Sequence[Pair], *, sealed_share: float = 0.3, folds: int = 5, minimum: int = 100, seed: int = 0
) -> Split:
    """Divide pairs into mining and sealed, or into folds when there are too few.

    Pairs are counted without ties, since only decided pairs carry an accuracy; ties move with their units.

    Args:
        pairs: any number of pairs.
        sealed_share: share of the decided pairs to seal, in (0, 1).
        folds: folds of a cross-fit (>= 2); fewer if there are fewer units.
        minimum: decided pairs (>= 2) below which nothing is sealed and the pairs are cross-fitted. At least
            `sealed_share * minimum` pairs must end up sealed, otherwise they are cross-fitted too.
        seed: any integer; the same pairs and seed give the same split, whatever the order of the pairs.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(sealed_share, folds, minimum)
    units = sorted(units_of(pairs), key=lambda unit: _rank(pairs, unit, seed))
    weights = [sum(pairs[i].preferred != "tie" for i in unit) for unit in units]
    small = _too_few(sum(weights), minimum)
    if not small:
        sealed = _seal(weights, sealed_share)
        if sum(weights[u] for u in sealed) >= max(1, math.floor(sealed_share * minimum)):
            return _sealed(units, weights, sealed, sealed_share)
        small = f"whole units fit no sealed share near {sealed_share:.0%} of {sum(weights)} decided pairs"
    return _crossfit(units, weights, folds, small)


def units_of(pairs: Sequence[Pair]) -> list[Unit]:
    """Indices of the pairs that must stay together, as ascending tuples ordered by their first index."""
    parent = list(range(len(pairs)))
    owner: dict[bytes, int] = {}
    for index, pair in enumerate(pairs):
        for key in _keys(pair):
            first, here = _root(parent, owner.setdefault(key, index)), _root(parent, index)
            parent[max(first, here)] = min(first, here)
    members: dict[int, list[int]] = {}
    for index in range(len(pairs)):
        members.setdefault(_root(parent, index), []).append(index)
    return [tuple(unit) for unit in members.values()]


def unit_labels(pairs: Sequence[Pair]) -> list[str]:
    """The unit of each pair, named by the smallest content hash in it: the name does not depend on the order."""
    labels = [""] * len(pairs)
    for unit in units_of(pairs):
        name = min(pairs[i].hash for i in unit)
        for i in unit:
            labels[i] = name
    return labels


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _keys(pair: Pair) -> Iterator[bytes]:
    """What ties a pair to others: its group and its two texts, as digests so that texts are not held twice."""
    if pair.group:
        yield _digest("group", pair.group)
    for text in (pair.a, pair.b):
        yield _digest("text", " ".join(text.split()).casefold())


def _digest(kind: str, value: str) -> bytes:
    return hashlib.blake2b(f"{kind}:{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _rank(pairs: Sequence[Pair], unit: Unit, seed: int) -> str:
    """A pseudo-random place for a unit that depends on its content and the seed only."""
    name = min(pairs[i].hash for i in unit)
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _check(sealed_share: float, folds: int, minimum: int) -> None:
    if not 0 < sealed_share < 1:
        raise ValueError(f"sealed_share is {sealed_share}; use a number between 0 and 1")
    if folds < 2:
        raise ValueError(f"folds is {folds}; use 2 or more")
    if minimum < 2:
        raise ValueError(f"minimum is {minimum}; use 2 or more")


def _too_few(decided: int, minimum: int) -> str:
    return f"{decided} decided pairs are fewer than the {minimum} needed to seal a share" if decided < minimum else ""


def _seal(weights: Sequence[int], share: float) -> list[int]:
    """Units to seal: whatever fits under the target, then one more if that comes closer to it; never all of them."""
    target, filled = share * sum(weights), 0
    tied = [u for u, weight in enumerate(weights) if not weight]
    chosen = set(tied[: round(share * len(tied))])
    rest = []
    for u, weight in enumerate(weights):
        if weight and filled + weight <= target:
            chosen.add(u)
            filled += weight
        elif weight:
            rest.append(u)
    smallest = min(rest, key=lambda u: weights[u])
    if len(rest) > 1 and filled + weights[smallest] - target < target - filled:
        chosen.add(smallest)
    return sorted(chosen)


def _sealed(units: Sequence[Unit], weights: Sequence[int], sealed: Sequence[int], share: float) -> Split:
    got = sum(weights[u] for u in sealed) / sum(weights)
    largest = max(weights) / sum(weights)
    note = f"{got:.0%} of the decided pairs are sealed, not {share:.0%}: the largest unit holds {largest:.0%} of them"
    fold = _fold(units, set(sealed))
    return Split("sealed", (fold,), len(units), note if abs(got - share) > 0.05 else "")


def _crossfit(units: Sequence[Unit], weights: Sequence[int], folds: int, why: str) -> Split:
    """Largest units first, each into the lightest fold (longest processing time first)."""
    count = min(folds, sum(weight > 0 for weight in weights))
    if count < 2:
        return Split("none", (), len(units), f"{why}; no sealed estimate: no two units hold a decided pair")
    bins: list[set[int]] = [set() for _ in range(count)]
    loads = [(0, 0)] * count
    for u in sorted(range(len(units)), key=lambda u: -weights[u]):
        lightest = loads.index(min(loads))
        bins[lightest].add(u)
        loads[lightest] = (loads[lightest][0] + weights[u], loads[lightest][1] + len(units[u]))
    if max(loads)[0] > (1 - MINING_SHARE) * sum(weights):
        return Split("none", (), len(units), f"{why}; {_giant(weights)}")
    return Split("crossfit", tuple(_fold(units, held) for held in bins), len(units), f"{why}; cross-fitted")


def _giant(weights: Sequence[int]) -> str:
    return (
        f"no sealed estimate: {max(weights)} of {sum(weights)} decided pairs hang together by shared texts or groups; "
        "collect pairs of other texts"
    )


def _fold(units: Sequence[Unit], held: set[int]) -> Fold:
    mining = sorted(i for u, unit in enumerate(units) if u not in held for i in unit)
    return Fold(tuple(mining), tuple(sorted(i for u in held for i in units[u])))
