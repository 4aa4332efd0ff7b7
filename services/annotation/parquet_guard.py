"""Parquet files that unfold into more than memory holds, found by their footers before anything is decoded.

A kilobyte of Parquet may stand for gigabytes: one huge value that a dictionary lists once and rows repeat, values that
share all of their bytes with the one before, or a list of a hundred million equal votes. The footer gives each column
chunk's size as stored in memory and its number of values; what a dictionary stands for is added up without unfolding
it. Rows are decoded a few at a time, so that in plain columns only single values can hurt; inside lists all values of a
row are decoded together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge_base.errors import InputError
from services.datasets.record import TEXT_BYTES
from services.datasets.sources.columnar import BATCH

CHUNK_BYTES = 256_000_000
"""Largest column chunk, uncompressed, of a file that strangers send; and most bytes of it that are decoded together."""

BATCH_BYTES = 800_000_000
"""Most bytes of all columns of a row group that are decoded together."""

GROUP_VALUES = 2_000_000
"""Most values of a column in one row group: votes in lists count one by one."""

COLUMNS = 1000
"""Most columns, those inside lists and structures counted one by one."""

CHUNKS = 100_000
"""Most column chunks: columns times row groups."""

_NUMBER = 16
"""Bytes of the longest number."""


def refuse_bombs(path: Path, name: str, most_rows: int) -> None:
    """Look at the footer of a Parquet file; other files pass.

    Args:
        path: the file; name: what its owner calls it.
        most_rows: it may hold: a kilobyte can hold millions, which take minutes to count.

    Raises:
        InputError: it has too many rows, columns or row groups; or a column chunk is too large, holds too many values,
            or unfolds to more than is decoded together.
    """
    from pyarrow import ArrowException  # type: ignore[import-untyped]  # ships no types
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]  # ships no types

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return
    try:
        with ParquetFile(path, pre_buffer=False) as file:
            metadata = file.metadata
        _refuse_many(metadata, name, most_rows)
        for group in range(metadata.num_row_groups):
            chunks = [_Chunk.of(path, name, metadata, group, column) for column in range(metadata.num_columns)]
            _refuse_group(f"{name}: row group {group}", chunks)
    except (ArrowException, OSError) as error:
        raise InputError(f"{name} is a damaged Parquet file ({str(error).splitlines()[0]}); write it again") from None


def _refuse_many(metadata: Any, name: str, most_rows: int) -> None:
    if metadata.num_columns > COLUMNS:
        raise InputError(f"{name} has {metadata.num_columns} columns; keep those that are read")
    if metadata.num_columns * metadata.num_row_groups > CHUNKS:
        raise InputError(f"{name} has {metadata.num_row_groups} row groups; write fewer and larger ones")
    if metadata.num_rows > most_rows:
        told = f"{name} has {metadata.num_rows:,} rows; send at most {most_rows:,} in a file"
        raise InputError(f"{told} (ten times TOUCHSTONE_UPLOAD_PAIRS)")


def _refuse_group(place: str, chunks: Sequence[_Chunk]) -> None:
    """What each chunk takes is guessed from above, and measured only where the guess is too much."""
    for chunk in chunks:
        chunk.refuse()
    total = sum(chunk.cost for chunk in chunks)
    for chunk in sorted(chunks, key=lambda chunk: -chunk.cost):
        if total <= BATCH_BYTES:
            return
        total += chunk.measured - chunk.cost
    if total > BATCH_BYTES:
        raise InputError(f"{place} unfolds to {total} bytes in all columns; keep those that are read")


@dataclass(frozen=True)
class _Chunk:
    """A column in one row group, as the footer has it.

    Attributes:
        path: of the file; place: what messages call the chunk; group: of rows; column: dotted name.
        size: bytes, uncompressed; values: those in lists counted one by one; listed: whether they stand in lists.
        wide: bytes of every value, where all are as long; 0 for texts.
        dictionary: whether each distinct value is held once; shared: whether values share bytes with the one before.
    """

    path: Path
    place: str
    group: int
    column: str
    size: int
    values: int
    listed: bool
    wide: int
    dictionary: bool
    shared: bool

    @classmethod
    def of(cls, path: Path, name: str, metadata: Any, group: int, column: int) -> _Chunk:
        chunk, schema = metadata.row_group(group).column(column), metadata.schema.column(column)
        wide = {"BYTE_ARRAY": 0, "FIXED_LEN_BYTE_ARRAY": int(schema.length)}.get(chunk.physical_type, _NUMBER)
        return cls(
            path=path, place=f'{name}: row group {group} of "{chunk.path_in_schema[:60]}"', group=group,
            column=chunk.path_in_schema, size=chunk.total_uncompressed_size, values=chunk.num_values,
            listed=schema.max_repetition_level > 0, wide=wide, dictionary=chunk.has_dictionary_page,
            shared="DELTA_BYTE_ARRAY" in chunk.encodings,
        )  # fmt: skip

    def refuse(self) -> None:
        """Raises InputError if it alone is more than is decoded."""
        if self.size > CHUNK_BYTES:
            raise InputError(f"{self.place} is {self.size} bytes; write row groups of at most {CHUNK_BYTES}")
        if self.values > GROUP_VALUES:
            raise InputError(f"{self.place} holds {self.values} values; write row groups of at most {GROUP_VALUES}")
        if self.cost <= CHUNK_BYTES:
            return
        if self.shared:
            remedy = "write the column with a dictionary or plainly, not as DELTA_BYTE_ARRAY"
            raise InputError(f"{self.place} may unfold to {self.cost} bytes; {remedy}")
        longest = self.wide or self._unfolded[0]
        if longest > TEXT_BYTES:
            raise InputError(f"{self.place} holds a text of {longest} bytes; cut it to at most {TEXT_BYTES} bytes")
        if self.measured > CHUNK_BYTES:
            raise InputError(
                f"{self.place} unfolds to {self.measured} bytes; write row groups of at most {CHUNK_BYTES}"
            )

    @cached_property
    def cost(self) -> int:
        """Most bytes of it that may be decoded together: no value is longer than the chunk."""
        together = self.values if self.listed else min(self.values, BATCH)
        if self.wide:
            return self.wide * together
        return self.size * together if self.dictionary or self.shared else self.size

    @cached_property
    def measured(self) -> int:
        """The same, not guessed where it can be measured."""
        if self.wide or self.shared or not self.dictionary:
            return self.cost
        longest, whole = self._unfolded
        return whole if self.listed else min(whole, longest * BATCH)

    @cached_property
    def _unfolded(self) -> tuple[int, int]:
        """Bytes of the longest value, and of all together, each distinct value being held once."""
        from pyarrow.parquet import ParquetFile

        with ParquetFile(self.path, pre_buffer=False, read_dictionary=[self.column]) as file:
            table = file.read_row_group(self.group, columns=[self.column], use_threads=False)
        found = [_lengths(part) for chunked in table.columns for part in chunked.chunks]
        return max((one for one, _ in found), default=0), sum(whole for _, whole in found)


def _lengths(values: Any) -> tuple[int, int]:
    """Longest value of an Arrow array and the sum of all, found inside lists, structures and dictionaries."""
    from pyarrow import compute, types

    kind = values.type
    if types.is_dictionary(kind):
        each = compute.binary_length(values.dictionary)
        return int(compute.max(each).as_py() or 0), int(compute.sum(each.take(values.indices)).as_py() or 0)
    if hasattr(values, "storage"):
        return _lengths(values.storage)
    if types.is_nested(kind):
        inner = values.flatten()
        found = [_lengths(part) for part in (inner if types.is_struct(kind) else [inner])]
        return max((one for one, _ in found), default=0), sum(whole for _, whole in found)
    # Nothing else is handed back for a column that was asked for as a dictionary; if so, it is taken at its worst.
    return int(values.nbytes), int(values.nbytes)
