"""Battles as the LMSYS arena publishes them: `response_a, response_b, winner`, the winner named by its side."""

from __future__ import annotations

from agents.pairs import Preference
from services.datasets.drafts import PairDraft, PairFormat, pair_draft
from services.datasets.formats.messages import answer, question
from services.datasets.record import Record

_MEANS: dict[str | None, Preference] = {"model_a": "a", "model_b": "b", "tie": "tie", "tie (bothbad)": "tie"}
_WINNERS = ("model_a", "model_b", "tie", "tie (bothbad)")


def _read(record: Record) -> PairDraft | None:
    a, b = answer(record, "response_a"), answer(record, "response_b")
    winner = record.choice("winner", _WINNERS)
    if not record.has("winner"):
        record.fault("winner", "missing", 'use "model_a", "model_b", "tie" or "tie (bothbad)"')
    draft = PairDraft(
        row=record.row,
        id=record.name("id"),
        a=a,
        b=b,
        preferred=_MEANS.get(winner),
        prompt=question(record),
        annotator=record.name("judge"),
        reason=record.words("reason"),
        group=record.name("group"),
        weight=record.positive("weight"),
    )
    return pair_draft(record, ("response_a", "response_b"), (a, b), draft)


ARENA = PairFormat(
    name="arena",
    needs=frozenset({"response_a", "response_b", "winner"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "judge", "reason", "group", "weight"}),
    read=_read,
)
