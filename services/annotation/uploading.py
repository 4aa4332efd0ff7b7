"""A file of pairs and votes taken into a dataset: all of it, or nothing of it and every fault that stands in the way.

Rows that the dataset holds already add nothing, so a file that has grown may be sent again. The texts go into the
database first, in small steps that keep nobody waiting; what the file adds is worked out beside it. What makes all that
part of the dataset follows in one transaction, which does nothing but copy rows. On an SQLite file that is the one
writer while it lasts; on a server only the dataset's own writers wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from agents.pairs import Point
from knowledge_base.errors import Conflict
from services.annotation.dataset import open_dataset
from services.annotation.incoming import IncomingFile, Said, Survey
from services.annotation.moment import Held, check_time, held
from services.annotation.pairs import keep_texts
from services.annotation.parquet_guard import refuse_bombs
from services.annotation.prepared import Counts, preparing
from services.annotation.settings import AnnotationSettings
from services.annotation.spool import refuse_packed, spooled
from services.annotation.tables import OpenPointRow, UploadRow
from services.annotation.tallies import chunks
from services.database import Database
from services.datasets.allowance import ROWS_PER_ITEM

SLICE_ROWS, SLICE_BYTES = 500, 16_000_000
"""Most rows, and about the most bytes of text, that are held between the file and the database."""

TRIES = 20
"""How often a file is prepared again because others added some of the same pairs meanwhile."""


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
            return _report(file, survey, Counts(known=survey.rows), already=True, dry_run=dry_run)
        return _take(database, found.id, file, survey, path.parent, dry_run=dry_run, at=at, by=by)


def _take(
    database: Database, dataset: str, file: IncomingFile, survey: Survey, folder: Path, *, dry_run: bool,
    at: float | None, by: str,
) -> UploadReport:  # fmt: skip
    """Prepare what the file adds, and make it part of the dataset; again if the dataset came to hold some of it."""
    for _ in range(TRIES):
        with preparing(database, dataset, folder, file.name) as prepared:
            prepared.fill(_kept(database, file, dry_run))
            if dry_run:
                return _report(file, survey, prepared.counts, already=False, dry_run=True)
            with held(database, dataset) as now:
                if _is_there(now.connection, dataset, survey):
                    return _report(file, survey, Counts(known=survey.rows), already=True, dry_run=False)
                if prepared.fits(now):
                    prepared.copy(now, survey.content, at)
                    _note(now, file, survey, by)
                    return _report(file, survey, prepared.counts, already=False, dry_run=False)
    raise Conflict(f"{file.name} was not taken in: others kept adding the same pairs; send it again")


def _kept(database: Database, file: IncomingFile, dry_run: bool) -> Iterator[Sequence[Said]]:
    """The file's rows in slices whose texts the database keeps, whether or not the dataset comes to hold them."""
    for some in _slices(file.rows()):
        if not dry_run:
            with database.write(alone=False) as connection:
                keep_texts(connection, [said.pair for said in some])
        yield some


def _note(held: Held, file: IncomingFile, survey: Survey, by: str) -> None:
    head = {"dataset": held.id, "content": survey.content, "file": file.name, "by": by[:200]}
    row = head | {"rows": survey.rows, "recorded_at": held.moment}
    held.connection.execute(UploadRow.__table__.insert(), [row])  # type: ignore[attr-defined]
    _points(held, file.points)


def _points(held: Held, points: Sequence[Point]) -> None:
    """Labelled texts; of one that came before, the earlier label stands."""
    row, start = OpenPointRow, int(held.row.points)
    there: set[str] = set()
    for some in chunks([point.hash for point in points]):
        query = select(row.hash).where(row.dataset == held.id, row.hash.in_(some))
        there.update(found.hash for found in held.connection.execute(query))
    fresh = [point for point in points if point.hash not in there]
    rows = [
        {
            "dataset": held.id, "hash": point.hash, "position": start + number,
            "body": point.model_dump_json(), "added_at": held.moment,
        }
        for number, point in enumerate(fresh)
    ]  # fmt: skip
    if rows:
        held.connection.execute(row.__table__.insert(), rows)  # type: ignore[attr-defined]
        held.change(points=start + len(rows))


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


def _report(file: IncomingFile, survey: Survey, counts: Counts, *, already: bool, dry_run: bool) -> UploadReport:
    notes = list(survey.notes)
    if already:
        notes.append("a file of the same content was taken in before; nothing was added")
    elif counts.known:
        notes.append(f"{counts.known} of {survey.rows} rows were said by an earlier file; they add nothing")
    return UploadReport(
        file=file.name, format=file.format, rows=survey.rows, known_rows=counts.known, pairs_added=counts.pairs,
        votes_added=counts.votes, already=already, dry_run=dry_run, notes=tuple(notes),
    )  # fmt: skip
