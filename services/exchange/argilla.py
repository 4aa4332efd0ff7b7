"""Argilla's exports.

Four shapes are read: records of `Dataset.records.to_json` and `to_list` (2.x), the same flattened (`to_list(flatten=
True)`, `to_datasets`), records of the server and of 1.x (`FeedbackRecord`: a list of users' responses, each with its
values), and 1.x as a table (`format_as("datasets")`: a column for each question).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

from services.datasets.faults import shown
from services.exchange.sheets import Answered, Filled, State

NAME = "argilla"

_STATES: dict[object, State] = {
    None: "unstated", "submitted": "submitted", "discarded": "discarded", "draft": "draft", "pending": "draft",
}  # fmt: skip
_OWN = ("id", "external_id", "_server_id", "metadata", "vectors", "status", "inserted_at", "updated_at", "suggestions")
_RESPONSES = ".responses"
_SHAPE = "export the records again with Argilla's to_json, to_list or to_datasets"

Flaws = list[tuple[str, str, str]]


class Argilla:
    """Reads records of Argilla."""

    name = NAME

    def knows(self, fields: dict[str, object]) -> bool:
        return _nested(fields) or bool(_flat_questions(fields)) or bool(_table_questions(fields))

    def read(self, number: int, fields: dict[str, object]) -> Filled:
        flaws: Flaws = []
        if _nested(fields):
            texts = cast("dict[str, object]", fields["fields"])
            answers = list(_of_record(fields["responses"], flaws))
        elif flat := _flat_questions(fields):
            texts = _texts(fields, {key for key in fields if "." in key})
            answers = list(_of_flat(fields, flat, flaws))
        else:
            table = _table_questions(fields)
            texts = _texts(fields, {key for key in fields if key in table or "-suggestion" in key})
            answers = list(_of_table(fields, table, flaws))
        return Filled(number, _id(fields), texts, tuple(answers), flaws=tuple(flaws))


def _nested(fields: dict[str, object]) -> bool:
    return isinstance(fields.get("fields"), dict) and isinstance(fields.get("responses"), (dict, list))


def _flat_questions(fields: dict[str, object]) -> list[str]:
    named = [key.removesuffix(_RESPONSES) for key in fields if key.endswith(_RESPONSES)]
    return [name for name in named if f"{name}{_RESPONSES}.users" in fields]


def _table_questions(fields: dict[str, object]) -> set[str]:
    """Columns of 1.x that hold responses: a list of objects with user and value, or lists of both."""
    needed = {"user_id", "value"}
    return {
        key
        for key, value in fields.items()
        if (isinstance(value, dict) and needed <= value.keys() and isinstance(value["value"], list))
        or (isinstance(value, list) and value and all(isinstance(v, dict) and needed <= v.keys() for v in value))
    }


def _texts(fields: dict[str, object], others: set[str]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key not in others and key not in _OWN}


def _id(fields: dict[str, object]) -> str:
    found = next((fields[key] for key in ("external_id", "id", "_server_id") if fields.get(key) is not None), "")
    return str(found) if isinstance(found, (str, int)) else ""


def _of_record(responses: object, flaws: Flaws) -> Iterator[Answered]:
    if isinstance(responses, list):
        yield from (found for r in responses if (found := _of_user(r, flaws)))
        return
    given = cast("dict[str, object]", responses)
    rows = [(name, v) for name, values in given.items() for v in _listed(f"responses.{name}", values, flaws)]
    yield from _gathered(rows, flaws)


def _of_user(response: object, flaws: Flaws) -> Answered | None:
    """One user's response to all questions, as the server and 1.x keep it."""
    if not isinstance(response, dict):
        flaws.append(("responses", f"holding {shown(response)}", _SHAPE))
        return None
    values = response.get("values") or {}
    if not isinstance(values, dict):
        flaws.append(("responses", f"holding the values {shown(values)}", _SHAPE))
        return None
    plain = {name: v.get("value") if isinstance(v, dict) else v for name, v in values.items()}
    return _answered(response, plain, flaws)


def _of_flat(fields: dict[str, object], questions: list[str], flaws: Flaws) -> Iterator[Answered]:
    rows = []
    for name in questions:
        key = name + _RESPONSES
        values = _listed(key, fields[key], flaws)
        users = _listed(f"{key}.users", fields[f"{key}.users"], flaws)
        states = _listed(f"{key}.status", fields.get(f"{key}.status"), flaws) or [None] * len(values)
        if not len(values) == len(users) == len(states):
            flaws.append((key, f"{len(values)} answers of {len(users)} users", _SHAPE))
            continue
        for value, user, state in zip(values, users, states, strict=True):
            rows.append((name, {"value": value, "user_id": user, "status": state}))
    yield from _gathered(rows, flaws)


def _of_table(fields: dict[str, object], questions: set[str], flaws: Flaws) -> Iterator[Answered]:
    rows: list[tuple[str, object]] = []
    for name in sorted(questions):
        value = fields[name]
        if isinstance(value, dict):
            columns = {key: column for key, column in value.items() if isinstance(column, list)}
            if len(set(map(len, columns.values()))) > 1:
                flaws.append((name, "holding columns of different lengths", _SHAPE))
                continue
            value = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        rows += [(name, v) for v in _listed(name, value, flaws)]
    yield from _gathered(rows, flaws)


def _gathered(rows: list[tuple[str, Any]], flaws: Flaws) -> Iterator[Answered]:
    """Answers that stand question by question, put together by user and state."""
    by_user: dict[tuple[str, str], tuple[dict[str, Any], dict[str, object]]] = defaultdict(lambda: ({}, {}))
    for question, given in rows:
        if not isinstance(given, dict) or "value" not in given:
            flaws.append((question, f"holding {shown(given)}", _SHAPE))
            continue
        first, values = by_user[str(given.get("user_id")), str(given.get("status"))]
        first.update(given)
        values[question] = given["value"]
    for first, values in by_user.values():
        if found := _answered(first, values, flaws):
            yield found


def _answered(response: dict[str, Any], values: dict[str, object], flaws: Flaws) -> Answered | None:
    status = response.get("status")
    if not isinstance(status, (str, type(None))) or status not in _STATES:
        flaws.append(("status", shown(status), 'use "submitted", "discarded" or "draft"'))
        return None
    user = response.get("user_id")
    at = response.get("updated_at") or response.get("inserted_at")
    name = "" if user is None or user == "None" else str(user)
    return Answered(name, _STATES[status], values, at if isinstance(at, str) else "")


def _listed(field: str, value: object, flaws: Flaws) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list):
        return value
    flaws.append((field, shown(value), _SHAPE))
    return []
