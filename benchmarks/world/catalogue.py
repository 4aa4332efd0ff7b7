"""A knowledge base for a world: few entries that point well, many that say the same, most of no use."""

from __future__ import annotations

import random
from itertools import product

from benchmarks.world.chance import generator
from benchmarks.world.people import World
from benchmarks.world.qualities import names, quality_named
from benchmarks.world.wording import ASPECTS, FRAMES, NOT_WHEN, Wording, describe, name_for, pointless_about
from knowledge_base.criterion import Criterion, Provenance

GOOD_SHARE = 0.12
"""Share of entries that name three to five concepts of one quality, whether anybody cares about it or not."""

WEAK_SHARE = 0.18
"""Share of entries that name one or two concepts, half of them next to one of another quality."""

SOURCE = Provenance(kind="guideline", source="House rules of a simulated editorial office", year=2020)


def knowledge_base(world: World, n: int) -> list[Criterion]:
    """`n` prior criteria with distinct names, the same for the same world; at most some 380.

    Raises:
        ValueError: the world cannot fill a base of this size.
    """
    rng = generator("knowledge base", world.seed, n)
    good, weak = round(GOOD_SHARE * n), round(WEAK_SHARE * n)
    useless = list(product(ASPECTS, FRAMES))
    if n - good - weak > len(useless):
        raise ValueError(f"a base of {n} entries needs {n - good - weak} useless ones; there are {len(useless)}")
    wordings = [pointless_about(aspect, frame, rng) for aspect, frame in rng.sample(useless, n - good - weak)]
    used = {w.name for w in wordings}
    wordings += [_pointing(rng, used, number < good) for number in range(good + weak)]
    rng.shuffle(wordings)
    return [criterion_from(wording) for wording in wordings]


def criterion_from(wording: Wording) -> Criterion:
    """A wording as an entry of a knowledge base."""
    return Criterion(name=wording.name, description=wording.description, not_when=NOT_WHEN, provenance=SOURCE)


def _pointing(rng: random.Random, used: set[str], well: bool) -> Wording:
    """A criterion about some quality, under a name that is not in use; the name is added to `used`."""
    quality = rng.choice(names())
    words = rng.sample(quality_named(quality).words, rng.choice((3, 4, 5)) if well else rng.choice((1, 2)))
    if not well and rng.random() < 0.5:
        words.append(rng.choice(quality_named(rng.choice([q for q in names() if q != quality])).words))
    name = _free(words[0], used, rng)
    used.add(name)
    return Wording(name, describe(words, 1, rng))


def _free(concept: str, used: set[str], rng: random.Random) -> str:
    name, number = name_for(concept, rng), 1
    plain = name
    while name in used:
        number += 1
        name = f"{plain}, rule {number}"
    return name
