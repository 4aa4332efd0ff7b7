"""All faults of a file at once, the first twenty in full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.errors import InputError
from services.datasets import Fault, FaultyRows, read_dataset
from services.datasets.faults import Faults, shown

Write = Callable[[list[dict[str, object]]], Path]


def fault(row: int = 3, field: str = "label") -> Fault:
    return Fault("f.csv", row, field, "2", "use 0 or 1")


def test_a_fault_names_the_place_the_value_and_the_remedy() -> None:
    assert str(fault()) == 'f.csv:3: "label" is 2; use 0 or 1'
    assert str(fault(field="")) == "f.csv:3: the row is 2; use 0 or 1"
    assert str(fault(row=0)) == 'f.csv: "label" is 2; use 0 or 1'


@pytest.mark.parametrize(("count", "more"), [(1, None), (20, None), (21, 1), (500, 480)])
def test_the_first_twenty_are_carried_and_the_rest_counted(jsonl: Write, count: int, more: int | None) -> None:
    good: dict[str, object] = {"a": "x", "b": "y", "preferred": "a"}
    path = jsonl([good, *({**good, "a": f"x{i}", "preferred": "c"} for i in range(count))])
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    error = caught.value
    assert error.total == count
    assert [f.row for f in error.faults] == list(range(2, 2 + min(count, 20)))
    last = str(error).splitlines()[-1]
    assert (last == f"... and {more} more faults in pairs.jsonl") == (more is not None)


def test_faults_of_every_kind_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    lines = [
        b'{"id": "1", "a": "x", "b": "y", "preferred": "a"}',
        b"\xff",
        b"{",
        b'{"id": "1", "a": "x", "b": "z", "preferred": "a"}',
        b'{"a": "", "b": "z", "preferred": "q"}',
    ]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    assert [(f.row, f.field) for f in caught.value.faults] == [(2, ""), (3, ""), (4, "id"), (5, "a"), (5, "preferred")]


def test_faulty_rows_are_an_input_error() -> None:
    assert isinstance(FaultyRows([fault()], 1), InputError)


def test_no_fault_raises_nothing() -> None:
    Faults().check()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("A ", '"A "'), (None, "null"), ([1], "[1]"), (b"abc", "3 bytes"), ({1, 2}, '"{1, 2}"'), ("é\n", '"é\\n"')],
)
def test_values_are_shown_as_json(value: object, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize("value", ["x" * 10_000_000, ["y" * 1000] * 1000, "\n" * 61])
def test_long_values_are_cut(value: object) -> None:
    assert len(shown(value)) <= 64
    assert shown(value).endswith("...")
