"""Records of an export, whatever way it was written: one JSON array, one object a line, one object, or Parquet.

A record's number is its place in the array (the first is 1), its line, or its row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from knowledge_base.errors import InputError
from services.datasets.encoding import LINE_BYTES
from services.datasets.faults import Fault, shown
from services.datasets.rows import Row, open_rows
from services.exchange.json_array import array_elements

_REMEDY = "export it again; every record must be a JSON object"
_HEAD = 4096


def records(path: Path) -> Iterator[Row | Fault]:
    """Every record, or what is wrong with it; memory holds one at a time.

    Raises:
        InputError: there is no such file, or it is of another type or cut off.
    """
    source = open_rows(path)
    first = _first(path)
    if path.suffix.lower() == ".parquet" or first not in b"[{":
        yield from source.rows(frozenset(source.columns()))
    elif first == b"[":
        elements = array_elements(path)
        yield from (_parsed(path.name, number, raw) for number, raw in enumerate(elements, 1))
    elif _one_object(path):
        yield _parsed(path.name, 1, path.read_bytes())
    else:
        yield from source.rows(frozenset())


def _parsed(name: str, number: int, raw: bytes) -> Row | Fault:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Fault(name, number, "", f"not JSON ({error})", _REMEDY)
    if isinstance(value, dict):
        return Row(number, value)
    return Fault(name, number, "", f"{shown(value)}, not an object", _REMEDY)


def _first(path: Path) -> bytes:
    """The first character that is no space; empty if the file's head is blank."""
    with path.open("rb") as file:
        return file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").strip()[:1]


def _one_object(path: Path) -> bool:
    """Whether the file is one object over several lines: its first line does not end what it opens."""
    with path.open("rb") as file:
        line = next((raw for raw in iter(lambda: file.readline(LINE_BYTES), b"") if raw.strip()), b"")
    try:
        orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        if path.stat().st_size > LINE_BYTES:
            raise InputError(f"{path.name} is one object of over {LINE_BYTES:,} bytes; export an array") from None
        return True
    return False
