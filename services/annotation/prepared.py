"""A file's rows made ready before anybody has to wait for them.

Working out what a file adds to a dataset takes most of the time: its texts are digested, and what is there already is
looked up. All of that happens here, outside of any writing transaction, into a small database of its own beside the
file, so that memory holds a slice at a time. What is left for the transaction is to copy finished rows.

Meanwhile others may write to the dataset. `fits` tells whether what was looked up still holds: people's answers do not
matter, and of new pairs only those that the file has, too.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from agents.pairs import Vote
from services.annotation.dataset import Sampling, row_of
from services.annotation.incoming import Said, name_key
from services.annotation.lots import lot
from services.annotation.moment import STEP, Held
from services.annotation.standing import standing
from services.annotation.tables import OpenDatasetRow, OpenPairRow, StatementRow, UploadRow, VoteRow
from services.annotation.tallies import recount, sums
from services.database import Database
from services.datasets.ballots import mirrored, other_side
from services.datasets.faults import Fault, Faults
from services.tables import Tables

COPIED_ROWS, COPIED_CHARS = 2000, 4_000_000
"""Most rows, and about the most characters of reasons, that are held while they are copied."""

SORTED_KB = 64_000
"""Cache for copying into an SQLite file; its own 2 MB make a large file take a third longer."""

_TABLES = (
    """CREATE TABLE pairs (pair TEXT PRIMARY KEY, place INTEGER, texts TEXT, name TEXT, name_key TEXT, "group" TEXT,
    weight REAL, lot INTEGER) WITHOUT ROWID""",
    "CREATE TABLE tallies (pair TEXT PRIMARY KEY, voters INTEGER, a INTEGER, b INTEGER, ties INTEGER) WITHOUT ROWID",
    'CREATE TABLE statements (id TEXT, pair TEXT, "row" INTEGER, listed INTEGER, preferred TEXT, reason TEXT)',
    """CREATE TABLE votes (nth INTEGER PRIMARY KEY, id TEXT, pair TEXT, annotator TEXT, choice TEXT, reason TEXT,
    statement TEXT, number INTEGER)""",
)
_INDEXES = (
    "CREATE INDEX statements_of_pair ON statements (pair)",
    "CREATE INDEX votes_of_pair ON votes (pair)",
)

# By pair, which is what most indexes of the copied rows begin with.
_PAIRS = """SELECT pair, ? + place, texts, name, name_key, "group", weight, lot, iif(voters > 0, 'known', 'fresh'),
    coalesce(voters, 0), coalesce(a, 0), coalesce(b, 0), coalesce(ties, 0), ?, ?, ?, ?, '', 0
    FROM pairs LEFT JOIN tallies USING (pair) ORDER BY pair"""
_PAIR_COLUMNS = (
    "pair", "position", "texts", "name", "name_key", "group", "weight", "lot", "state",
    "voters", "for_a", "for_b", "ties", "dataset", "added_at", "since", "known", "why", "left",
)  # fmt: skip
_STATEMENTS = 'SELECT id, pair, "row", preferred, reason, ?, ?, listed FROM statements ORDER BY pair'
_STATEMENT_COLUMNS = ("id", "pair", "row", "preferred", "reason", "dataset", "recorded_at", "listed")
_VOTES = """SELECT id, pair, annotator, choice, reason, statement, number, ? + nth * ?, ?, ?, ?, 'upload', '', '', ''
    FROM votes ORDER BY pair"""
_VOTE_COLUMNS = (
    "id", "pair", "annotator", "choice", "reason", "statement", "number", "recorded_at", "dataset", "at", "upload",
    "source", "why", "shown", "withdraws",
)  # fmt: skip


@dataclass
class Counts:
    """What a file adds: pairs and votes, and how many of its rows an earlier file had said."""

    pairs: int = 0
    votes: int = 0
    known: int = 0


@dataclass(frozen=True)
class _Place:
    """Where a row's pair stands in the dataset, and whether with its sides exchanged; `added`: by this very row."""

    pair: str
    swapped: bool
    added: bool


@dataclass(frozen=True)
class _Cast:
    """A vote of the file, as `standing` looks at it: all of one file are given at once."""

    id: str
    annotator: str
    choice: str
    at: float = 0.0
    upload: str = "this"
    withdraws: str = ""


class Prepared:
    """What a file adds to a dataset.

    Args:
        database: of the dataset, whose id is given.
        rows: the database of the prepared rows.
        file: what messages call the file.
    """

    def __init__(self, database: Database, dataset: str, rows: sqlite3.Connection, file: str) -> None:
        self.counts = Counts()
        self._database, self._dataset, self._rows, self._file = database, dataset, rows, file
        with database.read() as connection:
            found = row_of(connection, dataset)
            self._uploads = _uploads(connection, dataset)
        self._secret, self._first = str(found.secret), int(found.pairs)
        self._sampling = Sampling.model_validate_json(found.sampling)
        self._new: dict[str, str] = {}
        self._names: set[str] = set()
        self._faults = Faults()

    def fill(self, slices: Iterable[Sequence[Said]]) -> None:
        """Work out what these rows add.

        Raises:
            FaultyRows: ids of the file stand for other texts in the dataset.
        """
        for some in slices:
            self._slice(some)
        self._faults.check()
        for index in _INDEXES:
            self._rows.execute(index)
        tally = "INSERT INTO tallies VALUES (:pair, :new_voters, :new_for_a, :new_for_b, :new_ties)"
        self._rows.executemany(tally, self._counted())

    def fits(self, held: Held) -> bool:
        """Whether nothing came into the dataset since that would change what the file adds."""
        if _uploads(held.connection, self._dataset) != self._uploads:
            return False
        row = OpenPairRow
        later = select(row.texts, row.name_key).where(row.dataset == self._dataset, row.position >= self._first)
        found = held.connection.execute(later)
        return not any(r.texts in self._new or r.name_key in self._names for r in found)

    def copy(self, held: Held, upload: str, at: float | None) -> None:
        """Make it part of the dataset, in the transaction that holds it.

        Args:
            upload: digest of the file's content.
            at: when the votes were given; None: now.
        """
        counts, draws, first = self.counts, held.row.draws, int(held.row.pairs)
        start = held.span(counts.votes)
        given = held.moment if at is None else at
        with _roomy(held.connection):
            here = (first, held.id, held.moment, draws, draws)
            self._copy(held, OpenPairRow, _PAIR_COLUMNS, _PAIRS, here)
            self._copy(held, StatementRow, _STATEMENT_COLUMNS, _STATEMENTS, (held.id, held.moment))
            self._copy(held, VoteRow, _VOTE_COLUMNS, _VOTES, (start, STEP, held.id, given, upload))
            answered = "SELECT DISTINCT pair FROM votes WHERE pair NOT IN (SELECT pair FROM pairs)"
            recount(held, [pair for (pair,) in self._rows.execute(answered)])
        held.change(pairs=first + counts.pairs, votes=OpenDatasetRow.votes + counts.votes)

    def _slice(self, some: Sequence[Said]) -> None:
        placed = self._placed(some)
        if self._faults.total:
            return
        ids = [_statement_id(self._dataset, said) for said in some]
        with self._database.read() as connection:
            there = set(connection.execute(select(StatementRow.id).where(StatementRow.id.in_(ids))).scalars())
        for said, place, name in zip(some, placed, ids, strict=True):
            votes = said.votes
            self.counts.known += name in there or not (votes or place.added)
            if name not in there and (votes or said.draft.preferred):
                self._say(said, place, name, mirrored(votes) if place.swapped else votes)

    def _placed(self, some: Sequence[Said]) -> list[_Place]:
        """Where the rows' pairs stand; those that are new are kept, those whose ids are taken are at fault."""
        texts = [said.texts for said in some]
        keys = [name_key(said.draft.id) for said in some]
        with self._database.read() as connection:
            there = _known(connection, self._dataset, OpenPairRow.texts, texts)
            names = _known(connection, self._dataset, OpenPairRow.name_key, [key for key in keys if key])
        placed: list[_Place] = []
        for said, text, key in zip(some, texts, keys, strict=True):
            if key and key in names and names[key][1] != text:
                self._faults.add(_taken(self._file, said))
            pair = said.pair.hash
            stands = there[text][0] if text in there else self._new.get(text)
            if stands is None:
                self._add(said, pair, text, key)
            placed.append(_Place(stands or pair, bool(stands) and stands != pair, stands is None))
        return placed

    def _add(self, said: Said, pair: str, text: str, key: str | None) -> None:
        draft, chance = said.draft, lot(self._secret, "pair", text)
        row = (pair, self.counts.pairs, text, draft.id, key, draft.group, draft.weight, chance)
        self._rows.execute("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._new[text] = pair
        self.counts.pairs += 1
        if key:
            self._names.add(key)

    def _say(self, said: Said, place: _Place, name: str, votes: Sequence[Vote]) -> None:
        draft = said.draft
        listed = bool(draft.votes)
        stated = draft.preferred if listed else None
        turned = other_side(stated) if stated and place.swapped else stated
        row = (name, place.pair, draft.row, listed, turned or "", draft.reason if listed else "")
        self._rows.execute("INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?)", row)
        first = self.counts.votes + 1
        self._rows.executemany(
            "INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (first + n, f"{name}.{n}", place.pair, vote.annotator, vote.preferred, vote.reason, name, n)
                for n, vote in enumerate(votes)
            ),
        )
        self.counts.votes += len(votes)

    def _counted(self) -> Iterator[dict[str, Any]]:
        """How the votes on each new pair add up; those on others are counted with what they have."""
        query = "SELECT pair, id, annotator, choice FROM votes WHERE pair IN (SELECT pair FROM pairs) ORDER BY pair"
        for pair, found in groupby(self._rows.execute(query), key=lambda row: row[0]):
            cast = [_Cast(*row[1:]) for row in found]
            yield {"pair": pair} | sums(standing(cast, self._sampling.repeats))

    def _copy(self, held: Held, table: type[Tables], columns: Sequence[str], query: str, given: Sequence[Any]) -> None:
        connection = held.connection
        into = f"{table.__tablename__} ({', '.join(map(connection.dialect.identifier_preparer.quote, columns))})"
        rows: Iterator[tuple[Any, ...]] = self._rows.execute(query, given)
        if connection.dialect.name != "sqlite":
            _copy_in(connection, into, rows)
            return
        marks = ", ".join("?" * len(columns))
        for part in _parts(rows, columns.index("reason") if "reason" in columns else columns.index("name")):
            connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", part)


@contextmanager
def preparing(database: Database, dataset: str, folder: Path, file: str) -> Iterator[Prepared]:
    """Room for what a file adds to a dataset, in a folder that is nobody else's; gone when the block ends."""
    place = folder / "prepared.rows"
    place.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(place, isolation_level=None)) as rows:
            for statement in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "BEGIN", *_TABLES):
                rows.execute(statement)
            yield Prepared(database, dataset, rows, file)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise


@contextmanager
def _roomy(connection: Connection) -> Iterator[None]:
    """Let an SQLite connection hold more of the file's pages for as long as the block runs."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size=-{SORTED_KB}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size={before}")


def _copy_in(connection: Connection, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Postgres takes rows in a stream of their own twice as fast as by statements."""
    from psycopg import OperationalError as Away

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as stream:
            for row in rows:
                stream.write_row(row)
    except Away as error:
        raise OperationalError(f"COPY {into}", None, error) from error


def _parts(rows: Iterable[tuple[Any, ...]], long: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows a handful at a time; `long` is the column that may be long."""
    part: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row[long])
        if len(part) >= COPIED_ROWS or size >= COPIED_CHARS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _known(connection: Connection, dataset: str, column: Any, values: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Pairs of the dataset whose column has one of the values: their hash and texts by that value."""
    row = OpenPairRow
    query = select(column, row.pair, row.texts).where(row.dataset == dataset, column.in_(sorted(set(values))))
    return {value: (pair, texts) for value, pair, texts in connection.execute(query)} if values else {}


def _uploads(connection: Connection, dataset: str) -> int:
    query = select(func.count()).select_from(UploadRow).where(UploadRow.dataset == dataset)
    return int(connection.execute(query).scalar_one())


def _statement_id(dataset: str, said: Said) -> str:
    return hashlib.sha256(f"{dataset}|{said.key}|{said.nth}".encode()).hexdigest()[:40]


def _taken(file: str, said: Said) -> Fault:
    value = f'"{said.draft.id[:60]}", which stands for other texts in the dataset'
    return Fault(file, said.draft.row, "id", value, "give each pair its own id, or leave ids out")
