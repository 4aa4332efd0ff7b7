"""Pairs to label, read from a user's file a row at a time: twice, so that nothing is kept until all of it is sound.

The first look finds every fault and what the content hashes to; the second hands the pairs over. Beside the row at
hand only 24 bytes are held for each row, so that a file may be far larger than the memory.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from agents.pairs import Pair, Preference
from knowledge_base.errors import InputError
from services.datasets.ballots import ANSWERS
from services.datasets.drafts import PairDraft, PairFormat
from services.datasets.faults import Fault, Faults
from services.datasets.pooling import digest
from services.datasets.recognition import FORMATS, recognise
from services.datasets.record import Record, byte_size
from services.datasets.rows import Row, open_rows

IGNORED_SHOWN = 20
HEAD = 4096
BOM = b"\xef\xbb\xbf"
NEEDED = 'labelling needs the two texts, in columns "a" and "b"'


@dataclass(frozen=True, slots=True)
class Incoming:
    """One row: its number, the user's id (or one made from the content), the pair, and the preference it states."""

    row: int
    name: str
    named: bool
    a: str
    b: str
    prompt: str
    given: str

    @property
    def pair(self) -> Pair:
        """As a judge may see it: texts and prompt, with no trace of what people preferred."""
        return Pair(id=self.name, a=self.a, b=self.b, prompt=self.prompt, preferred="tie")

    @property
    def texts(self) -> str:
        """Digest (32 hex digits) of prompt and texts, the same in either order."""
        return digest(self.prompt, *sorted((self.a, self.b))).hex()

    @property
    def size(self) -> int:
        """Bytes of text."""
        return byte_size(self.a) + byte_size(self.b) + byte_size(self.prompt)


@dataclass(frozen=True)
class Survey:
    """What a first look found: the content's digest (64 hex digits), rows, whether any has a prompt, and notes."""

    digest: str
    rows: int
    prompted: bool
    notes: tuple[str, ...]


def _read(record: Record) -> PairDraft | None:
    preferred = record.choice("preferred", ANSWERS) or record.choice("label", ANSWERS)
    draft = PairDraft(
        row=record.row, id=record.name("id"), a=record.text("a"), b=record.text("b"),
        preferred=cast("Preference | None", preferred), prompt=record.words("prompt"),
    )  # fmt: skip
    return None if record.faults else draft


UNLABELLED = PairFormat(
    name="unlabelled",
    needs=frozenset({"a", "b"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "preferred", "label"}),
    read=_read,
)


class PairsFile:
    """A JSONL, CSV or Parquet file of pairs; formats whose rows state a preference are read as well.

    Args:
        path: the file.
        limit: rows to read; all if None.

    Raises:
        InputError: there is no such file, it is empty, or its columns hold no pairs.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self.name, self._path = path.name, path
        self._limit = limit
        self._source = open_rows(path)

    def survey(self) -> Survey:
        """Look at every row.

        Raises:
            FaultyRows: rows are at fault; carries the first 20 and their number.
            InputError: there are no rows.
        """
        faults, names, content = Faults(), _Names(self.name), hashlib.sha256()
        rows, prompted = 0, False
        for found in self._rows():
            rows += 1
            if not isinstance(found, Incoming):
                _add(faults, found)
                continue
            content.update(_line(found))
            prompted = prompted or bool(found.prompt)
            names.add(found)
        _add(faults, names.faults())
        faults.check()
        if not rows:
            raise InputError(f"{self.name} has columns but no rows; give at least one pair")
        return Survey(content.hexdigest(), rows, prompted, self._notes())

    def slices(self, survey: Survey, rows: int, size: int) -> Iterator[list[Incoming]]:
        """The pairs in file order, in slices of at most so many rows and about so many bytes of text.

        Raises:
            InputError: the file is not any more what was surveyed.
        """
        content = hashlib.sha256()
        held: list[Incoming] = []
        bytes_held = 0
        for found in self._rows():
            if not isinstance(found, Incoming):
                raise self._changed()
            content.update(_line(found))
            held.append(found)
            bytes_held += found.size
            if len(held) >= rows or bytes_held >= size:
                yield held
                held, bytes_held = [], 0
        if content.hexdigest() != survey.digest:
            raise self._changed()
        if held:
            yield held

    def _changed(self) -> InputError:
        return InputError(f"{self.name} was changed while it was read; run the same command again")

    @cached_property
    def _format(self) -> PairFormat:
        columns = self._source.columns()
        if UNLABELLED.fits(frozenset(columns)):
            return UNLABELLED
        if columns and not any(known.fits(frozenset(columns)) for known in FORMATS):
            raise InputError(self._misnamed or f"{self.name} fits no format ({_columns(columns)}); {NEEDED}")
        known = recognise(self.name, columns) if columns else None
        if isinstance(known, PairFormat):
            return known
        what = "holds single texts" if known else "holds no row that can be read"
        raise InputError(f'{self.name} {what}; give pairs: the two texts in columns "a" and "b"')

    @cached_property
    def _misnamed(self) -> str:
        """That the file's ending does not fit what is in it; empty if it does."""
        with self._path.open("rb") as file:
            first = file.read(HEAD).removeprefix(BOM).lstrip().partition(b"\n")[0]
        ending = self._path.suffix.lower()
        if ending in (".csv", ".tsv") and first.startswith((b"{", b"[")):
            return f"{self.name} ends in {ending}, and JSON is in it; give it the ending .jsonl"
        columns = first[:1].isalnum() or first.startswith(b'"')
        if ending in (".jsonl", ".ndjson", ".json") and columns and (b"," in first or b"\t" in first):
            return f"{self.name} ends in {ending}, and no JSON is in it; give it the ending that fits, such as .csv"
        return ""

    def _rows(self) -> Iterator[Incoming | list[Fault]]:
        self._refuse_unreadable()
        known = self._format
        for row in islice(self._source.rows(known.knows), self._limit):
            yield [row] if isinstance(row, Fault) else self._incoming(row, known)

    def _incoming(self, row: Row, known: PairFormat) -> Incoming | list[Fault]:
        record = Record(self.name, row, textual=self._source.textual)
        draft = known.read(record)
        if draft is None:
            return record.faults
        named = bool(draft.id)
        name = draft.id or digest(draft.prompt, *sorted((draft.a, draft.b)))[:8].hex()
        return Incoming(draft.row, name, named, draft.a, draft.b, draft.prompt, draft.preferred or "")

    def _refuse_unreadable(self) -> None:
        """A file without a single readable row is reported by its faults."""
        if self._source.columns():
            return
        if self._misnamed:
            raise InputError(self._misnamed)
        faults = Faults()
        _add(faults, (row for row in self._source.rows(frozenset()) if isinstance(row, Fault)))
        faults.check()
        raise InputError(f"{self.name} is empty; give at least one pair")

    def _notes(self) -> tuple[str, ...]:
        ignored = sorted(set(self._source.columns()) - self._format.knows)
        if not ignored:
            return ()
        listed = ", ".join(name[:40] for name in ignored[:IGNORED_SHOWN])
        more = " and more" if len(ignored) > IGNORED_SHOWN else ""
        return (f"columns that mean nothing here were ignored: {listed}{more}",)


class _Names:
    """Finds ids that are given to two pairs, holding three numbers a row."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._rows, self._ids, self._texts = array("q"), array("Q"), array("Q")

    def add(self, found: Incoming) -> None:
        """Take in a row; one without an id of its own cannot be at fault."""
        if found.named:
            self._rows.append(found.row)
            self._ids.append(_number(found.name))
            self._texts.append(int(found.texts[:16], 16))

    def faults(self) -> list[Fault]:
        """A fault for each row whose id stands for other texts before."""
        if not self._rows:
            return []
        rows = np.frombuffer(self._rows, dtype=np.int64)
        ids, texts = (np.frombuffer(numbers, dtype=np.uint64) for numbers in (self._ids, self._texts))
        order = np.lexsort((rows, ids))
        first = np.flatnonzero(np.append(True, ids[order][1:] != ids[order][:-1]))
        owner = np.repeat(texts[order][first], np.diff(np.append(first, len(order))))
        wrong = np.sort(rows[order][texts[order] != owner])
        remedy = "give each pair its own id, or leave ids out"
        return [Fault(self._file, int(row), "id", "given to other texts before", remedy) for row in wrong]


def _columns(columns: Sequence[str]) -> str:
    """The columns of a file, and those to rename that are nearly `a` and `b`."""
    found = ", ".join(repr(name[:40]) for name in columns[:IGNORED_SHOWN])
    near = [
        f"rename {c[:40]!r} to {c.strip().lower()!r}"
        for c in columns
        if c.strip().lower() in ("a", "b") and c not in ("a", "b")
    ]
    return f"columns: {found}" + (f"; {' and '.join(near[:2])}" if near else "")


def _number(text: str) -> int:
    return int.from_bytes(digest(text)[:8], "big")


def _line(found: Incoming) -> bytes:
    """What a row adds to the digest of the content: everything of it that comes into the output."""
    return json.dumps([found.name, found.pair.hash, found.given]).encode() + b"\n"


def _add(faults: Faults, found: Iterable[Fault]) -> None:
    for fault in found:
        faults.add(fault)
