"""The real human pairs beside the project: which groups serve development, and how a draw is made.

The files stay in `../shared/data` (see the README there) and are never copied. Groups whose sha256 is 0 or 1
modulo 5 are development groups: every choice (prior sizes, shrinkage, thresholds, expressions) was made on them
alone. `ukp_convarg1` has only ten groups, so residues 2 and 4 are development there as well. All other groups are
evaluation groups; a reported number comes from nowhere else.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agents.pairs import Pair
from services.datasets import read_dataset

FILES = ("lamp_pref", "ukp_convarg1", "crscore")
DEFAULT_FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
Part = Literal["development", "evaluation"]


@dataclass(frozen=True)
class Draw:
    """Mining pairs, and test pairs that share no group and no text with them."""

    mining: tuple[Pair, ...]
    test: tuple[Pair, ...]


def load(name: str, folder: Path = DEFAULT_FOLDER) -> list[Pair]:
    """Every pair of one file as `touchstone mine` reads it: ties included, a pair that stands twice pooled.

    Raises:
        InputError: the file is not there; benchmarks on people need it.
    """
    return list(read_dataset(folder / f"{name}.jsonl").dataset.pairs)


def residue(group: str) -> int:
    """sha256 of the group's name modulo 5."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % 5


def part_of(name: str, group: str) -> Part:
    """Which part a group belongs to."""
    development = {0, 1, 2, 4} if name == "ukp_convarg1" else {0, 1}
    return "development" if residue(group) in development else "evaluation"


def draws(name: str, part: Part, count: int, mining_pairs: int = 30, folder: Path = DEFAULT_FOLDER) -> Iterator[Draw]:
    """`count` seeded draws: mining pairs without ties from half of the part's groups, tests from the other half."""
    pairs = [p for p in load(name, folder) if part_of(name, p.group) == part and p.preferred != "tie"]
    by_group: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_group[pair.group].append(pair)
    for number in range(count):
        yield _draw(by_group, random.Random(f"{name}/{part}/{number}"), mining_pairs)


def _draw(by_group: dict[str, list[Pair]], rng: random.Random, mining_pairs: int) -> Draw:
    groups = sorted(by_group)
    rng.shuffle(groups)
    half = len(groups) // 2
    pool = [p for g in groups[:half] for p in by_group[g]]
    mining = rng.sample(pool, mining_pairs)
    return Draw(tuple(mining), tuple(_apart(mining, [p for g in groups[half:] for p in by_group[g]])))


def _apart(mining: Sequence[Pair], others: Sequence[Pair]) -> list[Pair]:
    texts = {t for p in mining for t in (p.a, p.b)}
    return [p for p in others if p.a not in texts and p.b not in texts]
