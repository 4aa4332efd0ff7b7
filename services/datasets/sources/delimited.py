"""Comma-separated text with a header line; semicolons and tabs are recognised by the header.

Quoting follows RFC 4180: a text that holds the separator, a quote or a line break stands in double quotes, and a quote
inside it is doubled.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from knowledge_base.errors import InputError
from services.datasets.encoding import LINE_BYTES, lines
from services.datasets.faults import Fault, Faults
from services.datasets.rows import Row

_QUOTE = "put texts that hold separators, quotes or line breaks in double quotes and double the quotes inside"

_PENDING = 10_000
"""Faulty lines counted inside one record; an unclosed quote can run over millions of them."""


class Delimited:
    """Rows of a `.csv` (or `.tsv`) file."""

    textual = True

    def __init__(self, path: Path) -> None:
        self._path = path
        # The csv module's own limit (131,072 characters) is below the texts that are accepted, and is global to it.
        csv.field_size_limit(max(csv.field_size_limit(), LINE_BYTES))

    def columns(self) -> tuple[str, ...]:
        """Names in the header line.

        Raises:
            FaultyRows: the header line cannot be decoded.
            InputError: it is not valid CSV, or a name stands in it twice.
        """
        header, _ = self._header()
        twice = [name for name, count in Counter(header).items() if count > 1]
        if twice:
            raise InputError(f'{self._path.name}: the header names "{twice[0]}" twice; give each column its own name')
        return header

    def rows(self, wanted: frozenset[str]) -> Iterator[Row | Fault]:
        """Every record after the header with the wanted fields, or its fault."""
        header, delimiter = self._header()
        pending: list[Fault] = []
        reader = csv.reader(self._texts(pending), delimiter=delimiter, strict=True)
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                pending.append(Fault(self._path.name, start, "", f"not valid CSV ({error})", _QUOTE))
                cells = []
            if pending:
                yield from pending
                pending.clear()
            elif cells and start > 1:
                yield self._row(start, header, cells, wanted)

    def _row(self, start: int, header: tuple[str, ...], cells: list[str], wanted: frozenset[str]) -> Row | Fault:
        if len(cells) != len(header):
            value = f"{len(cells)} fields long where the header has {len(header)}"
            return Fault(self._path.name, start, "", value, _QUOTE)
        return Row(start, {name: cell for name, cell in zip(header, cells, strict=True) if name in wanted})

    def _texts(self, pending: list[Fault]) -> Iterator[str]:
        """Lines for the csv reader; what is wrong with their bytes goes to `pending`."""
        for line in lines(self._path):
            if line.fault and len(pending) < _PENDING:
                pending.append(line.fault)
            yield line.text

    def _header(self) -> tuple[tuple[str, ...], str]:
        """Column names and the separator: the one that gives most columns, a comma before others."""
        first = next(lines(self._path), None)
        faults = Faults()
        if first is None:
            return (), ","
        if first.fault:
            faults.add(first.fault)
        faults.check()
        cut = {delimiter: self._names(first.text, delimiter) for delimiter in ",;\t"}
        best = max(cut, key=lambda delimiter: len(cut[delimiter]))
        return cut[best], best

    def _names(self, line: str, delimiter: str) -> tuple[str, ...]:
        try:
            return tuple(next(csv.reader([line], delimiter=delimiter), []))
        except csv.Error as error:
            name = self._path.name
            raise InputError(f"{name}: the header is not valid CSV ({error}); end lines with a line feed") from None
