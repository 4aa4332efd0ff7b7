"""One row being read: its fields fetched by type, and every fault met on the way."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import orjson

from services.datasets.faults import Fault, quoted, shown
from services.datasets.rows import Row

TEXT_BYTES = 5_000_000
"""Longest text that is accepted, in bytes of UTF-8."""


class Record:
    """A row and what is wrong with it.

    A field that is null counts as absent; so does an empty one where every field is text (CSV). The fetching methods
    never raise: they note a fault and give back something harmless, and a record with faults is not used.

    Attributes:
        row: number of the row (see `Fault.row`).
        textual: True if every field is written as text (CSV).
        faults: the faults met so far.
    """

    def __init__(self, file: str, row: Row, *, textual: bool) -> None:
        self.row = row.number
        self.textual = textual
        self.faults: list[Fault] = []
        self._file = file
        self._fields = row.fields

    def fault(self, field: str, value: str, remedy: str) -> None:
        """Note that a field is `value` and what to do about it."""
        self.faults.append(Fault(self._file, self.row, field, value, remedy))

    def raw(self, field: str) -> object:
        """The field as it stands; None if absent."""
        value = self._fields.get(field)
        return None if self.textual and value == "" else value

    def has(self, field: str) -> bool:
        """Whether the field is there and not null (nor empty, in CSV)."""
        return self.raw(field) is not None

    def text(self, field: str) -> str:
        """A text that must be there and hold more than white space."""
        value = self.raw(field)
        if value is None:
            self.fault(field, "missing", "give every row this text, or remove the row")
            return ""
        return self.sound(field, value)

    def sound(self, field: str, value: object) -> str:
        """`value` if it is an acceptable text: a string, not blank, without NUL, of at most `TEXT_BYTES`."""
        if not isinstance(value, str):
            self.fault(field, shown(value), "write it as a string")
            return ""
        if not value.strip():
            self.fault(field, "blank", "give every row this text, or remove the row")
        return self.checked(field, value)

    def words(self, field: str) -> str:
        """An optional text; empty if absent."""
        value = self.raw(field)
        if value is None or isinstance(value, str):
            return self.checked(field, value or "")
        self.fault(field, shown(value), "write it as a string or leave it out")
        return ""

    def name(self, field: str) -> str:
        """An optional short name, written as a string or a whole number; empty if absent or blank.

        The same name is one object in memory, however many rows carry it.
        """
        value = self.raw(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return sys.intern(self.words(field).strip())

    def choice(self, field: str, allowed: Sequence[str]) -> str | None:
        """One of `allowed`, spelt exactly so; None if absent or (with a fault) anything else."""
        value = self.raw(field)
        if value is None or (isinstance(value, str) and value in allowed):
            return value
        self.fault(field, shown(value), f"use {quoted(allowed)}")
        return None

    def positive(self, field: str, default: float = 1.0) -> float:
        """A finite number above 0; `default` if absent."""
        value = self.raw(field)
        if value is None:
            return default
        number = _number(value, self.textual)
        if 0 < number < float("inf"):
            return number
        self.fault(field, shown(value), "use a number above 0, or leave it out")
        return default

    def structure(self, field: str) -> object:
        """The field, read from JSON if it is text that looks like a JSON list (lists in CSV are written so)."""
        value = self.raw(field)
        if not (self.textual and isinstance(value, str) and value.lstrip().startswith("[")):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value

    def checked(self, field: str, value: str) -> str:
        """`value`, with a fault noted if it holds NUL or is longer than `TEXT_BYTES`."""
        if "\x00" in value:
            self.fault(field, f"holding a NUL character (at character {value.index(chr(0))})", "remove NUL characters")
        size = byte_size(value)
        if size > TEXT_BYTES:
            self.fault(field, f"{size} bytes long", f"cut it to at most {TEXT_BYTES} bytes")
        return value


def byte_size(text: str) -> int:
    """Length in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _number(value: object, textual: bool) -> float:
    """The value as a number, NaN if it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return float(value) if textual and isinstance(value, str) else float("nan")
    except ValueError:
        return float("nan")
