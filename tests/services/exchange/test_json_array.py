"""The borders of an array's elements, found a chunk at a time."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from exchange_cases import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.exchange import json_array
from services.exchange.json_array import array_elements

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    elements=st.lists(values, max_size=5),
    chunk=st.integers(1, 40),
    indent=st.sampled_from([None, 0, 2]),
    escaped=st.booleans(),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf", b" \n"]),
)
def test_the_elements_are_those_of_the_document_however_it_is_cut(
    elements: list[Any], chunk: int, indent: int | None, escaped: bool, mark: bytes, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("j") / "x.json"
    path.write_bytes(mark + json.dumps(elements, indent=indent, ensure_ascii=escaped).encode() + b"\n")
    assert [json.loads(raw) for raw in array_elements(path, chunk)] == elements


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}', "ends in the middle of its array"),
        ('[{"a": "1', "ends in the middle of its array"),
        ("[", "ends in the middle of its array"),
        ("   ", "holds nothing"),
        ('{"a": 1}', "is not one JSON array"),
        ('[1] {"a": 1}', "goes on after its array"),
        ("[" * 500, "nests deeper than 200 levels"),
    ],
)
def test_what_is_no_whole_array_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        list(array_elements(path, 4))


def test_an_element_that_goes_on_for_ever_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "LINE_BYTES", 100)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(["x" * 1000]))
    with pytest.raises(InputError, match="a record longer than 100 bytes"):
        list(array_elements(path, 16))


def test_memory_does_not_grow_with_the_array(tmp_path: Path) -> None:
    path, element = tmp_path / "x.json", json.dumps({"text": "word " * 1000})
    path.write_text("[" + ",".join([element] * 6000) + "]")
    tracemalloc.start()
    count = sum(1 for _ in array_elements(path, 1 << 16))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 6000
    assert path.stat().st_size > 25_000_000
    assert peak < 2_000_000


def test_broken_elements_between_commas_are_handed_over_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[1, , nonsense}, 2]".replace("}", ""))
    assert list(array_elements(path)) == [b"1", b"", b"nonsense", b"2"]
