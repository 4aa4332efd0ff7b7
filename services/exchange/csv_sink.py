"""Rows as CSV for spreadsheets, in which no text can be taken for a formula.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return (OWASP, CSV Injection), so
such a text gets an apostrophe before it. That changes the text: whoever trains on it takes JSON Lines or Parquet.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from knowledge_base.errors import InputError
from services.labelling.sinks import Row

_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class CsvSink:
    """Takes rows with the given columns.

    Attributes:
        changed: cells that got an apostrophe so far.
    """

    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._columns = tuple(columns)
        self._writer.writerow(self._columns)
        self.changed = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows; a value that is missing or None is an empty cell."""
        for row in rows:
            self._writer.writerow([self._cell(row.get(name)) for name in self._columns])

    def close(self) -> None:
        """Nothing is held."""

    def _cell(self, value: object) -> object:
        if isinstance(value, str) and value.startswith(_STARTS):
            self.changed += 1
            return f"'{value}"
        return value


@contextmanager
def csv_sink(path: Path, columns: Sequence[str]) -> Iterator[CsvSink]:
    """A sink for `path`, which is replaced once the block ends well, and left as it was if it does not.

    Raises:
        InputError: the place cannot be written to.
    """
    draft = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield CsvSink(file, columns)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(draft, 0o666 & ~mask)
        os.replace(draft, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        if draft:
            Path(draft).unlink(missing_ok=True)
