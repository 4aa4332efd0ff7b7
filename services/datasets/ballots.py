"""Votes as users write them: a list of answers, a list of objects, or `a;b;a` in a CSV field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from agents.pairs import Preference, Vote
from services.datasets.faults import shown
from services.datasets.record import Record

ANSWERS = ("a", "b", "tie")
LIMIT = 1000
"""Most votes on one pair in one row."""

_REMEDY = 'list "a", "b" and "tie", or objects with "preferred" and, if known, "annotator" and "reason"'


def votes(record: Record, field: str) -> tuple[Vote, ...]:
    """Votes in a column; empty if it is absent or (with faults noted) not readable."""
    value = record.structure(field)
    if value is None:
        return ()
    if record.textual and isinstance(value, str):
        value = [part.strip() for part in value.split(";") if part.strip()]
    if not isinstance(value, list) or len(value) > LIMIT:
        said = f"a list of {len(value)} votes" if isinstance(value, list) else shown(value)
        record.fault(field, said, f"{_REMEDY}; at most {LIMIT} a row")
        return ()
    read = [_vote(record, field, item) for item in value]
    return tuple(vote for vote in read if vote is not None)


def annotators(record: Record, field: str = "annotators") -> tuple[Vote, ...]:
    """Votes in a column that may also hold just their number, which says nothing about the answer."""
    value = record.raw(field)
    counted = isinstance(value, (int, float)) or (isinstance(value, str) and value.strip().isdigit())
    return () if counted else votes(record, field)


def reasons(record: Record, field: str = "reason") -> tuple[str, tuple[Vote, ...]]:
    """A column of reasons: either one string, or a list of votes with their reasons."""
    value = record.structure(field)
    if isinstance(value, list):
        return "", votes(record, field)
    return record.words(field), ()


def with_reasons(given: Sequence[Vote], reasoned: Sequence[Vote]) -> tuple[Vote, ...]:
    """Votes and reasons written in two columns, as one list.

    The reasons' list replaces the votes' where both hold the same answers and the votes name nobody; otherwise the
    votes stand as they are, and reasons alone are votes too.
    """
    same = Counter(v.preferred for v in given) == Counter(v.preferred for v in reasoned)
    anonymous = not any(vote.annotator for vote in given)
    return tuple(reasoned) if not given or (same and anonymous) else tuple(given)


def joined(voted: Sequence[Vote], preferred: Preference | None = None) -> str:
    """Distinct reasons of the votes (for one answer, if given), in order, a line each."""
    return "\n".join(dict.fromkeys(v.reason for v in voted if v.reason and preferred in (None, v.preferred)))


@lru_cache(maxsize=65536)
def plain(preferred: Preference, annotator: str) -> Vote:
    """A vote without a reason; equal ones are one object, so that a million votes stay small."""
    return Vote(preferred=preferred, annotator=annotator)


def mirrored(voted: Sequence[Vote]) -> tuple[Vote, ...]:
    """The same votes with the sides of the pair exchanged."""
    return tuple(_mirrored(vote) for vote in voted)


def other_side(preferred: Preference) -> Preference:
    """The answer with the sides of the pair exchanged."""
    other: dict[Preference, Preference] = {"a": "b", "b": "a", "tie": "tie"}
    return other[preferred]


def _mirrored(vote: Vote) -> Vote:
    other = other_side(vote.preferred)
    return vote.model_copy(update={"preferred": other}) if vote.reason else plain(other, vote.annotator)


def _vote(record: Record, field: str, item: object) -> Vote | None:
    if isinstance(item, dict):
        answer, annotator = _part(item, "preferred", "vote"), _part(item, "annotator")
        reason = _part(item, "reason", "text")
    else:
        answer, annotator, reason = item, "", ""
    if not isinstance(answer, str) or answer not in ANSWERS:
        record.fault(field, f"holding {shown(item)}", _REMEDY)
        return None
    if not isinstance(reason, str) or not isinstance(annotator, (str, int)) or "\x00" in f"{reason}{annotator}":
        record.fault(field, f"holding {shown(item)}", 'write "annotator" and "reason" as strings without NUL')
        return None
    preferred, name = cast(Preference, answer), str(annotator).strip()
    return Vote(preferred=preferred, annotator=name, reason=reason) if reason.strip() else plain(preferred, name)


def _part(item: dict[object, object], *names: str) -> object:
    """The first of the named parts that is there and not null; empty if none is."""
    return next((item[name] for name in names if item.get(name) is not None), "")
