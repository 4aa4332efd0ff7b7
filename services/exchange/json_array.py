"""The elements of one JSON array, a chunk of the file at a time, so that an export may be larger than the memory.

Exports are single JSON documents of any size. Only the borders of the array's elements are found here; each element is
then parsed by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from knowledge_base.errors import InputError
from services.datasets.encoding import LINE_BYTES

CHUNK = 1 << 20
"""Bytes read at once."""

MOST_DEPTH = 200
"""Deepest nesting that is followed."""

_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"
_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


def array_elements(path: Path, chunk: int = CHUNK) -> Iterator[bytes]:
    """The bytes of every element of the array that the file is, in order.

    Args:
        path: a UTF-8 file whose first character that is no space is `[`.
        chunk: bytes read at once (>= 1).

    Raises:
        InputError: the array is never closed, something follows it, or an element is longer than `LINE_BYTES`.
    """
    with path.open("rb") as file:
        yield from _Scanner(path.name, file, chunk).elements()


class _Scanner:
    """Finds the commas between elements.

    `held` is what was read of the current element, `at` where to look on, `depth` how many brackets are open inside it.
    """

    def __init__(self, name: str, file: BinaryIO, chunk: int) -> None:
        self._name, self._file, self._chunk = name, file, chunk
        self._held, self._at, self._depth, self._quoted = b"", 0, 0, False

    def elements(self) -> Iterator[bytes]:
        self._open()
        count = 0
        while True:
            element, last = self._next()
            if element or not (last and not count):
                count += 1
                yield element
            if last:
                self._check_end()
                return

    def _open(self) -> None:
        """Go behind the bracket that opens the array."""
        while _MARK.startswith(self._held) or not self._held.removeprefix(_MARK).lstrip(_SPACE):
            self._more("holds nothing")
        self._held = self._held.removeprefix(_MARK).lstrip(_SPACE)
        if not self._held.startswith(b"["):
            raise InputError(f"{self._name} is not one JSON array; give the file as the tool exported it")
        self._held = self._held[1:]

    def _next(self) -> tuple[bytes, bool]:
        """The next element, and whether it is the last."""
        while True:
            found = self._border()
            if found is not None:
                element = self._held[:found].strip(_SPACE)
                last = self._held[found : found + 1] == b"]"
                self._held, self._at = self._held[found + 1 :], 0
                return element, last
            if len(self._held) > LINE_BYTES:
                remedy = f"export records of less than {LINE_BYTES:,} bytes each"
                raise InputError(f"{self._name} holds a record longer than {LINE_BYTES:,} bytes; {remedy}")
            self._more("ends in the middle of its array")

    def _border(self) -> int | None:
        """Where the current element ends; None if that is not in what was read yet."""
        held = self._held
        while self._at < len(held):
            if self._quoted and not self._leave_string():
                return None
            mark = _OUTSIDE.search(held, self._at)
            if mark is None:
                self._at = len(held)
                return None
            if self._ends(mark.group()):
                return mark.start()
            self._at = mark.end()
        return None

    def _leave_string(self) -> bool:
        """Go behind the quotation mark that closes a string; False if it is not in what was read yet."""
        inside = _INSIDE.match(self._held, self._at)
        self._at = inside.end() if inside else self._at
        if self._held[self._at : self._at + 1] != b'"':
            return False
        self._at += 1
        self._quoted = False
        return True

    def _ends(self, mark: bytes) -> bool:
        """Take a mark outside strings into account; whether it ends the element."""
        if mark == b'"':
            self._quoted = True
        elif mark in b"[{":
            self._depth += 1
            if self._depth > MOST_DEPTH:
                raise InputError(f"{self._name} nests deeper than {MOST_DEPTH} levels; give the tool's own export")
        elif not self._depth:
            return True
        elif mark in b"]}":
            self._depth -= 1
        return False

    def _more(self, otherwise: str) -> None:
        read = self._file.read(self._chunk)
        if not read:
            raise InputError(f"{self._name} {otherwise}; export it again, it seems to be cut off")
        self._held += read

    def _check_end(self) -> None:
        rest = self._held.strip(_SPACE)
        while not rest and (read := self._file.read(self._chunk)):
            rest = read.strip(_SPACE)
        if rest:
            raise InputError(f"{self._name} goes on after its array; give one JSON array, or one object a line")
