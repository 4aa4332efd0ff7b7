"""Pairs handed out in chunks, a chunk a job.

A pair belongs to the chunk whose id it carries. Handing it out again gives it another, so a job that comes late finds
nothing to do. Ids are written before a job is enqueued: a job may be lost, but never a pair.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, select, update

from agents.pairs import Pair
from services.batches import SHRINK
from services.database import Database
from services.dataset_store import bare_pairs
from services.labelling.tables import LabellingRow, LabelRow
from services.queue import JobQueue
from services.turns import Turns

PAIRS, FEWEST = 100, 10
"""Pairs in a chunk, and how few it may hold for the sake of a chunk for every worker."""

BYTES = 32_000_000
"""About the most text in a chunk."""

AT_ONCE = 5000
"""Pairs handed out in one transaction."""

Open = Row[*tuple[Any, ...]]


class ChunkQueue:
    """Chunks, of which each labelling has few on the queue at a time."""

    def __init__(self, queue: JobQueue, turns: Turns) -> None:
        self._queue, self._turns = queue, turns

    def new_chunk(self) -> str:
        """A fresh chunk id. It names its server, so that any other can tell whether it may be alive."""
        return f"label-{self._queue.transport}-{secrets.token_hex(8)}"

    def label(self, labelling: str, chunks: Sequence[str]) -> None:
        """Have these chunks labelled."""
        self._turns.offer(labelling, labelling, chunks)

    def replace(self, labelling: str, chunk: str, again: Sequence[str]) -> None:
        """Have another chunk take the place of one that was stopped; of none, if nothing of it is left."""
        self._turns.replace(chunk, again, labelling)


def hand_out(database: Database, labelling: str, size: int, queue: ChunkQueue) -> int:
    """Hand out every open pair that nobody was given yet, and enqueue the chunks; returns how many pairs."""
    row, handed = LabelRow, 0
    fresh = (row.labelling == labelling, ~row.done, row.chunk == "")
    while True:
        with database.write() as connection:
            found = select(row.position, row.size).where(*fresh).order_by(row.position).limit(AT_ONCE)
            some = connection.execute(found).all()
            chunks = {queue.new_chunk(): part for part in pack(some, size)}
            for chunk, part in chunks.items():
                between = row.position.between(part[0], part[-1])
                connection.execute(update(row).where(*fresh, between).values(chunk=chunk))
        queue.label(labelling, list(chunks))
        handed += len(some)
        if len(some) < AT_ONCE:
            return handed


def hand_out_again(database: Database, labelling: str, dead: Sequence[str], size: int, queue: ChunkQueue) -> None:
    """Hand out what dead chunks left, in smaller ones the more often it was begun: a pair that kills is soon alone."""
    with database.write() as connection:
        rows = open_pairs(connection, labelling, dead)
        chunks: dict[str, list[int]] = {}
        for attempts in sorted({r.attempts for r in rows}):
            again = [(r.position, r.size) for r in rows if r.attempts == attempts]
            chunks |= {queue.new_chunk(): part for part in pack(again, max(1, size // SHRINK**attempts))}
        table = LabelRow.__table__
        at = and_(table.c.labelling == labelling, table.c.position == bindparam("p"))
        given = [{"p": position, "c": chunk} for chunk, part in chunks.items() for position in part]
        if given:
            connection.execute(update(table).where(at).values(chunk=bindparam("c")), given)  # type: ignore[arg-type]
    queue.label(labelling, list(chunks))


def open_pairs(connection: Any, labelling: str, chunks: Sequence[str]) -> Sequence[Open]:
    """Pairs of these chunks that have no label yet: position, pair, size, attempts, fault."""
    row = LabelRow
    query = select(row.position, row.pair, row.size, row.attempts, row.fault)
    found: Sequence[Open] = connection.execute(
        query.where(row.labelling == labelling, row.chunk.in_(chunks), ~row.done).order_by(row.position)
    ).all()
    return found


def pack(rows: Sequence[Any], size: int) -> list[list[int]]:
    """Positions out of (position, bytes) rows, in order, in chunks of at most `size` pairs and about `BYTES`."""
    chunks: list[list[int]] = []
    held = 0
    for position, weight in rows:
        if not chunks or len(chunks[-1]) >= size or held >= BYTES:
            chunks.append([])
            held = 0
        chunks[-1].append(position)
        held += weight
    return chunks


def outstanding(database: Database, labelling: str) -> set[str]:
    """Ids of the chunks that hold open pairs."""
    row = LabelRow
    query = select(row.chunk).where(row.labelling == labelling, ~row.done, row.chunk != "").distinct()
    with database.read() as connection:
        return set(connection.execute(query).scalars())


def begin(database: Database, chunk: str) -> tuple[str, dict[int, Pair]]:
    """Count an attempt for the open pairs of a chunk; returns the labelling and the pairs by position.

    Empty if nothing is left to do: the pairs were labelled or handed out again, or the labelling was given up.
    """
    mine = (LabelRow.chunk == chunk, ~LabelRow.done)
    with database.write() as connection:
        labelling = connection.execute(
            select(LabelRow.labelling).join(LabellingRow, LabellingRow.id == LabelRow.labelling)
            .where(*mine, LabellingRow.status == "running").limit(1)
        ).scalar()  # fmt: skip
        if labelling is None:
            return "", {}
        rows = open_pairs(connection, labelling, [chunk])
        connection.execute(update(LabelRow).where(*mine).values(attempts=LabelRow.attempts + 1))
        pairs = bare_pairs(connection, {r.pair for r in rows})
    return labelling, {r.position: pairs[r.pair] for r in rows}


def blame(database: Database, chunk: str, fault: str) -> None:
    """Note on the open pairs of a chunk why they are open."""
    with database.write() as connection:
        connection.execute(update(LabelRow).where(LabelRow.chunk == chunk, ~LabelRow.done).values(fault=fault))


def give_back(database: Database, labelling: str, chunk: str, queue: ChunkQueue) -> None:
    """Give the open pairs of a stopped job's chunk to a new one; no attempt counts."""
    mine, new = (LabelRow.chunk == chunk, ~LabelRow.done), queue.new_chunk()
    attempts = case((LabelRow.attempts > 0, LabelRow.attempts - 1), else_=0)
    with database.write() as connection:
        given = connection.execute(update(LabelRow).where(*mine).values(chunk=new, attempts=attempts)).rowcount
    queue.replace(labelling, chunk, [new] if given else [])


def give_up(database: Database, labelling: str, chunk: str, fault: str) -> None:
    """End a labelling, and take back the attempt that `begin` counted: no second attempt would mend this."""
    running = update(LabellingRow).where(LabellingRow.id == labelling, LabellingRow.status == "running")
    mine = update(LabelRow).where(LabelRow.chunk == chunk, ~LabelRow.done)
    with database.write() as connection:
        connection.execute(running.values(status="failed", fault=fault))
        connection.execute(mine.values(attempts=LabelRow.attempts - 1))
