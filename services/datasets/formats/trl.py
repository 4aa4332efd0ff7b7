"""Preference data as TRL defines it: `prompt, chosen, rejected`, plain or as chat messages.

With an implicit prompt (conversations in `chosen` and `rejected` that open alike), the shared opening is the prompt.
https://huggingface.co/docs/trl/dataset_formats#preference
"""

from __future__ import annotations

from services.datasets.drafts import PairDraft, PairFormat, pair_draft
from services.datasets.formats.messages import (
    Message,
    answer,
    conversation,
    many_speakers,
    opening,
    question,
    rendered,
    shared_start,
)
from services.datasets.record import Record


def _read(record: Record) -> PairDraft | None:
    prompt, chosen, rejected = _texts(record)
    draft = PairDraft(
        row=record.row,
        id=record.name("id"),
        a=chosen,
        b=rejected,
        preferred="a",
        prompt=prompt,
        reason=record.words("reason"),
        group=record.name("group"),
        weight=record.positive("weight"),
    )
    return pair_draft(record, ("chosen", "rejected"), (chosen, rejected), draft)


def _texts(record: Record) -> tuple[str, str, str]:
    chosen, rejected = conversation(record, "chosen"), conversation(record, "rejected")
    if chosen is None or rejected is None:
        return question(record), answer(record, "chosen"), answer(record, "rejected")
    # One message must remain of each, so that an opening shared to the end is still reported as identical texts.
    shared = min(shared_start(chosen, rejected), len(chosen) - 1, len(rejected) - 1)
    if record.has("prompt"):
        prompt = question(record)
        shared = opening(chosen, record.structure("prompt"), shared)
    else:
        prompt = _implicit(record, chosen[:shared])
    return prompt, _ending(record, "chosen", chosen[shared:]), _ending(record, "rejected", rejected[shared:])


def _implicit(record: Record, messages: list[Message]) -> str:
    return record.checked("chosen", rendered(record, "chosen", messages, roles=len(messages) > 1))


def _ending(record: Record, field: str, messages: list[Message]) -> str:
    return record.sound(field, rendered(record, field, messages, roles=many_speakers(messages)))


TRL = PairFormat(
    name="trl",
    needs=frozenset({"chosen", "rejected"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "reason", "group", "weight"}),
    read=_read,
)
