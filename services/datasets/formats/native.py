"""Touchstone's own columns: `a, b, preferred` and what may stand beside them."""

from __future__ import annotations

from typing import cast

from agents.pairs import Preference
from services.datasets.ballots import ANSWERS, annotators, joined, reasons, votes, with_reasons
from services.datasets.drafts import PairDraft, PairFormat, pair_draft
from services.datasets.record import Record


def _read(record: Record) -> PairDraft | None:
    a, b = record.text("a"), record.text("b")
    preferred = cast("Preference | None", record.choice("preferred", ANSWERS))
    reason, reasoned = reasons(record)
    given = votes(record, "votes") or annotators(record)
    voted = with_reasons(given, reasoned)
    if preferred is None and not voted and not record.faults:
        record.fault("preferred", "missing", 'use "a", "b" or "tie", or give "votes"')
    draft = PairDraft(
        row=record.row,
        id=record.name("id"),
        a=a,
        b=b,
        preferred=preferred,
        prompt=record.words("prompt"),
        votes=voted,
        annotator=record.name("annotator"),
        reason=reason or ("" if voted == reasoned else joined(reasoned, preferred)),
        group=record.name("group"),
        weight=record.positive("weight"),
    )
    return pair_draft(record, ("a", "b"), (a, b), draft)


NATIVE = PairFormat(
    name="native",
    needs=frozenset({"a", "b"}),
    answers=frozenset({"preferred", "votes", "annotators"}),
    also=frozenset({"id", "prompt", "reason", "group", "weight", "annotator"}),
    read=_read,
)
