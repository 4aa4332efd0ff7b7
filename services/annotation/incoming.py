"""A file of pairs and votes read row by row, twice: once to find every fault, once to hand the rows over.

The rows are read by `services.datasets`, as for a run from a file; here nothing is settled. Beside the formats that
state a preference, a file may hold pairs alone (`a`, `b`), which people are to be asked about.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agents.pairs import Pair, Point, Vote
from knowledge_base.errors import InputError
from services.datasets import Reading, read_dataset
from services.datasets.allowance import Allowance
from services.datasets.ballots import mirrored, other_side
from services.datasets.drafts import PairDraft, PairFormat, pair_draft
from services.datasets.faults import Fault, Faults
from services.datasets.pooling import digest
from services.datasets.recognition import recognise
from services.datasets.record import Record, byte_size
from services.datasets.rows import Row, Source, open_rows

ANNOTATOR = 200
"""Longest name of an annotator, in characters."""

HELD_BYTES = 16_000_000
"""Text of a file that is kept between the first look and the second; a larger file is read again."""

_SHOWN = 20


_ANSWERS = ("preferred", "votes", "annotators")
_ANSWERED = {*_ANSWERS, "text", "chosen", "A", "response_a"}


def _read(record: Record) -> PairDraft | None:
    a, b = record.text("a"), record.text("b")
    for field in filter(record.has, _ANSWERS):
        record.fault(field, "given here, but in no row before", "put pairs with and without answers in separate files")
    draft = PairDraft(
        row=record.row, id=record.name("id"), a=a, b=b, preferred=None, prompt=record.words("prompt"),
        group=record.name("group"), weight=record.positive("weight"),
    )  # fmt: skip
    return pair_draft(record, ("a", "b"), (a, b), draft)


PAIRS = PairFormat(
    name="pairs",
    needs=frozenset({"a", "b"}),
    answers=frozenset(),
    also=frozenset({"id", "prompt", "group", "weight"}),
    read=_read,
)
"""Pairs that nobody has answered yet. A column `label`, as labelling writes it, is no person's answer: ignored."""


@dataclass(frozen=True)
class Said:
    """A row as it goes into the database.

    Attributes:
        draft: what the row says.
        key: digest of the row's content, whichever side the texts stand on.
        nth: how often the file said the same before.
    """

    draft: PairDraft
    key: str
    nth: int

    @property
    def pair(self) -> Pair:
        """As a judge may see it."""
        draft = self.draft
        return Pair(id="-", a=draft.a, b=draft.b, prompt=draft.prompt, preferred="tie")

    @property
    def texts(self) -> str:
        """Digest (32 hex digits) of prompt and texts, the same in either order."""
        return texts_of(self.draft.prompt, self.draft.a, self.draft.b)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """Its votes; the answer that it states is one if it lists none."""
        draft = self.draft
        if draft.votes or draft.preferred is None:
            return draft.votes
        return (Vote(preferred=draft.preferred, annotator=draft.annotator, reason=draft.reason),)

    @property
    def size(self) -> int:
        """Bytes of text."""
        draft = self.draft
        return sum(map(byte_size, (draft.a, draft.b, draft.prompt, draft.reason, *(v.reason for v in draft.votes))))


class _Limits(Allowance):
    """Names the settings, which whoever runs the server may change, in the place of arguments."""

    def _over(self, found: str, setting: str) -> InputError:
        named = setting.replace("total_bytes", "TOUCHSTONE_UPLOAD_TEXT_BYTES")
        return super()._over(found, named.replace("limit", "TOUCHSTONE_UPLOAD_PAIRS"))


@dataclass(frozen=True)
class Survey:
    """What the first look found: a digest of the content (64 hex digits), rows, and notes."""

    content: str
    rows: int
    notes: tuple[str, ...]


class IncomingFile:
    """A file of pairs, votes or labelled texts.

    Args:
        path: the file.
        most_pairs: distinct pairs (ten times as many rows); most_bytes: of text, in all rows together.

    Raises:
        InputError: its type is none that is read.
    """

    def __init__(self, path: Path, most_pairs: int, most_bytes: int) -> None:
        self.name = path.name
        self._path, self._most_pairs, self._most_bytes = path, most_pairs, most_bytes
        self._source: Source = open_rows(path)
        self._held: list[Said] | None = None

    @property
    def format(self) -> str:
        """Name of the format: native, trl, reference, arena, pointwise or pairs."""
        return "pointwise" if self._format is None else self._format.name

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Labelled texts of a pointwise file; empty for any other."""
        return self._pointwise.dataset.points if self._format is None else ()

    def survey(self) -> Survey:
        """Look at every row.

        Raises:
            FaultyRows: rows are at fault; carries the first 20 and their number.
            InputError: there are no rows, or more than is allowed.
        """
        faults, content, rows = Faults(), hashlib.sha256(), 0
        ids: dict[bytes, bytes] = {}
        held, size = list[Said](), 0
        for found in self._said():
            rows += 1
            if isinstance(found, Said):
                size += found.size
                held.append(found) if size <= HELD_BYTES else held.clear()
                content.update(f"{found.key}{_place(found.draft)}\n".encode())
                found = _id_faults(self.name, found, ids)
            for fault in found:
                faults.add(fault)
        faults.check()
        if not rows:
            raise InputError(f"{self.name} has columns but no rows; give at least one pair")
        self._held = held if size <= HELD_BYTES else None
        for point in self.points:
            content.update(f"{point.hash} {point.label} {point.group}\n".encode())
        return Survey(content.hexdigest(), rows, self._notes())

    def rows(self) -> Iterator[Said]:
        """Every row, after a survey that found no fault.

        Raises:
            InputError: the file was changed since.
        """
        for found in self._held if self._held is not None else self._said():
            if not isinstance(found, Said):
                raise InputError(f"{self.name} was changed while it was read; send it again")
            yield found

    @cached_property
    def _format(self) -> PairFormat | None:
        """None for a pointwise file."""
        columns = self._source.columns()
        if not columns:
            self._refuse_unreadable()
        if PAIRS.fits(frozenset(columns)) and not _ANSWERED & set(columns):
            return PAIRS
        known = recognise(self.name, columns)
        return known if isinstance(known, PairFormat) else None

    @cached_property
    def _pointwise(self) -> Reading:
        return read_dataset(self._path, limit=self._most_pairs, total_bytes=self._most_bytes)

    def _refuse_unreadable(self) -> None:
        faults = Faults()
        for row in self._source.rows(frozenset()):
            if isinstance(row, Fault):
                faults.add(row)
        faults.check()
        raise InputError(f"{self.name} is empty; give at least one pair")

    def _said(self) -> Iterator[Said | list[Fault]]:
        """Every row, or what is wrong with it.

        Raises:
            InputError: more rows, pairs or bytes than is allowed.
        """
        allowance = _Limits(self.name, self._most_pairs, self._most_bytes)
        distinct: set[bytes] = set()
        before: Counter[bytes] = Counter()
        for found in self._drafts():
            if not isinstance(found, PairDraft):
                yield found
                continue
            key = _content(found)
            said = Said(found, key.hex(), before[key])
            before[key] += 1
            allowance.row(said.size, len(said.votes))
            distinct.add(bytes.fromhex(said.texts))
            allowance.item(len(distinct))
            yield _long_names(self.name, said) or said

    def _drafts(self) -> Iterator[PairDraft | list[Fault]]:
        known = self._format
        if known is None:
            yield from map(_made, range(1, 1 + len(self._pointwise.dataset.pairs)), self._pointwise.dataset.pairs)
            return
        for row in self._source.rows(known.knows):
            yield [row] if isinstance(row, Fault) else self._draft(row, known)

    def _draft(self, row: Row, known: PairFormat) -> PairDraft | list[Fault]:
        record = Record(self.name, row, textual=self._source.textual)
        return known.read(record) or record.faults

    def _notes(self) -> tuple[str, ...]:
        if self._format is None:
            return self._pointwise.notes
        ignored = sorted(set(self._source.columns()) - self._format.knows)
        if not ignored:
            return ()
        more = " and more" if len(ignored) > _SHOWN else ""
        return (f"columns that mean nothing here were ignored: {', '.join(n[:40] for n in ignored[:_SHOWN])}{more}",)


def texts_of(prompt: str, a: str, b: str) -> str:
    """Digest (32 hex digits) of prompt and texts, the same in either order."""
    return digest(prompt, *sorted((a, b))).hex()


def name_key(name: str) -> str | None:
    """Digest (32 hex digits) of a user's id; None where none was given."""
    return digest(name).hex() if name else None


def _made(row: int, pair: Pair) -> PairDraft:
    """A pair that was made of two labelled texts."""
    return PairDraft(row, pair.id, pair.a, pair.b, pair.preferred, pair.prompt, group=pair.group, weight=pair.weight)


def _content(draft: PairDraft) -> bytes:
    """Digest of all that a row says of its texts, the lesser of which is taken for the first."""
    turned = draft.a > draft.b
    votes = mirrored(draft.votes) if turned else draft.votes
    stated = other_side(draft.preferred) if turned and draft.preferred else draft.preferred
    said = [[v.preferred, v.annotator, v.reason] for v in votes]
    head = [texts_of(draft.prompt, draft.a, draft.b), stated, draft.annotator, draft.reason, said]
    return hashlib.sha256(json.dumps(head).encode()).digest()[:16]


def _place(draft: PairDraft) -> str:
    """What a row says beside people's answers."""
    return json.dumps([draft.id, draft.group, draft.weight])


def _id_faults(file: str, said: Said, ids: dict[bytes, bytes]) -> list[Fault]:
    """A fault if the row's id was given to other texts before."""
    name, texts = name_key(said.draft.id), bytes.fromhex(said.texts)
    if name is None or ids.setdefault(bytes.fromhex(name), texts) == texts:
        return []
    remedy = "give each pair its own id, or leave ids out"
    return [Fault(file, said.draft.row, "id", f'"{said.draft.id[:60]}" again, for other texts', remedy)]


def _long_names(file: str, said: Said) -> list[Fault]:
    names = {said.draft.annotator, *(vote.annotator for vote in said.draft.votes)}
    long = [name for name in names if len(name) > ANNOTATOR]
    remedy = f"use names of at most {ANNOTATOR} characters"
    return [Fault(file, said.draft.row, "annotator", f"{len(long[0])} characters long", remedy)] if long else []
