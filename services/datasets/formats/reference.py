"""The columns of CritiQ's reference implementation: `A, B, answer`, the answer being "A" or "B"."""

from __future__ import annotations

from agents.pairs import Preference
from services.datasets.drafts import PairDraft, PairFormat, pair_draft
from services.datasets.record import Record

_MEANS: dict[str | None, Preference] = {"A": "a", "B": "b"}


def _read(record: Record) -> PairDraft | None:
    a, b = record.text("A"), record.text("B")
    answer = record.choice("answer", ("A", "B"))
    if not record.has("answer"):
        record.fault("answer", "missing", 'use "A" or "B"')
    draft = PairDraft(
        row=record.row,
        id=record.name("id"),
        a=a,
        b=b,
        preferred=_MEANS.get(answer),
        prompt=record.words("prompt"),
        reason=record.words("reason"),
        group=record.name("group"),
        weight=record.positive("weight"),
    )
    return pair_draft(record, ("A", "B"), (a, b), draft)


REFERENCE = PairFormat(
    name="reference",
    needs=frozenset({"A", "B", "answer"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "reason", "group", "weight"}),
    read=_read,
)
