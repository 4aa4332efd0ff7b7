"""JSON Lines: one JSON object a line; blank lines are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson

from knowledge_base.errors import InputError
from services.datasets.encoding import Line, lines
from services.datasets.faults import Fault, shown
from services.datasets.rows import PEEKED, Row

_REMEDY = "write one JSON object on each line"


class JsonLines:
    """Rows of a `.jsonl` file."""

    textual = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """Keys of the first readable rows, in order of appearance.

        Raises:
            InputError: the file is one JSON array, or one object over several lines.
        """
        self._refuse_one_document()
        readable = islice((row for row in self.rows(frozenset()) if isinstance(row, Row)), PEEKED)
        return tuple(dict.fromkeys(key for row in readable for key in row.fields))

    def rows(self, wanted: frozenset[str]) -> Iterator[Row | Fault]:
        """Every row with all of its fields (so that unknown ones can be reported), or its fault."""
        for line in lines(self._path):
            if line.fault:
                yield line.fault
            elif line.text.strip():
                yield self._parsed(line)

    def _parsed(self, line: Line) -> Row | Fault:
        try:
            value = orjson.loads(line.text)
        except orjson.JSONDecodeError as error:
            return Fault(self._path.name, line.number, "", f"not JSON ({error})", _REMEDY)
        if isinstance(value, dict):
            return Row(line.number, value)
        return Fault(self._path.name, line.number, "", f"{shown(value)}, not an object", _REMEDY)

    def _refuse_one_document(self) -> None:
        first = next((line.text.strip() for line in lines(self._path) if line.text.strip()), "")
        if first == "{" or first.startswith("["):
            remedy = f"write one object a line, for example by jq -c '.[]' {self._path.name} > pairs.jsonl"
            raise InputError(f"{self._path.name} is one JSON document, not JSON Lines; {remedy}")
