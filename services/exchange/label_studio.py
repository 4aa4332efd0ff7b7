"""Label Studio's exports: JSON (tasks with their annotations) and JSON-MIN (an annotation a record).

A `Pairwise` control answers `left` or `right`, the order being that of its `toName`; a `Choices` control may say that
neither is better; a `TextArea` may say why. https://labelstud.io/guide/task_format
"""

from __future__ import annotations

from typing import Any

from services.datasets.faults import shown
from services.exchange.sheets import Answered, Filled, State

NAME = "label-studio"

_ANNOTATION = frozenset({"annotation_id", "annotator"})
_OWN = _ANNOTATION | {"id", "created_at", "updated_at", "lead_time", "agreement", "history", "was_cancelled"}
_PAYLOADS = ("selected", "choices", "text", "rating", "ranker", "number")
_SHAPE = "export the project again as JSON or JSON-MIN"

Flaws = list[tuple[str, str, str]]


class LabelStudio:
    """Reads tasks of Label Studio."""

    name = NAME

    def knows(self, fields: dict[str, object]) -> bool:
        return _is_task(fields) or fields.keys() >= _ANNOTATION

    def read(self, number: int, fields: dict[str, object]) -> Filled:
        return _task(number, fields) if _is_task(fields) else _minimal(number, fields)


def _is_task(fields: dict[str, object]) -> bool:
    annotated = fields.get("annotations", fields.get("completions"))
    return isinstance(fields.get("data"), dict) and isinstance(annotated, list)


def _task(number: int, fields: dict[str, Any]) -> Filled:
    flaws: Flaws = []
    annotated = fields.get("annotations", fields.get("completions")) or []
    answers = [found for a in annotated if (found := _annotation(a, flaws))]
    sides = next((s for a in annotated if (s := _sides(a, fields["data"]))), None)
    return Filled(number, _name(fields.get("id")), fields["data"], tuple(answers), sides, tuple(flaws))


def _annotation(annotation: object, flaws: Flaws) -> Answered | None:
    results = annotation.get("result") if isinstance(annotation, dict) else None
    if not isinstance(annotation, dict) or not isinstance(results, (list, type(None))):
        flaws.append(("annotations", f"holding {shown(annotation)}", _SHAPE))
        return None
    values: dict[str, object] = {}
    for result in results or []:
        if isinstance(result, dict) and isinstance(result.get("from_name"), str):
            values[result["from_name"]] = _payload(result.get("value"))
    cancelled = annotation.get("was_cancelled") or annotation.get("skipped")
    state: State = "cancelled" if cancelled else "submitted"
    return Answered(_who(annotation.get("completed_by")), state, values, _when(annotation), _expert(annotation))


def _minimal(number: int, fields: dict[str, Any]) -> Filled:
    """A record of JSON-MIN holds data and answers side by side; answers are told by their shape."""
    values = {key: _payload(value) for key, value in fields.items() if key not in _OWN}
    answer = Answered(_who(fields["annotator"]), "submitted", values, _when(fields))
    texts: dict[str, object] = {
        key: value for key, value in fields.items() if key not in _OWN and isinstance(value, str)
    }
    return Filled(number, _name(fields.get("id")), texts, (answer,))


def _payload(value: object) -> object:
    """What a control answered, without its wrapping: `left`, `tie`, `because ...`, 4 ..."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return _payload(value[0])
    if isinstance(value, dict):
        inner = next((value[key] for key in _PAYLOADS if key in value), value)
        return inner if inner is value else _payload(inner)
    return value


def _sides(annotation: object, data: dict[str, Any]) -> tuple[str, str] | None:
    """The two texts that a pairwise answer is about, where it names them as the data does."""
    results = annotation.get("result") if isinstance(annotation, dict) else None
    for result in results if isinstance(results, list) else []:
        named = result.get("to_name") if isinstance(result, dict) else None
        names = [part.strip() for part in named.split(",")] if isinstance(named, str) else []
        if len(names) == 2 and all(name in data for name in names):
            return names[0], names[1]
    return None


def _who(completed_by: object) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return _name(completed_by)


def _name(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _when(holder: dict[str, Any]) -> str:
    at = holder.get("updated_at") or holder.get("created_at")
    return at if isinstance(at, str) else ""


def _expert(annotation: dict[str, Any]) -> bool:
    return annotation.get("ground_truth") is True
