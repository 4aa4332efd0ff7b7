"""How much of a file is taken in, counted while it is read, so that memory stays bounded whatever the file holds."""

from __future__ import annotations

from knowledge_base.errors import InputError

ROWS_PER_ITEM = 10
"""Rows read for each pair (or text) allowed: a file may give one row to each annotator."""

_OBJECT_BYTES = 200
"""What a vote costs beside its text."""


class Allowance:
    """Counts rows, distinct pairs or texts, and bytes of text against their limits.

    Args:
        file: file name, for messages.
        items: most distinct pairs (or texts); ten times as many rows are read.
        size: most bytes of text (UTF-8) in all rows together.
    """

    def __init__(self, file: str, items: int, size: int) -> None:
        self._file = file
        self._items = items
        self._size = size
        self._rows = 0
        self._used = 0

    def row(self, size: int, votes: int) -> None:
        """Count one row with `size` bytes of text and some votes.

        Raises:
            InputError: too many rows or bytes.
        """
        self._rows += 1
        self._used += size + votes * _OBJECT_BYTES
        if self._rows > self._items * ROWS_PER_ITEM:
            raise self._over(f"more than {self._items * ROWS_PER_ITEM:,} rows", f"limit (now {self._items:,} pairs)")
        if self._used > self._size:
            raise self._over(f"more than {self._size:,} bytes of text", f"total_bytes (now {self._size:,})")

    def item(self, held: int) -> None:
        """Check the number of distinct pairs (or texts), this one included.

        Raises:
            InputError: too many.
        """
        if held > self._items:
            raise self._over(f"more than {self._items:,} distinct pairs or texts", f"limit (now {self._items:,})")

    def _over(self, found: str, setting: str) -> InputError:
        return InputError(f"{self._file} holds {found}; split the file, take a sample, or raise {setting}")
