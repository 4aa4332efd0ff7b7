"""A file of pairs and votes taken into a dataset: all of it, or nothing of it and every fault that stands in the way.

Rows that the dataset holds already add nothing, so a file that has grown may be sent again. The texts go into the
database first, in small steps that keep nobody waiting; what makes them part of the dataset follows in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from agents.pairs import Point, Vote
from services.annotation.dataset import open_dataset
from services.annotation.incoming import IncomingFile, Said, Survey
from services.annotation.moment import Held, check_time, held
from services.annotation.pairs import PairIn, Placed, keep_texts, place
from services.annotation.parquet_guard import refuse_bombs
from services.annotation.settings import AnnotationSettings
from services.annotation.spool import refuse_packed, spooled
from services.annotation.tables import OpenDatasetRow, OpenPointRow, StatementRow, UploadRow, VoteRow
from services.annotation.tallies import chunks, recount
from services.database import Database
from services.datasets.allowance import ROWS_PER_ITEM
from services.datasets.ballots import mirrored, other_side
from services.datasets.faults import Fault, Faults

SLICE_ROWS, SLICE_BYTES = 500, 16_000_000
"""Most rows, and about the most bytes of text, that are held between the file and the database."""


class UploadReport(BaseModel):
    """What a file added.

    Attributes:
        file, format: its name, and the format it was recognised as.
        rows: in the file; known_rows: of those, said by an earlier file already (they add nothing).
        pairs_added, votes_added: that are new.
        already: whether all of the same content was taken in before; then nothing was added.
        dry_run: whether nothing was kept; the numbers say what would have been.
        notes: what its owner should know, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    format: str
    rows: int
    known_rows: int = 0
    pairs_added: int = 0
    votes_added: int = 0
    already: bool = False
    dry_run: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class _Counts:
    pairs: int = 0
    votes: int = 0
    known: int = 0


class _DryRun(Exception):
    """Ends a transaction that is not to be kept."""


def upload(
    database: Database,
    dataset: str,
    source: Path | BinaryIO,
    *,
    name: str = "",
    format: str = "",
    dry_run: bool = False,
    at: float | None = None,
    by: str = "",
    settings: AnnotationSettings | None = None,
) -> UploadReport:
    """Take a file into a dataset; docs/data-formats.md says what it may hold. Pairs without answers are taken, too.

    Args:
        dataset: id or name.
        source: a path or an open stream of bytes, which is read to its end.
        name: what the file is called; its ending says how it is read, unless `format` does.
        format: `jsonl`, `csv`, `tsv` or `parquet`; empty: told by the name and the content.
        dry_run: only find the faults and count what would be added.
        at: when the votes were given, seconds since the epoch; None: now. A person's votes in the file stand against
            the same person's other votes by it.
        by: who sends it.
        settings: the limits.

    Raises:
        NotThere: there is no such dataset.
        FaultyRows: rows are at fault; carries the first 20 and their number. Nothing is added.
        InputError: the file as a whole cannot be used. Nothing is added.
    """
    limits = settings or AnnotationSettings()
    check_time(at)
    found = open_dataset(database, dataset)
    called = name or (source.name if isinstance(source, Path) else "")
    with spooled(source, called, format, limits.upload_bytes, limits.spool) as path:
        refuse_packed(path)
        refuse_bombs(path, path.name, limits.upload_pairs * ROWS_PER_ITEM)
        file = IncomingFile(path, limits.upload_pairs, limits.upload_text_bytes)
        survey = file.survey()
        if _taken(database, found.id, survey):
            return _report(file, survey, _Counts(known=survey.rows), already=True, dry_run=dry_run)
        if not dry_run:
            for some in _slices(file.rows()):
                with database.write(alone=False) as connection:
                    keep_texts(connection, [said.pair for said in some])
        return _take(database, found.id, file, survey, dry_run, at, by)


def _take(
    database: Database, dataset: str, file: IncomingFile, survey: Survey, dry_run: bool, at: float | None, by: str
) -> UploadReport:
    counts = _Counts()
    try:
        with held(database, dataset) as now:
            if _is_there(now.connection, dataset, survey):
                return _report(file, survey, _Counts(known=survey.rows), already=True, dry_run=dry_run)
            _Taking(now, file, survey, at, dry_run).all(counts, by)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return _report(file, survey, counts, already=False, dry_run=dry_run)


class _Taking:
    """One file going into one dataset."""

    def __init__(self, held: Held, file: IncomingFile, survey: Survey, at: float | None, dry_run: bool) -> None:
        self._held, self._file, self._survey, self._dry_run = held, file, survey, dry_run
        self._at = held.moment if at is None else at
        self._upload = survey.content
        self._touched: set[str] = set()
        self._faults = Faults()

    def all(self, counts: _Counts, by: str) -> None:
        """Take in every row; raises FaultyRows if ids of the file stand for other texts in the dataset."""
        for some in _slices(self._file.rows()):
            self._slice(some, counts)
        self._faults.check()
        head = {"dataset": self._held.id, "content": self._upload, "file": self._file.name, "by": by[:200]}
        row = head | {"rows": self._survey.rows, "recorded_at": self._held.moment}
        self._held.connection.execute(UploadRow.__table__.insert(), [row])  # type: ignore[attr-defined]
        self._points(self._file.points)
        recount(self._held, self._touched)
        self._held.change(votes=OpenDatasetRow.votes + counts.votes)

    def _slice(self, some: Sequence[Said], counts: _Counts) -> None:
        if self._dry_run:
            keep_texts(self._held.connection, [said.pair for said in some])
        placed, taken = place(self._held, [_pair_in(said) for said in some])
        for one in taken:
            value = f'"{one.name[:60]}", which stands for other texts in the dataset'
            remedy = "give each pair its own id, or leave ids out"
            self._faults.add(Fault(self._file.name, some[one.index].draft.row, "id", value, remedy))
        if self._faults.total:
            return
        counts.pairs += sum(one.added for one in placed)
        self._statements(some, placed, counts)

    def _statements(self, some: Sequence[Said], placed: Sequence[Placed], counts: _Counts) -> None:
        ids = [_statement_id(self._held.id, said) for said in some]
        there = self._there(ids)
        rows = list(zip(some, placed, ids, strict=True))
        fresh = [row for row in rows if row[2] not in there]
        said = [row for row in fresh if row[0].votes or row[0].draft.preferred]
        counts.known += sum(name in there or not (one.votes or spot.added) for one, spot, name in rows)
        statements = [self._statement(*row) for row in said]
        votes = [vote for row in said for vote in self._votes(*row)]
        connection = self._held.connection
        if statements:
            connection.execute(StatementRow.__table__.insert(), statements)  # type: ignore[attr-defined]
        for vote, moment in zip(votes, self._held.moments(len(votes)), strict=True):
            vote["recorded_at"] = moment
        for part in chunks(votes, 5000):
            connection.execute(VoteRow.__table__.insert(), list(part))  # type: ignore[attr-defined]
        counts.votes += len(votes)
        self._touched.update(placed.pair for _, placed, _ in said)

    def _there(self, ids: Sequence[str]) -> set[str]:
        query = select(StatementRow.id).where(StatementRow.id.in_(ids))
        return {row.id for row in self._held.connection.execute(query)}

    def _statement(self, said: Said, placed: Placed, name: str) -> dict[str, Any]:
        draft = said.draft
        listed = bool(draft.votes)
        stated = draft.preferred if listed else None
        turned = other_side(stated) if stated and placed.swapped else stated
        return {
            "id": name, "dataset": self._held.id, "pair": placed.pair, "row": draft.row, "listed": listed,
            "preferred": turned or "", "reason": draft.reason if listed else "", "recorded_at": self._held.moment,
        }  # fmt: skip

    def _votes(self, said: Said, placed: Placed, name: str) -> Iterator[dict[str, Any]]:
        votes: Sequence[Vote] = mirrored(said.votes) if placed.swapped else said.votes
        for number, vote in enumerate(votes):
            yield {
                "id": f"{name}.{number}", "dataset": self._held.id, "pair": placed.pair, "annotator": vote.annotator,
                "choice": vote.preferred, "reason": vote.reason, "at": self._at,
                "source": "upload", "upload": self._upload, "statement": name, "number": number,
            }  # fmt: skip

    def _points(self, points: Sequence[Point]) -> None:
        """Labelled texts; of one that came before, the earlier label stands."""
        row, start = OpenPointRow, int(self._held.row.points)
        there: set[str] = set()
        for some in chunks([point.hash for point in points]):
            query = select(row.hash).where(row.dataset == self._held.id, row.hash.in_(some))
            there.update(found.hash for found in self._held.connection.execute(query))
        fresh = [point for point in points if point.hash not in there]
        rows = [
            {
                "dataset": self._held.id, "hash": point.hash, "position": start + number,
                "body": point.model_dump_json(), "added_at": self._held.moment,
            }
            for number, point in enumerate(fresh)
        ]  # fmt: skip
        if rows:
            self._held.connection.execute(row.__table__.insert(), rows)  # type: ignore[attr-defined]
            self._held.change(points=start + len(rows))


def _slices(rows: Iterator[Said]) -> Iterator[list[Said]]:
    some: list[Said] = []
    size = 0
    for said in rows:
        some.append(said)
        size += said.size
        if len(some) >= SLICE_ROWS or size >= SLICE_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _taken(database: Database, dataset: str, survey: Survey) -> bool:
    with database.read() as connection:
        return _is_there(connection, dataset, survey)


def _is_there(connection: Any, dataset: str, survey: Survey) -> bool:
    row = UploadRow
    query = select(func.count()).select_from(row).where(row.dataset == dataset, row.content == survey.content)
    return bool(connection.execute(query).scalar_one())


def _pair_in(said: Said) -> PairIn:
    """Checked already: the texts need not be looked at again."""
    draft = said.draft
    return PairIn.model_construct(
        a=draft.a, b=draft.b, prompt=draft.prompt, id=draft.id, group=draft.group, weight=draft.weight
    )


def _statement_id(dataset: str, said: Said) -> str:
    return hashlib.sha256(f"{dataset}|{said.key}|{said.nth}".encode()).hexdigest()[:40]


def _report(file: IncomingFile, survey: Survey, counts: _Counts, *, already: bool, dry_run: bool) -> UploadReport:
    notes = list(survey.notes)
    if already:
        notes.append("a file of the same content was taken in before; nothing was added")
    elif counts.known:
        notes.append(f"{counts.known} of {survey.rows} rows were said by an earlier file; they add nothing")
    return UploadReport(
        file=file.name, format=file.format, rows=survey.rows, known_rows=counts.known, pairs_added=counts.pairs,
        votes_added=counts.votes, already=already, dry_run=dry_run, notes=tuple(notes),
    )  # fmt: skip
