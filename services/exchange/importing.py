"""Votes of an annotation tool written as pairs in Touchstone's own format."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge_base.errors import InputError
from services.datasets.faults import Fault, Faults
from services.datasets.formats import NATIVE
from services.exchange.choosing import Choice
from services.exchange.recognising import TOOLS, ToolName
from services.exchange.votes_file import LEFT_OUT, VotesFile
from services.labelling.sinks import sink


class Imported(BaseModel):
    """What an import came to.

    Attributes:
        tool: whose export it was; file: its name.
        records: in the export; pairs: written, a record each; votes, annotators: in them.
        left_out: why -> how many; see `services.exchange.votes_file.LEFT_OUT`.
        faulty: faults of records that were skipped; faults: the first of them.
        notes: what a reader should know, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: ToolName
    file: str
    records: int
    pairs: int
    votes: int
    annotators: int
    left_out: dict[str, int]
    faulty: int = 0
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def import_votes(
    path: Path, tool: ToolName, out: Path, choice: Choice | None = None, *, skip_faulty: bool = False
) -> Imported:
    """Write the pairs and votes of an export to `out`, as JSON Lines, in memory that does not grow with the file.

    Args:
        path: the export.
        tool: whose it is.
        out: ends in `.jsonl`; replaced whole or not at all.
        choice: what the user says about fields and answers.
        skip_faulty: leave out records with faults and count them, instead of writing nothing.

    Raises:
        FaultyRows: records have faults; carries the first 20 and their number.
        InputError: the export cannot be read or understood, or `out` not be written.
    """
    if out.suffix.lower() != ".jsonl":
        raise InputError(f"{out} ends in {out.suffix!r}; votes are written to a file that ends in .jsonl")
    votes, faults = VotesFile(path, TOOLS[tool], choice), Faults()
    with sink(out, None, {}) as written:
        for row in votes.rows(NATIVE.knows):
            if isinstance(row, Fault):
                faults.add(row)
            else:
                written.write([row.fields])
        if not skip_faulty or not votes.counts["pairs"]:
            faults.check()
    return _report(votes, tool, faults)


def _report(votes: VotesFile, tool: ToolName, faults: Faults) -> Imported:
    counts = votes.counts
    return Imported(
        tool=tool,
        file=votes.path.name,
        records=counts["records"],
        pairs=counts["pairs"],
        votes=counts["votes"],
        annotators=len(votes.annotators),
        left_out={key: counts[key] for key in LEFT_OUT if counts[key]},
        faulty=faults.total,
        faults=tuple(map(str, faults.first)),
        notes=tuple(votes.notes()),
    )
