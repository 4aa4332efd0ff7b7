"""Lines of a text file, decoded one by one, so that every badly encoded line is found and none fills the memory.

UTF-8 is read as it is, with or without a byte order mark. UTF-16 is recognised by its mark and rewritten as UTF-8 into
a temporary file first. Anything else is a fault that names the first offending byte.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from knowledge_base.errors import InputError
from services.datasets.faults import Fault

LINE_BYTES = 64_000_000
"""Longest line that is read. A row of three 5 MB texts stays below it even with most characters escaped."""

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CHUNK = 1 << 20
_REENCODE = "save the file as UTF-8, for example by iconv -f WINDOWS-1252 -t UTF-8"


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its end; `fault` says what is wrong with its bytes, and then `text` must not be used as data."""

    number: int
    text: str
    fault: Fault | None = None


def lines(path: Path) -> Iterator[Line]:
    """Yield every line of a text file; the first is number 1.

    Raises:
        InputError: the file is UTF-32.
    """
    with path.open("rb") as file:
        mark = file.read(4)
        if mark == codecs.BOM_UTF32_LE or mark == codecs.BOM_UTF32_BE:
            raise InputError(f"{path.name} is encoded as UTF-32; save it as UTF-8")
        if mark[:2] in _UTF16:
            file.seek(2)
            yield from _rewritten(path.name, file, _UTF16[mark[:2]])
            return
        start = 3 if mark[:3] == codecs.BOM_UTF8 else 0
        file.seek(start)
        yield from _utf8(path.name, file, start)


def _utf8(name: str, file: BinaryIO, offset: int) -> Iterator[Line]:
    number = 0
    while raw := file.readline(LINE_BYTES + 1):
        number += 1
        size = len(raw)
        if size > LINE_BYTES:
            size += _skip_line(file, raw)
            fault = Fault(name, number, "", f"{size} bytes long", f"keep lines under {LINE_BYTES} bytes")
            yield Line(number, "\n", fault)
        else:
            yield _decoded(name, number, raw, offset)
        offset += size


def _skip_line(file: BinaryIO, raw: bytes) -> int:
    """Read on to the end of an overlong line; returns how many bytes that took."""
    skipped = 0
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(_CHUNK)
        skipped += len(raw)
    return skipped


def _decoded(name: str, number: int, raw: bytes, offset: int) -> Line:
    if b"\x00" in raw:
        value = f"holding a NUL byte (at offset {offset + raw.index(0)})"
        remedy = "remove NUL bytes; if every second byte is one, the file is UTF-16: save it as UTF-8"
        return Line(number, raw.decode("utf-8", "replace"), Fault(name, number, "", value, remedy))
    try:
        return Line(number, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        value = f"not UTF-8 (byte 0x{raw[error.start]:02x} at offset {offset + error.start})"
        return Line(number, raw.decode("utf-8", "replace"), Fault(name, number, "", value, _REENCODE))


def _rewritten(name: str, file: BinaryIO, encoding: str) -> Iterator[Line]:
    """Lines of a UTF-16 file; a byte that cannot be decoded makes the whole file one fault."""
    with tempfile.TemporaryFile() as copy:
        fault = _rewrite(name, file, copy, encoding)
        if fault:
            yield Line(fault.row, "\n", fault)
            return
        copy.seek(0)
        yield from _utf8(name, copy, 0)


def _rewrite(name: str, file: BinaryIO, copy: IO[bytes], encoding: str) -> Fault | None:
    """Copy a file as UTF-8, a chunk at a time; gives back what stops it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    row, chunk = 1, b"start"
    while chunk:
        start = file.tell() - len(decoder.getstate()[0])
        chunk = file.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            row += error.object[: error.start].decode(encoding).count("\n")
            value = f"not {encoding.upper()} (at offset {start + error.start})"
            return Fault(name, row, "", value, _REENCODE)
        copy.write(text.encode("utf-8"))
        row += text.count("\n")
    return None
