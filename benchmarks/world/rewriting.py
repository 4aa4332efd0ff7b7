"""The manager as plain functions, second half: what was wrong with a criterion's words, and better ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from benchmarks.world.chance import generator
from benchmarks.world.judging import compare_levels
from benchmarks.world.managing import GOOD, Insight, Reason, surmise
from benchmarks.world.people import World
from benchmarks.world.pointing import Pointing, point, quality_of, tally
from benchmarks.world.qualities import quality_named
from benchmarks.world.wording import NOT_WHEN, Wording, describe, listing, name_for, pointless

NAMED = 3
"""Concepts that one critique names at most."""

ADDED = 4
"""Concepts that one rewrite adds at most."""

BLAMED = 0.5
"""How often a critique of words that are not at fault names the quality that decided instead."""

FOCUSED = 0.6
"""How often a stray concept is dropped by a rewrite that adds concepts of the criterion's own quality."""

ADOPTED = 0.6
"""How often a criterion that points at nothing is reworded to ask for the quality that critiques name most."""

NO_FAULT = "The wording is not at fault here: people weighed these two as a whole, and this pair is an exception."


def critique(world: World, words: str, a: str, b: str, people: str, seed: object, *, insight: Insight = GOOD) -> str:
    """What is wrong with a criterion that decided against people on a pair.

    If people's choice has more of what the words mean to ask for, the words were too weak, and some that are missing
    are named. Else another quality decided, which may be named; a rewrite that takes it up points at two.

    Args:
        world: whose people they are.
        words: name and description of the criterion.
        a, b: the pair's texts.
        people: which of them people preferred, `a` or `b`.
        seed: anything; what prints alike finds alike.
        insight: how good the manager is.
    """
    rng = generator("critique", seed, words, a, b, people)
    own, sign = point(words), 1 if people == "a" else -1
    if own.shares and sign * compare_levels(own, a, b) > 0 and rng.random() < insight.skill:
        return _too_weak(own, rng)
    other = surmise(world, a, b, people, rng, insight)
    if other is None or (own.shares and rng.random() >= BLAMED):
        return NO_FAULT
    return _by_another(other, rng)


def rewrite(
    name: str, description: str, critiques: str, seed: object, *, accuracy: str = "", insight: Insight = GOOD
) -> dict[str, object]:
    """A criterion worded anew: with the words that critiques name, sometimes worse, sometimes under a wrong name.

    Returns:
        `name`, `description` and `not_when`.
    """
    rng = generator("rewrite", seed, name, description, critiques, accuracy)
    own, named = point(f"{name}: {description}"), tally(critiques)
    wording = _worded(name, own, critiques, named, rng, insight)
    shown = "Revised criterion" if rng.random() < insight.echoes else wording.name
    return {"name": shown, "description": wording.description, "not_when": NOT_WHEN}


def _worded(
    name: str, own: Pointing, critiques: str, named: Counter[Reason], rng: random.Random, insight: Insight
) -> Wording:
    if not own.shares:
        return _adopted(name, named, rng)
    added = [c for c in point(critiques).concepts if c not in own.concepts]
    right = [c for c in added if quality_of(c) == own.main][:ADDED]
    wrong = [c for c in added if quality_of(c) != own.main]
    kept = [c for c in own.concepts if not right or quality_of(c) == own.main or rng.random() >= FOCUSED]
    if rng.random() < insight.spoils:
        kept, right = rng.sample(kept, (len(kept) + 1) // 2), []
    stray = rng.sample(wrong, min(len(wrong), NAMED)) if rng.random() < insight.drifts else []
    return Wording(name, describe([*kept, *right, *stray], own.sign, rng))


def _adopted(name: str, named: Counter[Reason], rng: random.Random) -> Wording:
    """Words for a criterion that had none: those of the quality that critiques name most."""
    if not named or rng.random() >= ADOPTED:
        return Wording(name, pointless(rng).description)
    quality, sign = max(sorted(named), key=lambda reason: named[reason])
    words = rng.sample(quality_named(quality).words, 2)
    return Wording(name_for(words[0], rng), describe(words, sign, rng))


def _too_weak(own: Pointing, rng: random.Random) -> str:
    missing = [word for word in quality_named(own.main).words if word not in own.concepts]
    if not missing:
        return NO_FAULT
    asked = listing(rng.sample(missing, min(NAMED, len(missing))))
    if own.sign < 0:
        return f"The wording does not say what to look at. It should say that the better text avoids {asked} too."
    return f"The wording does not say what to look at. It should ask for {asked} as well."


def _by_another(reason: Reason, rng: random.Random) -> str:
    quality, sign = reason
    words = listing(rng.sample(quality_named(quality).words, NAMED))
    has = "has more" if sign > 0 else "avoids"
    return f"People chose by something else: the preferred text {has} {words}. The wording passes over this."


def criticise(
    world: World, words: str, mistakes: Sequence[tuple[str, str, str]], seed: object, *, insight: Insight = GOOD
) -> list[str]:
    """A critique for each mistake (a, b, what people preferred), in order."""
    return [critique(world, words, a, b, people, seed, insight=insight) for a, b, people in mistakes]
