"""Words for criteria that a statistical manager finds, written from the signals' own documentation."""

from __future__ import annotations

import hashlib

from agents.expression import names_in
from agents.expression_space import Candidate
from agents.signals import SIGNALS
from knowledge_base.criterion import Criterion, Domain, Provenance

TURNED = "Here people prefer the text with less of it. "
"""Opens the description of a criterion whose direction was turned: it reverses what the words would ask of a reader."""

FOUND_BY = Provenance(kind="mined", source="Touchstone, statistical manager: search over signals", year=2026)


def criterion_from(candidate: Candidate, domain: Domain) -> Criterion:
    """A criterion in words for an expression that the search found."""
    names = names_in(candidate.expression)
    more = "more" if candidate.direction == "higher" else "less"
    title = " and ".join(name.replace("_", " ") for name in names[:2])
    return Criterion(
        name=_fit(f"{more.capitalize()} {title}", candidate),
        description=f"The text with {more} of this is better: {_meaning(names)}"[:1190],
        not_when="One of the measures does not apply to one of the texts.",
        domains={domain: 1},
        provenance=FOUND_BY,
        expression=candidate.expression,
        direction=candidate.direction,
        margin=candidate.margin,
    )


def rewritten(criterion: Criterion, candidate: Candidate) -> Criterion:
    """The criterion with its words kept and said anew what is measured: direction, margin and combination.

    A turned direction is stated first. It says the opposite of the source, so neither the source nor its word on how
    much the criterion matters carries over.
    """
    turns = candidate.direction != criterion.direction
    turned = turns != criterion.description.startswith(TURNED)
    added = [n for n in names_in(candidate.expression) if n not in names_in(criterion.expression)]
    also = f" Weighed together with: {_meaning(tuple(added))}" if added else ""
    words = criterion.description.removeprefix(TURNED)
    return Criterion(
        name=criterion.name,
        description=f"{TURNED if turned else ''}{words}{also}"[:1190],
        not_when=criterion.not_when,
        domains={} if turns else criterion.domains,
        provenance=FOUND_BY if turns else criterion.provenance,
        expression=candidate.expression,
        direction=candidate.direction,
        margin=candidate.margin,
    )


def explanation(candidate: Candidate) -> str:
    """Why people may have preferred what they did, in a sentence that a knowledge base can be searched with."""
    more = "more" if candidate.direction == "higher" else "less"
    return f"People preferred the text with {more} of this: {_meaning(names_in(candidate.expression))}"


def _meaning(names: tuple[str, ...]) -> str:
    return " ".join(SIGNALS[name].definition for name in names)


def _fit(title: str, candidate: Candidate) -> str:
    """At most 80 characters, and still telling two expressions over the same signals apart."""
    tail = hashlib.sha256(candidate.expression.encode()).hexdigest()[:4]
    return title if len(names_in(candidate.expression)) == 1 and len(title) <= 80 else f"{title[:72]} ({tail})"
