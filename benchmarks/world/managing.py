"""The manager as plain functions, first half: why people chose, and which criteria might say so.

It knows of the world only what it is shown, except for `Insight.reliability`: how often the reason that it gives is
one that counted with people, rather than any difference between the texts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.world.chance import generator
from benchmarks.world.people import World
from benchmarks.world.pointing import point, tally
from benchmarks.world.qualities import levels, names, quality_named
from benchmarks.world.wording import NOT_WHEN, Wording, describe, listing, name_for, pointless

Reason = tuple[str, int]
"""A quality, and whether people wanted more (1) or less (-1) of it."""

FIRST_WORDS = (0.3, 0.45, 0.25)
"""How often a new criterion names one, two or three concepts of its quality: middling words."""

STRAY = 0.2
"""How often it names a concept of another quality as well."""

COVERED, REPEATED, BANNED = 0.5, 0.3, 0.6
"""Factors on how likely a quality is proposed for each criterion about it that is taken, that stands in the same reply
already, and that is banned."""

LISTENED = 0.8
"""How often a reason that people gave is taken up."""

CHATTY = 0.5
"""How often an explanation holds a sentence that explains nothing."""

SURMISE = 0.5
"""Mentions that every quality is credited with before anything is explained."""

FILLERS = (
    "The other stays behind in this.", "Taken as a whole it does more for whoever asked.",
    "The other reads as if put together in a hurry.", "Both speak to the matter, but only one gets there.",
)  # fmt: skip


@dataclass(frozen=True)
class Insight:
    """How good a manager is.

    Attributes:
        reliability: how often a reason it gives for a choice is one that counted with people, in [0, 1].
        skill: how often it sees that a mistake comes from weak words, in [0, 1].
        useless: share of proposals that point at nothing, once many explanations are there, in [0, 1].
        repeats: share of proposals that copy one that is taken or banned, in [0, 1].
        spoils: share of rewrites that lose words, in [0, 1].
        drifts: share of rewrites that take up words of another quality, in [0, 1].
        echoes: share of rewrites that come back under a wrong name, in [0, 1].
    """

    reliability: float = 0.6
    skill: float = 0.85
    useless: float = 0.25
    repeats: float = 0.05
    spoils: float = 0.08
    drifts: float = 0.1
    echoes: float = 0.1


GOOD = Insight()


def explain(
    world: World, a: str, b: str, preferred: str, seed: object, *, reasons: str = "", insight: Insight = GOOD
) -> str:
    """Why people preferred `a` or `b`, in two or three sentences that name qualities; not always the right ones."""
    rng = generator("explain", seed, a, b, preferred, reasons)
    told = [reason for reason in tally(reasons) if rng.random() < LISTENED]
    wanted = rng.choice((2, 2, 3))
    while len(told) < wanted:
        found = surmise(world, a, b, preferred, rng, insight, told)
        if found is None:
            break
        told.append(found)
    sentences = [_because(reason, rng) for reason in told[:wanted]]
    return " ".join([*sentences, rng.choice(FILLERS)] if rng.random() < CHATTY or not told else sentences)


def surmise(
    world: World, a: str, b: str, preferred: str, rng: random.Random, insight: Insight, known: Sequence[Reason] = ()
) -> Reason | None:
    """A reason for a choice that is not yet known: one that counted, or any in which the preferred text has more."""
    sign = 1 if preferred == "a" else -1
    counted = {_wanted(world, q): sign * v for q, v in world.contributions(a, b).items() if sign * v > 0}
    of_a, of_b = levels(a), levels(b)
    seen = {(q, 1): sign * (of_a[q] - of_b[q]) for q in names() if sign * (of_a[q] - of_b[q]) > 0}
    pool = counted if rng.random() < insight.reliability else seen
    return _drawn({r: v for r, v in (pool or seen or counted).items() if r not in known}, rng)


def propose(
    number: int, explanations: str, seed: object, *, taken: str = "", banned: str = "", failures: str = "",
    insight: Insight = GOOD,
) -> list[dict[str, object]]:  # fmt: skip
    """New criteria: good, redundant and useless ones; the more is explained, the more good ones.

    Args:
        number: how many.
        explanations: why people chose, a line each.
        seed: anything; what prints alike proposes alike.
        taken, banned: criteria, one a line as `- name: description`; avoided, imperfectly.
        failures: what earlier criteria missed, one a line as `- name: critique`.
        insight: how good the manager is.

    Returns:
        `name`, `description`, `not_when` and `probability` of each.
    """
    rng = generator("propose", seed, number, explanations, taken, banned, failures)
    mentions = tally(explanations) + tally(_criticised(failures))
    likely = _likely(mentions, _about(taken), _about(banned))
    useless = insight.useless + 0.25 * 0.9 ** mentions.total()
    known, found = [w for w in map(_read_line, [*taken.splitlines(), *banned.splitlines()]) if w], list[Wording]()
    chances = list[float]()
    for _ in range(number):
        wording, chance = _proposal(likely, useless, known, rng, insight)
        found.append(wording)
        chances.append(chance)
    return [
        {"name": w.name, "description": w.description, "not_when": NOT_WHEN, "probability": c}
        for w, c in zip(found, chances, strict=True)
    ]


def new_wording(reason: Reason, rng: random.Random) -> Wording:
    """A criterion about a quality in middling words."""
    quality, sign = reason
    named = rng.sample(quality_named(quality).words, rng.choices((1, 2, 3), FIRST_WORDS)[0])
    name = name_for(named[0], rng)
    if rng.random() < STRAY:
        named.append(rng.choice(quality_named(rng.choice([q for q in names() if q != quality])).words))
    return Wording(name, describe(named, sign, rng))


def _proposal(
    likely: dict[Reason, float], useless: float, known: Sequence[Wording], rng: random.Random, insight: Insight
) -> tuple[Wording, float]:
    """A wording, and the probability that the manager gives it; `likely` falls for a quality just proposed."""
    if rng.random() < useless:
        return pointless(rng), round(rng.uniform(0.02, 0.15), 2)
    if known and rng.random() < insight.repeats:
        return rng.choice(known), round(rng.uniform(0.02, 0.3), 2)
    reason = _drawn(likely, rng) or (rng.choice(names()), 1)
    share = likely.get(reason, 0.0) / (sum(likely.values()) or 1.0)
    likely[reason] = likely.get(reason, 0.0) * REPEATED
    return new_wording(reason, rng), round(min(0.95, share * rng.uniform(0.7, 1.3)), 2)


def _likely(mentions: Counter[Reason], taken: Counter[str], banned: Counter[str]) -> dict[Reason, float]:
    """How likely each reason is to be proposed, unnormalised."""
    credited = {(q, 1): SURMISE for q in names()} | {r: SURMISE + n for r, n in mentions.items()}
    return {r: n**1.3 * COVERED ** taken[r[0]] * BANNED ** banned[r[0]] for r, n in credited.items()}


def _about(criteria: str) -> Counter[str]:
    """Quality -> how many of the listed criteria are about it."""
    return Counter(filter(None, (point(line).main for line in criteria.splitlines())))


def _read_line(line: str) -> Wording | None:
    name, colon, description = line.removeprefix("- ").partition(": ")
    return Wording(name.strip(), description.strip()) if colon else None


def _criticised(failures: str) -> str:
    """Critiques without the names of the criteria that they speak of."""
    return "\n".join(line.partition(": ")[2] or line for line in failures.splitlines())


def _wanted(world: World, quality: str) -> Reason:
    return quality, 1 if world.weights[quality] > 0 else -1


def _because(reason: Reason, rng: random.Random) -> str:
    quality, sign = reason
    words = listing(rng.sample(quality_named(quality).words, 2))
    return f"The preferred text has more {words}." if sign > 0 else f"The preferred text avoids {words}."


def _drawn(weights: Mapping[Reason, float], rng: random.Random) -> Reason | None:
    return rng.choices(list(weights), list(weights.values()))[0] if weights else None
