"""Parquet, read in small batches and only in the columns that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge_base.errors import InputError
from services.datasets.faults import Fault
from services.datasets.rows import Row

BATCH = 32
"""Rows decoded at once. Small, because a tiny dictionary-encoded file may unfold into texts of megabytes each."""

CHUNK_BYTES = 1_000_000_000
"""Largest column chunk (uncompressed) that is opened."""


class Columnar:
    """Rows of a Parquet file."""

    textual = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """Top-level column names of the schema.

        Raises:
            InputError: the file is damaged.
        """
        return tuple(self._open().schema_arrow.names)

    def rows(self, wanted: frozenset[str]) -> Iterator[Row | Fault]:
        """Every row with the wanted fields, or its fault.

        Raises:
            InputError: the file is damaged, or a column chunk is larger than `CHUNK_BYTES`.
        """
        from pyarrow import ArrowException  # type: ignore[import-untyped]  # ships no types

        file = self._open()
        names = [name for name in file.schema_arrow.names if name in wanted]
        self._refuse_giants(file.metadata, set(names))
        number = 0
        try:
            for batch in file.iter_batches(batch_size=BATCH, columns=names, use_threads=False):
                yield from self._batch(batch, number)
                number += batch.num_rows
        except (ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _batch(self, batch: Any, before: int) -> Iterator[Row | Fault]:
        try:
            values = batch.to_pylist()
        except UnicodeDecodeError:
            yield from (self._one(batch, before, i) for i in range(batch.num_rows))
            return
        yield from (Row(before + i + 1, fields) for i, fields in enumerate(values))

    def _one(self, batch: Any, before: int, i: int) -> Row | Fault:
        """One row of a batch that holds text which is not UTF-8 (Arrow does not check when it reads)."""
        fields: dict[str, object] = {}
        for name in batch.schema.names:
            try:
                fields[name] = batch.column(name)[i].as_py()
            except UnicodeDecodeError as error:
                value = f"not UTF-8 (at byte {error.start} of the text)"
                return Fault(self._path.name, before + i + 1, name, value, "decode it before writing the file")
        return Row(before + i + 1, fields)

    def _open(self) -> Any:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]  # ships no types

        try:
            return ParquetFile(self._path, buffer_size=1 << 20, pre_buffer=False)
        except (ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        reason = str(error).splitlines()[0]
        return InputError(f"{self._path.name} is a damaged Parquet file ({reason}); write it again")

    def _refuse_giants(self, metadata: Any, names: set[str]) -> None:
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(index)
                name, size = chunk.path_in_schema.split(".")[0], chunk.total_uncompressed_size
                if name in names and size > CHUNK_BYTES:
                    raise InputError(
                        f'{self._path.name}: row group {group} holds {size} bytes of "{name}"; '
                        f"write smaller row groups (at most {CHUNK_BYTES} bytes a column)"
                    )
