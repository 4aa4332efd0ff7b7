"""The word sets that the style signals look up, some made by rule from base forms."""

from __future__ import annotations

from functools import cache

from agents.signals.lexicons import load
from agents.signals.tags import lexicon

_VOWELS = frozenset("aeiou")
_IRREGULAR = {
    "bite": "bit bitten", "cling": "clung", "creep": "crept", "dig": "dug", "drive": "drove driven",
    "fling": "flung", "flee": "fled", "grind": "ground", "heave": "hove", "kneel": "knelt",
    "lean": "leant", "leap": "leapt", "sew": "sewn", "shave": "shaven", "shear": "shorn", "slide": "slid",
    "sling": "slung", "slink": "slunk", "sneak": "snuck", "spin": "spun", "spit": "spat",
    "stick": "stuck", "stride": "strode", "strike": "struck", "sweep": "swept", "swing": "swung",
    "tear": "tore torn", "throw": "threw thrown", "weave": "wove woven", "wring": "wrung", "draw": "drew",
    "blow": "blew blown", "hold": "held", "dive": "dove", "catch": "caught", "string": "strung",
}  # fmt: skip


def verb_forms(base: str) -> set[str]:
    """The base form with its -s, -ed and -ing forms, by rule; irregular pasts are added, not exchanged."""
    stem = base[:-1] if base.endswith("e") else base
    if len(base) > 2 and base[-1] not in "aeiouwxy" and base[-2] in _VOWELS and base[-3] not in _VOWELS:
        stem = base + base[-1] if len(base) < 5 or f"{base}{base[-1]}ed" in lexicon() else base
    third = base + ("es" if base.endswith(("s", "sh", "ch", "x", "z")) else "s")
    past = stem + "ed"
    if base.endswith("y") and base[-2] not in _VOWELS:
        third, past = base[:-1] + "ies", base[:-1] + "ied"
    return {base, third, past, stem + "ing", *_IRREGULAR.get(base, "").split()}


@cache
def strong_verbs() -> frozenset[str]:
    """Forms of verbs for one definite movement, handling or way of speaking, less those that are mostly nouns."""
    forms = frozenset().union(*(verb_forms(base) for base in load("strong_verbs")))
    return frozenset(form for form in forms if lexicon().get(form, "V")[0] not in "JD")


@cache
def concrete_nouns() -> frozenset[str]:
    """Everyday nouns for visible things, singular and plural."""
    singular = load("concrete_nouns")
    return singular | frozenset(_plural(noun) for noun in singular)


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return noun[:-1] + "ies"
    if noun.endswith(("leaf", "loaf", "calf", "scarf", "shelf", "wolf")):
        return noun[:-1] + "ves"
    return noun + ("es" if noun.endswith(("s", "sh", "ch", "x", "z", "tomato", "potato", "mango")) else "s")
