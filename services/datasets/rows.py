"""Rows of a data file, streamed: what every file type offers, and which type a file is.

Each type reads a row at a time (Parquet a small batch), so memory does not grow with the file.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge_base.errors import InputError
from services.datasets.faults import Fault

PEEKED = 20
"""Readable rows of a JSONL file whose keys count as its columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number (see `Fault.row`) and its fields by column."""

    number: int
    fields: dict[str, object]


class Source(Protocol):
    """A data file of one type.

    Attributes:
        textual: True if every field is written as text (CSV), so that numbers and lists must be read from it and an
            empty field means an absent one.
    """

    textual: bool

    def columns(self) -> tuple[str, ...]:
        """Column names; empty if no row can be read. For JSONL the keys of the first `PEEKED` readable rows."""
        ...

    def rows(self, wanted: frozenset[str]) -> Iterator[Row | Fault]:
        """Every row or what is wrong with it, in order, from the start; fields outside `wanted` may be left out."""
        ...


def open_rows(path: Path) -> Source:
    """The source for a file, by its content (Parquet) or its name.

    Raises:
        InputError: there is no such file, it is empty, or its type is not one that is read.
    """
    from services.datasets.sources.columnar import Columnar
    from services.datasets.sources.delimited import Delimited
    from services.datasets.sources.jsonl import JsonLines

    head = _head(path)
    ending = path.suffix.lower()
    if head.startswith(b"PAR1"):
        return Columnar(path)
    if ending in (".jsonl", ".ndjson", ".json"):
        return JsonLines(path)
    if ending in (".csv", ".tsv"):
        return Delimited(path)
    if ending == ".parquet":
        raise InputError(f"{path.name} does not start like a Parquet file; write it again or give it its true ending")
    if not ending and head.lstrip().startswith(b"{"):
        return JsonLines(path)
    remedy = "unpack it first" if ending in (".gz", ".zip", ".zst", ".bz2", ".xz") else "save it as one of them"
    raise InputError(f"{path.name} ends in {ending!r}; .jsonl, .csv and .parquet files are read, {remedy}")


def _head(path: Path) -> bytes:
    try:
        _refuse_stream(path)
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the path of a readable file") from None
    if not head:
        raise InputError(f"{path.name} is empty; give at least one pair")
    return head


def _refuse_stream(path: Path) -> None:
    """A file is read twice, and a pipe can be read once; opening one might even wait for ever.

    Raises:
        InputError: it is a pipe, a terminal or another stream.
        OSError: it cannot be looked at.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(f"{path} is a pipe or another stream, and pairs are read twice; save it to a file first")
