"""Encodings: UTF-8 and UTF-16 are read, everything else is found to the byte."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, encoding, read_dataset

Raw = Callable[[str, bytes], Path]

TEXT = '{"a": "Grüße, 世界 🎈", "b": "y", "preferred": "a"}\n'
TABLE = "a,b,preferred\nGrüße 世界 🎈,y,a\n"
MARKS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("name", MARKS)
def test_marked_unicode_is_read(raw: Raw, name: str) -> None:
    assert read_dataset(raw("p.jsonl", MARKS[name] + TEXT.encode(name))).dataset.pairs[0].a == "Grüße, 世界 🎈"
    assert read_dataset(raw("p.csv", MARKS[name] + TABLE.encode(name))).dataset.pairs[0].a == "Grüße 世界 🎈"


def test_utf16_longer_than_one_chunk_is_read(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_CHUNK", 7)
    assert read_dataset(raw("p.jsonl", TEXT.encode("utf-16"))).dataset.pairs[0].a == "Grüße, 世界 🎈"


def test_a_byte_that_is_not_utf8_is_found_by_its_offset_in_the_file(raw: Raw) -> None:
    data = TEXT.encode() + '{"a": "café", "b": "y", "preferred": "a"}\n'.encode("latin-1") + TEXT.encode()
    (fault,) = faults(raw("p.jsonl", data))
    assert data[data.index(b"\xe9")] == 0xE9
    assert fault.startswith(f"p.jsonl:2: the row is not UTF-8 (byte 0xe9 at offset {data.index(bytes([0xE9]))}); ")
    assert "iconv" in fault


def test_the_byte_order_mark_counts_in_the_offset(raw: Raw) -> None:
    assert "at offset 10)" in faults(raw("p.jsonl", codecs.BOM_UTF8 + b'{"a": "\xff"}\n'))[0]


def test_every_badly_encoded_line_is_reported(raw: Raw) -> None:
    found = faults(raw("p.csv", b"a,b,preferred\nx,\xff,a\nx,y,a\n\xfe,z,a\n"))
    assert [fault.split(":")[1] for fault in found] == ["2", "4"]


def test_bad_bytes_inside_a_quoted_csv_text_are_reported_once_and_reading_goes_on(raw: Raw) -> None:
    found = faults(raw("p.csv", b'a,b,preferred\n"x\n\xff\nx",y,a\nx,y,c\n'))
    assert [fault.split(":")[1] for fault in found] == ["3", "5"]


@pytest.mark.parametrize(("name", "before"), [("p.jsonl", b""), ("p.csv", b"a,b,preferred\n")])
def test_nul_bytes_are_faults_with_their_offset(raw: Raw, name: str, before: bytes) -> None:
    data = before + b'x,"\x00",a\n'
    (fault,) = faults(raw(name, data))
    assert f"holding a NUL byte (at offset {data.index(0)})" in fault


def test_an_escaped_nul_is_a_fault_of_its_field(raw: Raw) -> None:
    (fault,) = faults(raw("p.jsonl", b'{"a": "x\\u0000y", "b": "z", "preferred": "a"}\n'))
    assert fault.startswith('p.jsonl:1: "a" is holding a NUL character (at character 1)')


def test_utf16_without_a_mark_is_explained(raw: Raw) -> None:
    assert "the file is UTF-16: save it as UTF-8" in faults(raw("p.jsonl", TEXT.encode("utf-16-be")))[0]


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("chunk", [7, 8, 1 << 20])
def test_broken_utf16_is_found_by_its_offset(raw: Raw, monkeypatch: pytest.MonkeyPatch, name: str, chunk: int) -> None:
    monkeypatch.setattr(encoding, "_CHUNK", chunk)
    surrogate = "\udc00".encode(name, "surrogatepass")
    data = MARKS[name] + (TEXT * 3).encode(name) + surrogate + "\n".encode(name)
    (fault,) = faults(raw("p.jsonl", data))
    assert fault.startswith(f"p.jsonl:4: the row is not {name.upper()} (at offset {len(data) - 4}); ")


def test_utf16_that_ends_inside_a_character_is_a_fault(raw: Raw) -> None:
    assert "not UTF-16-LE" in faults(raw("p.jsonl", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le") + b"x"))[0]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_utf32_is_refused(raw: Raw, mark: bytes) -> None:
    with pytest.raises(InputError, match="encoded as UTF-32; save it as UTF-8"):
        read_dataset(raw("p.jsonl", mark + b"x"))


def test_an_overlong_line_is_a_fault_and_the_next_one_is_read(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LINE_BYTES", 100)
    monkeypatch.setattr(encoding, "_CHUNK", 16)
    data = TEXT.encode() + b"x" * 250 + b"\n" + b'{"a": "\xff"}\n'
    found = faults(raw("p.jsonl", data))
    assert found[0] == "p.jsonl:2: the row is 251 bytes long; keep lines under 100 bytes"
    assert f"at offset {data.index(255)}" in found[1]


def test_a_line_of_the_greatest_length_is_read(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LINE_BYTES", len(TEXT.encode()))
    assert len(read_dataset(raw("p.jsonl", TEXT.encode())).dataset.pairs) == 1


@given(
    st.binary(max_size=200), st.sampled_from(["p.jsonl", "p.csv", "p.parquet", "p"]), st.sampled_from([b"", b"PAR1"])
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_no_bytes_whatever_raise_anything_but_an_input_error(raw: Raw, data: bytes, name: str, before: bytes) -> None:
    with pytest.raises(InputError):
        read_dataset(raw(name, before + data))


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_wild_bytes_after_a_good_header_are_read_or_refused_with_their_place(raw: Raw, data: bytes) -> None:
    path = raw("p.csv", b"a,b,preferred\nx,y,a\n" + data)
    first: list[int] = []
    try:
        pairs = len(read_dataset(path).dataset.pairs)
    except FaultyRows as error:
        pairs, first = 0, [fault.row for fault in error.faults]
    assert pairs > 0 or (first and min(first) >= 3)
