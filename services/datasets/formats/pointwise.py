"""Texts that people labelled one by one: `text, label`, the label being 1 (good, kept) or 0 (not)."""

from __future__ import annotations

from typing import Literal

from services.datasets.drafts import PointDraft, PointFormat
from services.datasets.faults import shown
from services.datasets.record import Record


def _read(record: Record) -> PointDraft | None:
    draft = PointDraft(
        row=record.row,
        id=record.name("id"),
        text=record.text("text"),
        label=_label(record),
        prompt=record.words("prompt"),
        group=record.name("group"),
    )
    return None if record.faults else draft


def _label(record: Record) -> Literal[0, 1]:
    value = record.raw("label")
    accepted = ("0", "1") if record.textual else (0, 1)
    if value in accepted and not isinstance(value, (bool, float)):
        return 1 if value in (1, "1") else 0
    record.fault("label", "missing" if value is None else shown(value), "use 0 or 1")
    return 0


POINTWISE = PointFormat(
    name="pointwise",
    needs=frozenset({"text", "label"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "group"}),
    read=_read,
)
