"""The criteria of a set as other judges need them: numbered, in harmless words, with what each one counts.

What a target cannot carry by itself (an expression, a domain, a source) stands in a note beside the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents.criteria_set import CriteriaSet, Member
from knowledge_base.criterion import Criterion, Provenance
from services.exchange.words import Neutral

_DIGITS = 6


@dataclass(frozen=True)
class Item:
    """A criterion as a target shows it.

    Attributes:
        number: from 1, strongest first.
        name, description, not_when: its words, neutral; `not_when` is empty if it always applies.
        weight: what its vote adds to the log-odds; may be negative.
        share: |weight| over the sum of all, in [0, 1]; equal shares if every weight is 0.
        measure: how a program measures it, in words; empty if only a reader can judge by it.
        source: where it comes from, in words.
        hash: content hash of the criterion.
    """

    number: int
    name: str
    description: str
    not_when: str
    weight: float
    share: float
    measure: str
    source: str
    hash: str

    @property
    def against(self) -> bool:
        """Whether meeting it speaks against a text: its weight is negative."""
        return self.weight < 0

    @property
    def percent(self) -> str:
        """Its share as people read it."""
        return f"{self.share:.1%}"

    @property
    def words(self) -> str:
        """Name, description and when it does not apply, on one line."""
        limit = f" It does not apply: {_closed(self.not_when)}" if self.not_when else ""
        return f"{self.name}: {_closed(self.description)}{limit}"


def items_of(criteria_set: CriteriaSet, neutral: Neutral) -> tuple[Item, ...]:
    """The set's criteria, strongest first, in words that `neutral` made harmless."""
    weights = [abs(m.weight) for m in criteria_set.members]
    whole = sum(weights)
    shares = [w / whole if whole else 1 / len(weights) for w in weights]
    pairs = zip(criteria_set.members, shares, strict=True)
    return tuple(_item(i, m, share, neutral) for i, (m, share) in enumerate(pairs, 1))


def distinct_names(items: Sequence[Item]) -> list[str]:
    """The items' names, with a part of the hash where two would be the same."""
    plain = [item.name for item in items]
    return [name if plain.count(name) == 1 else f"{name} ({i.hash[:6]})" for name, i in zip(plain, items, strict=True)]


def about(criteria_set: CriteriaSet, neutral: Neutral) -> dict[str, Any]:
    """What an export says of where it comes from: version, method, lineage, and every criterion's particulars."""
    return {
        "version": criteria_set.version,
        "method": neutral(criteria_set.method),
        "lineage": {k: _neutral(v, neutral) for k, v in criteria_set.lineage.model_dump().items()},
        "criteria": [_particulars(m, neutral) for m in criteria_set.members],
    }


def notes_of(criteria_set: CriteriaSet, target: str) -> list[str]:
    """What is lost or changes its meaning in a target that judges by words, a sentence each."""
    members = criteria_set.members
    programmatic = [m for m in members if m.criterion.programmatic]
    limited = [m for m in members if m.criterion.not_when]
    against = [m for m in members if m.weight < 0]
    notes = {
        f"{_many(programmatic, 'has', 'have')} an expression, which {target} cannot run: "
        "words are judged instead, and the expression stands beside them as a note": programmatic,
        f"{_many(limited, 'does', 'do')} not always apply; {target} has no abstention, so the words say it": limited,
        f"{_many(against, 'counts', 'count')} against a text (negative weight), which the words say": against,
    }
    return [note for note, found in notes.items() if found]


def source_of(provenance: Provenance) -> str:
    """Where a criterion comes from, in words."""
    year = f", {provenance.year}" if provenance.year else ""
    return f"{provenance.source}{year}{f', {provenance.locator}' if provenance.locator else ''} ({provenance.kind})"


def measure_of(criterion: Criterion) -> str:
    """How a program measures a criterion, in words; empty if none can."""
    if not criterion.programmatic:
        return ""
    margin = f", differences up to {criterion.margin:g} do not count" if criterion.margin else ""
    return f"{criterion.expression}; {criterion.direction} is better{margin}"


def _item(number: int, member: Member, share: float, neutral: Neutral) -> Item:
    c = member.criterion
    return Item(
        number=number,
        name=neutral(c.name),
        description=neutral(c.description),
        not_when=neutral(c.not_when),
        weight=round(member.weight, _DIGITS),
        share=round(share, _DIGITS),
        measure=neutral(measure_of(c)),
        source=neutral(source_of(c.provenance)),
        hash=c.hash,
    )


def _particulars(member: Member, neutral: Neutral) -> dict[str, Any]:
    words = member.criterion.model_dump(exclude_defaults=True, exclude={"description"})
    neutral_words = {key: _neutral(value, neutral) for key, value in words.items()}
    return {**neutral_words, "hash": member.criterion.hash, "weight": member.weight}


def _neutral(value: Any, neutral: Neutral) -> Any:
    if isinstance(value, dict):
        return {key: _neutral(inner, neutral) for key, inner in value.items()}
    return neutral(value) if isinstance(value, str) else value


def _many(found: Sequence[Member], one: str, several: str) -> str:
    return f"1 criterion {one}" if len(found) == 1 else f"{len(found)} criteria {several}"


def _closed(sentence: str) -> str:
    """With a full stop at its end, so that the next sentence does not run into it."""
    return sentence if sentence.endswith((".", "!", "?", "。", "！", "？", "…")) else f"{sentence}."
