"""Exports in which anything may stand anywhere: they are read, or what is wrong is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.datasets import read_dataset
from services.exchange.choosing import Choice
from services.exchange.importing import import_votes

KEY_WORDS = """
id data annotations completions result value selected choices text rating from_name to_name was_cancelled completed_by
email annotator annotation_id fields responses user_id status values rank updated_at text_a text_b prompt pw preference
preference.responses preference.responses.users preference.responses.status
"""
KEYS = st.sampled_from(KEY_WORDS.split())
LEAVES = st.sampled_from([None, True, 0, 1.5, "", "a", "left", "text_b", "submitted", "draft", "2024-05-01", "99-99"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
TASK = {
    "id": 1,
    "data": {"text_a": "one", "text_b": "two"},
    "annotations": [
        {"completed_by": 1, "result": [{"from_name": "pw", "to_name": "pw", "value": {"selected": "left"}}]}
    ],
}
RECORD = {
    "id": "1",
    "fields": {"text_a": "one", "text_b": "two"},
    "responses": [{"user_id": "u", "status": "submitted", "values": {"preference": {"value": "text_b"}}}],
}
FLAT = {
    "text_a": "one", "text_b": "two", "preference.responses": ["text_a"], "preference.responses.users": ["u"],
    "preference.responses.status": ["submitted"],
}  # fmt: skip
TABLE = {"text_a": "one", "text_b": "two", "preference": [{"user_id": "u", "value": "text_a", "status": "submitted"}]}


def paths_in(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, part in inner for path in [(*here, key), *paths_in(part, (*here, key))]]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return copy


@st.composite
def odd(draw: st.DrawFn, sound: Any) -> Any:
    """A sound record with anything in one or two of its places."""
    made = sound
    for _ in range(draw(st.integers(1, 2))):
        made = changed(made, draw(st.sampled_from(paths_in(made))), draw(VALUES))
    return made


@pytest.mark.parametrize(
    ("tool", "sound"), [("label-studio", TASK), ("argilla", RECORD), ("argilla", FLAT), ("argilla", TABLE)]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_record_with_anything_in_it_is_imported_or_told(
    tool: Any, sound: Any, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("o")
    path, out = folder / "x.json", folder / "o.jsonl"
    path.write_text(json.dumps([sound, data.draw(odd(sound)), data.draw(VALUES)]))
    try:
        made = import_votes(path, tool, out, Choice(a="text_a", b="text_b"), skip_faulty=True)
    except InputError:
        return
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == made.pairs
    assert made.votes == sum(len(row["votes"]) for row in rows)
    assert {vote["preferred"] for row in rows for vote in row["votes"]} <= {"a", "b", "tie"}


@settings(max_examples=50, deadline=None)
@given(values=st.lists(VALUES, max_size=4))
def test_any_json_document_is_read_or_told(values: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("o") / "x.json"
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"^x\.json"):
        read_dataset(path)
