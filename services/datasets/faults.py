"""What is wrong with a user's file: one fault a place, and the error that carries all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge_base.errors import InputError

SHOWN = 20
"""Faults of a file that are kept and printed; the others are counted."""

_VALUE = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a data file.

    Attributes:
        file: file name, without folders.
        row: line of the file where the record starts (JSONL, CSV; the first line is 1) or number of the row (Parquet,
            the first is 1); 0 where the fault is in no single row.
        field: column; empty if the whole row is at fault.
        value: what stands there, as shown to the user: `"A "`, `missing`, `blank`, `6000000 bytes long` ...
        remedy: what to do.
    """

    file: str
    row: int
    field: str
    value: str
    remedy: str

    def __str__(self) -> str:
        """As in `pairs.jsonl:17: "preferred" is "A "; use "a", "b" or "tie"`."""
        place = f"{self.file}:{self.row}" if self.row else self.file
        subject = f'"{self.field}"' if self.field else "the row"
        return f"{place}: {subject} is {self.value}; {self.remedy}"


class FaultyRows(InputError):
    """A data file has faults; nothing of it was read.

    Attributes:
        faults: the first faults, at most `SHOWN`, in the order of the file.
        total: how many there are.
    """

    def __init__(self, faults: Sequence[Fault], total: int) -> None:
        self.faults = tuple(faults)
        self.total = total
        lines = [str(fault) for fault in self.faults]
        if total > len(lines):
            lines.append(f"... and {total - len(lines)} more faults in {self.faults[0].file}")
        super().__init__("\n".join(lines))


@dataclass
class Faults:
    """The faults met so far: the first `SHOWN` in full, the others as a number, so that memory stays bounded."""

    first: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, fault: Fault) -> None:
        """Keep or count one more fault."""
        self.total += 1
        if len(self.first) < SHOWN:
            self.first.append(fault)

    def check(self) -> None:
        """Raise `FaultyRows` if there is any fault."""
        if self.total:
            raise FaultyRows(self.first, self.total)


def shown(value: object) -> str:
    """A value as a fault shows it: as JSON, cut to 60 characters."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        value = value[: _VALUE + 1]
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _VALUE + 2 else text[:_VALUE] + "..."


def quoted(names: Sequence[str]) -> str:
    """Names as in a sentence: `"a", "b" or "tie"`."""
    marked = [f'"{name}"' for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} or {marked[-1]}"
