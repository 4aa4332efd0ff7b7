"""Whether a file is an annotation tool's export, so that it can be mined as it is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Literal

from knowledge_base.errors import InputError
from services.datasets.recognition import FORMATS
from services.datasets.rows import Row, open_rows
from services.exchange import argilla, label_studio
from services.exchange.records import records
from services.exchange.sheets import Tool
from services.exchange.votes_file import VotesFile

ToolName = Literal["argilla", "label-studio"]

TOOLS: dict[str, Tool] = {argilla.NAME: argilla.Argilla(), label_studio.NAME: label_studio.LabelStudio()}

PEEKED = 20


def exported_votes(path: Path) -> VotesFile | None:
    """The file as an export; None if it is none, or if its columns are those of a format of pairs."""
    ending = path.suffix.lower()
    if ending not in (".json", ".jsonl", ".ndjson", ".parquet") or (ending == ".parquet" and not _has_responses(path)):
        return None
    try:
        first = [row.fields for row in islice(records(path), PEEKED) if isinstance(row, Row)]
    except InputError:
        # Whatever is wrong with it, the reader of data files says so.
        return None
    if any(known.fits(frozenset(fields)) for fields in first for known in FORMATS):
        return None
    tool = next((tool for tool in TOOLS.values() if any(tool.knows(fields) for fields in first)), None)
    return VotesFile(path, tool) if tool else None


def _has_responses(path: Path) -> bool:
    """Whether a Parquet file has the columns of a flattened export, told by its schema alone."""
    columns = open_rows(path).columns()
    return any(name.endswith(".responses") for name in columns)
