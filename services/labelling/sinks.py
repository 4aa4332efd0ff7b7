"""Files written a page at a time, Parquet or JSON Lines, that take their place whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from knowledge_base.errors import InputError

ENDINGS = (".parquet", ".jsonl")

GROUP_BYTES = 32_000_000
"""About the most that is held before a row group is written."""

GROUP_ROWS = 5000

Row = Mapping[str, Any]


class Sink(Protocol):
    """Takes rows with the columns of its schema."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Write what is held."""
        ...


@contextmanager
def sink(path: Path, schema: Any, about: Mapping[str, str]) -> Iterator[Sink]:
    """A sink for `path`, which is replaced once the block ends well, and left as it was if it does not.

    Args:
        path: ends in `.parquet` or `.jsonl`.
        schema: a `pyarrow.Schema`.
        about: key-value metadata; Parquet only.

    Raises:
        InputError: the place cannot be written to, or the ending is another.
    """
    check_ending(path)
    try:
        with _staged(path) as draft, draft.open("wb") as file:
            made: Sink = JsonLinesSink(file) if path.suffix.lower() == ".jsonl" else ParquetSink(file, schema, about)
            try:
                yield made
            finally:
                # Also where the block fails: a Parquet writer must not outlive its file.
                made.close()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error


def check_ending(path: Path) -> None:
    """Raise `InputError` if a file of this name would be of a type that is not written."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path} ends in {path.suffix!r}; give a file that ends in {' or '.join(ENDINGS)}")


class JsonLinesSink:
    """One JSON object a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(orjson.dumps(row) + b"\n")

    def close(self) -> None:
        """Nothing is held."""


class ParquetSink:
    """Row groups of bounded size, compressed by Zstandard."""

    def __init__(self, file: IO[bytes], schema: Any, about: Mapping[str, str]) -> None:
        from pyarrow.parquet import ParquetWriter  # type: ignore[import-untyped]  # ships no types

        self._schema = schema.with_metadata(dict(about))
        self._writer = ParquetWriter(file, self._schema, compression="zstd")
        self._held: list[Any] = []
        self._rows = self._bytes = 0

    def write(self, rows: Sequence[Row]) -> None:
        from pyarrow import RecordBatch  # type: ignore[import-untyped]  # ships no types

        # As Arrow's columns rows take a fraction of the memory that they take as Python's objects.
        self._held.append(RecordBatch.from_pylist(list(rows), schema=self._schema))
        self._rows += len(rows)
        self._bytes += self._held[-1].nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """A file without rows still says what its columns are."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        from pyarrow import Table

        if self._held:
            self._writer.write_table(Table.from_batches(self._held, schema=self._schema))
        self._held, self._rows, self._bytes = [], 0, 0


@contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """A neighbour of `path` to write to, which then takes its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
