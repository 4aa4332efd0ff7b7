"""Pooled rows made into pairs: answers aggregated, sides settled, and what was done put into notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from agents.aggregation import Aggregation, Answer, aggregate
from agents.pairs import Pair, Preference
from services.datasets.ballots import joined, mirrored, other_side
from services.datasets.pooling import Pooled, digest

Sides = Literal["keep", "shuffle"]


def settle(pooled: Sequence[Pooled], sides: Sides) -> tuple[tuple[Pair, ...], list[str]]:
    """Pairs in order, and notes on what happened on the way.

    Args:
        pooled: distinct pairs with their votes.
        sides: `keep` leaves the sides as the file has them; `shuffle` sets them by the texts' content, so that they
            depend neither on the answer nor on the file.
    """
    asked = [entry for entry in pooled if entry.listed or entry.rows > 1]
    aggregation = aggregate([entry.votes for entry in asked]) if asked else None
    answers = dict(zip(map(id, asked), aggregation.answers if aggregation else (), strict=True))
    pairs = tuple(_pair(entry, answers.get(id(entry)), sides) for entry in pooled)
    return pairs, _notes(pooled, answers, aggregation)


def _pair(entry: Pooled, answer: Answer | None, sides: Sides) -> Pair:
    preferred, confidence = _answer(entry, answer)
    draft = entry.draft
    a, b, votes = draft.a, draft.b, tuple(entry.votes) if answer else ()
    reason = "\n".join(filter(None, (*entry.reasons, joined(entry.votes, preferred))))
    if sides == "shuffle" and _exchange(draft.prompt, a, b):
        a, b, votes, preferred = b, a, mirrored(votes), other_side(preferred)
    if len(votes) == 1 and not votes[0].annotator and not votes[0].reason:
        votes = ()
    return Pair(
        id=draft.id or _content_id(draft.prompt, a, b),
        a=a,
        b=b,
        preferred=preferred,
        prompt=draft.prompt,
        votes=votes,
        reason=reason,
        group=draft.group,
        weight=draft.weight,
        confidence=confidence,
    )


def _answer(entry: Pooled, answer: Answer | None) -> tuple[Preference, float]:
    """A stated answer stands, with whatever support the votes give it; otherwise the votes decide."""
    if answer is None:
        return entry.stated or "tie", 1.0
    if entry.stated is not None:
        return entry.stated, min(1.0, answer.support(entry.stated))
    return answer.preferred, min(1.0, answer.confidence)


def _exchange(prompt: str, a: str, b: str) -> bool:
    """Whether to exchange the sides: the lesser text stands first or second by a bit of the content's digest."""
    lesser_first = digest(prompt, min(a, b), max(a, b))[0] & 1 == 0
    return a != b and (a < b) != lesser_first


def _content_id(prompt: str, a: str, b: str) -> str:
    """A stable id (16 hex digits) for a pair that was given none; the same whichever side the texts stand on."""
    return digest(prompt, *sorted((a, b)))[:8].hex()


def _notes(pooled: Sequence[Pooled], answers: dict[int, Answer], aggregation: Aggregation | None) -> list[str]:
    merged = [entry for entry in pooled if entry.rows > 1]
    contested = sum(entry.contested for entry in merged)
    outvoted = sum(
        entry.stated is not None and id(entry) in answers and answers[id(entry)].preferred != entry.stated
        for entry in pooled
    )
    regrouped = sum(entry.regrouped for entry in merged)
    repeats = sum(entry.rows - 1 for entry in merged)
    notes = {
        f"{repeats} rows repeat the texts of an earlier row and were merged with it, their votes pooled": repeats,
        f"{contested} pairs have rows that contradict each other; their pooled votes decided": contested,
        f"{outvoted} pairs state an answer that is not the best supported by their votes; it stands": outvoted,
        f"{regrouped} pairs have rows in different groups; the first row's group was kept": regrouped,
    }
    kept = [note for note, count in notes.items() if count]
    if aggregation and any(len(entry.votes) > 1 for entry in pooled):
        kept.append(f"votes were aggregated by {aggregation.method} ({aggregation.why})")
    return kept
