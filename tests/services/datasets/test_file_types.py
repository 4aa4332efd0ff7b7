"""JSON Lines, CSV and Parquet, well written and badly."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.datasets.sources import columnar

Write = Callable[[list[dict[str, object]]], Path]
Raw = Callable[[str, bytes], Path]

GOOD = b'{"a": "x", "b": "y", "preferred": "a"}\n'


def refusal(path: Path) -> str:
    """Why a file as a whole is refused."""
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    assert not isinstance(caught.value, FaultyRows)
    return str(caught.value)


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    return [str(fault) for fault in caught.value.faults]


def table_of(rows: list[dict[str, object]], columns: dict[str, object] | None = None) -> bytes:
    """Parquet bytes of rows, with some columns' types given."""
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
    from pyarrow import parquet as pq

    table = pa.Table.from_pylist(rows)
    for name, array in (columns or {}).items():
        table = table.set_column(table.schema.get_field_index(name), name, array)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["none.jsonl", "none.csv", "none.parquet"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name).endswith(f"{name} does not exist; check the path")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.parquet"])
def test_an_empty_file_is_refused(raw: Raw, name: str) -> None:
    assert refusal(raw(name, b"")) == f"{name} is empty; give at least one pair"


@pytest.mark.parametrize(
    ("name", "data"), [("p.jsonl", b"\n \n\n"), ("p.jsonl", b"\xef\xbb\xbf"), ("p.jsonl", b"\xff\xfe")]
)
def test_blank_lines_alone_are_an_empty_file(raw: Raw, name: str, data: bytes) -> None:
    assert "is empty" in refusal(raw(name, data))


def test_a_header_alone_is_refused(raw: Raw) -> None:
    assert refusal(raw("p.csv", b"a,b,preferred\n")) == "p.csv has columns but no rows; give at least one pair"


def test_a_parquet_file_without_rows_is_refused(raw: Raw) -> None:
    import pyarrow as pa
    from pyarrow import parquet as pq

    path = raw("p.parquet", b"")
    empty = pa.schema([("a", pa.string()), ("b", pa.string()), ("preferred", pa.string())]).empty_table()
    pq.write_table(empty, path)
    assert "has columns but no rows" in refusal(path)


@pytest.mark.parametrize(
    ("name", "remedy"), [("p.xlsx", "save it as one of them"), ("p.jsonl.gz", "unpack it first"), ("p", "are read")]
)
def test_other_types_are_refused_with_a_remedy(raw: Raw, name: str, remedy: str) -> None:
    assert remedy in refusal(raw(name, b"something"))


def test_a_file_without_an_ending_is_known_by_its_content(raw: Raw) -> None:
    assert len(read_dataset(raw("pairs", GOOD)).dataset.pairs) == 1
    rows: list[dict[str, object]] = [{"a": "x", "b": "y", "preferred": "a"}]
    assert len(read_dataset(raw("other", table_of(rows))).dataset.pairs) == 1


def test_something_else_called_parquet_is_refused(raw: Raw) -> None:
    assert "does not start like a Parquet file" in refusal(raw("p.parquet", GOOD))


@pytest.mark.parametrize("data", [b'[{"a": "x"}]', b"  \n [\n", b'{\n "a": "x"\n}'])
def test_one_json_document_is_refused_with_the_command_that_converts_it(raw: Raw, data: bytes) -> None:
    assert refusal(raw("p.json", data)).endswith(
        "write one object a line, for example by jq -c '.[]' p.json > pairs.jsonl"
    )


def test_blank_lines_between_rows_are_skipped_and_rows_keep_their_line_numbers(raw: Raw) -> None:
    assert len(read_dataset(raw("p.jsonl", GOOD + b"\n   \r\n")).dataset.pairs) == 1
    assert faults(raw("p.jsonl", GOOD + b"\n\n" + GOOD.replace(b'"a"}', b'"c"}')))[0].startswith("p.jsonl:4:")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"{oops}", "not JSON ("),
        (b'{"a": NaN}', "not JSON ("),
        (b'{"a": "\\ud800"}', "not JSON ("),
        (b"[" * 3000, "not JSON ("),
        (b"null", "null, not an object"),
        (b'"text"', '"text", not an object'),
        (b"3", "3, not an object"),
    ],
)
def test_a_line_that_is_no_object_is_a_fault(raw: Raw, line: bytes, value: str) -> None:
    (fault,) = faults(raw("p.jsonl", GOOD + line + b"\n" + GOOD))
    assert fault.startswith(f"p.jsonl:2: the row is {value}")
    assert fault.endswith("write one JSON object on each line")


def test_a_file_with_no_readable_row_reports_them_all(raw: Raw) -> None:
    assert len(faults(raw("p.jsonl", b"one\ntwo\nthree\n"))) == 3


def test_a_row_without_a_column_is_a_fault_even_if_it_is_the_first(raw: Raw) -> None:
    assert faults(raw("p.jsonl", b'{"a": "x", "preferred": "a"}\n' + GOOD)) == [
        'p.jsonl:1: "b" is missing; give every row this text, or remove the row'
    ]


def test_the_last_line_needs_no_line_end(raw: Raw) -> None:
    assert len(read_dataset(raw("p.jsonl", GOOD.strip())).dataset.pairs) == 1


cells = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8), st.sampled_from([",", ";", "\t"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_csv_texts_come_back_as_they_were_written(raw: Raw, given_texts: list[tuple[str, str]], separator: str) -> None:
    texts = [(a, b) for a, b in dict.fromkeys(given_texts) if a.strip() and b.strip() and a != b]
    texts = [pair for i, pair in enumerate(texts) if pair[::-1] not in texts[:i]]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "preferred"), *((a, b, "a") for a, b in texts)])
    if texts:
        read = read_dataset(raw("p.csv", file.getvalue().encode())).dataset.pairs
        assert [(pair.a, pair.b) for pair in read] == texts


@pytest.mark.parametrize("separator", [b",", b";", b"\t"])
def test_the_separator_is_seen_in_the_header(raw: Raw, separator: bytes) -> None:
    data = b"a,b,preferred,votes\nx,y,a,\n".replace(b",", separator)
    assert len(read_dataset(raw("p.csv", data)).dataset.pairs) == 1


def test_csv_rows_are_numbered_by_the_line_they_start_on(raw: Raw) -> None:
    data = b'a,b,preferred\n"two\nlines",y,a\nx,y,c\n\n"three\n\nlines",z,d\n'
    assert [fault.split(":")[1] for fault in faults(raw("p.csv", data))] == ["4", "6"]


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (b"x,y\n", "2 fields long where the header has 3"),
        (b"x,y,a,b\n", "4 fields long where the header has 3"),
        (b'"x"oops,y,a\n', "not valid CSV ("),
        (b'x,y,"a\n', "not valid CSV (unexpected end of data)"),
    ],
)
def test_a_broken_csv_row_is_a_fault(raw: Raw, row: bytes, value: str) -> None:
    (fault,) = faults(raw("p.csv", b"a,b,preferred\nu,v,a\n" + row))
    assert fault.startswith(f"p.csv:3: the row is {value}")


def test_rows_after_a_broken_csv_row_are_still_checked(raw: Raw) -> None:
    found = faults(raw("p.csv", b'a,b,preferred\n"x"oops,y,a\nx,y,c\n'))
    assert [fault.split(" is ")[1][:9] for fault in found] == ["not valid", '"c"; use ']


def test_a_column_named_twice_is_refused(raw: Raw) -> None:
    assert 'names "a" twice' in refusal(raw("p.csv", b"a,a,preferred\nx,y,a\n"))


def test_carriage_returns_alone_are_explained(raw: Raw) -> None:
    assert "end lines with a line feed" in refusal(raw("p.csv", b"a,b,preferred\rx,y,a\r"))


def test_a_header_that_cannot_be_decoded_is_a_fault(raw: Raw) -> None:
    assert "offset 9" in faults(raw("p.csv", b"a,b,prefe\xe9,\nx,y,a\n"))[0]


def test_parquet_rows_are_numbered_from_one_across_batches(parquet: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "a"} for i in range(100)]
    rows[70]["preferred"] = "c"
    assert faults(parquet(rows)) == ['pairs.parquet:71: "preferred" is "c"; use "a", "b" or "tie"']


def test_parquet_text_that_is_not_utf8_is_a_fault_of_its_row_alone(raw: Raw) -> None:
    import pyarrow as pa

    values = pa.array([b"fine", b"caf\xe9", b"also fine"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 3, values.buffers())
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "a"} for i in range(3)]
    assert faults(raw("p.parquet", table_of(rows, {"b": broken}))) == [
        'p.parquet:2: "b" is not UTF-8 (at byte 3 of the text); decode it before writing the file'
    ]


def test_parquet_bytes_are_not_taken_for_text(parquet: Write) -> None:
    assert '"a" is 1 bytes; write it as a string' in faults(parquet([{"a": b"x", "b": "y", "preferred": "a"}]))[0]


@pytest.mark.parametrize("cut", [10, 60, -5])
def test_a_damaged_parquet_file_is_refused(raw: Raw, cut: int) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "a"} for i in range(100)]
    assert "damaged Parquet file" in refusal(raw("p.parquet", table_of(rows)[:cut]))


def test_overwritten_parquet_pages_are_refused_too(raw: Raw) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "a"} for i in range(100)]
    data = bytearray(table_of(rows))
    data[4:200] = b"\xff" * 196
    assert "damaged Parquet file" in refusal(raw("p.parquet", bytes(data)))


def test_a_giant_parquet_column_is_refused_before_it_is_opened(parquet: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "CHUNK_BYTES", 1000)
    path = parquet([{"a": "".join(map(str, range(2000))), "b": "y", "preferred": "a"}])
    assert 'bytes of "a"; write smaller row groups' in refusal(path)


def test_parquet_columns_that_mean_nothing_are_not_read(parquet: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "CHUNK_BYTES", 1000)
    path = parquet([{"a": "x", "b": "y", "preferred": "a", "embedding": "".join(map(str, range(2000)))}])
    assert read_dataset(path).notes == ("columns that mean nothing here were ignored: embedding",)
