"""Whose turn it is: each run has few batches on the queue at a time, however many it has to do.

A line of the queue is first in, first out. If a run put all of its batches there at once, one with 10,000 would have
one with 3 wait for all of them. So the runs (and labellings) that have work share a short queue, `batches_ahead` for
each worker: a run's other batches wait in the database, and each that ends makes room for the run's next. What remains
is round robin between runs, in batches (processor sharing, as in Demers, Keshav and Shenker, SIGCOMM 1989, with a
batch for a packet).

Nothing is lost by a kill: what is not on the queue and does not wait here either is found by a sweep, and so is room
that nobody filled. Where batches are waiting is all that is kept here; what is in them, their rows say.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, delete, func, select, update

from services.database import Database, insert_new
from services.queue import LABELLING, QUEUE, SOON, JobQueue, Live
from services.roles.tables import TurnRow
from services.sql_ledger import CHUNK

SMALL = 4
"""Batches up to which a run's work is small: it goes before that of larger ones."""

FUNCTIONS = {"judge": "services.jobs.judge_batch", "label": "services.labelling.jobs.label_chunk"}
"""What is called for a batch, by the first part of its id."""

Due = tuple[int, str, str]
"""A batch whose turn it is: its number, its id and its line."""

Standing = Mapping[str, tuple[str, bool]]
"""Batch -> owner, and whether it is on the queue."""


class Turns:
    """The turns of one deployment.

    Args:
        database: where batches wait.
        queue: where they are put.
        ahead: batches on the queue for each worker.
        workers: workers that there are at least.
    """

    def __init__(self, database: Database, queue: JobQueue, ahead: int, workers: int) -> None:
        self._database, self._queue = database, queue
        self._ahead, self._workers = ahead, max(1, workers)

    def offer(self, owner: str, unit: str, batches: Sequence[str], line: str = "") -> None:
        """Take new batches in, and put as many on the queue as it is the owner's turn for.

        Args:
            owner: run or labelling that they are work of.
            unit: its thread, or itself.
            batches: ids, in the order in which they are to be done; the rows in them say so already.
            line: of the queue; empty: by what it is and how much there is of it.
        """
        if not batches:
            return
        places, at = self._places(), time.time()
        with self._database.write() as connection:
            held = self._count(connection, TurnRow.owner == owner)
            chosen = line or _line_for(batches[0], held + len(batches))
            rows = [
                {
                    "batch": b, "transport": self._queue.transport, "owner": owner, "unit": unit, "line": chosen,
                    "queued": False, "at": at,
                }
                for b in batches
            ]  # fmt: skip
            insert_new(connection, TurnRow, rows)
            due = self._due(connection, owner, places)
        self._put(due)

    def fill(self, owner: str) -> int:
        """Put on the queue what it is the owner's turn for; returns how many batches."""
        places = self._places()
        with self._database.write() as connection:
            due = self._due(connection, owner, places)
        self._put(due)
        return len(due)

    def ended(self, batch: str) -> None:
        """A batch has ended, well or not: its place goes to the owner's next."""
        places = self._places()
        with self._database.write() as connection:
            gone = delete(TurnRow).where(TurnRow.batch == batch).returning(TurnRow.owner)
            owner = connection.execute(gone).scalar()
            due = [] if owner is None else self._due(connection, owner, places)
        self._put(due)

    def replace(self, batch: str, again: Sequence[str], owner: str) -> None:
        """What a stopped job has not done of a batch keeps the batch's place, as another one, and comes next.

        Args:
            batch: that was stopped.
            again: id of the other one, or none if nothing of it is left.
            owner: of both, should the first not be known here.
        """
        if not again:
            return
        [new] = again
        row = TurnRow
        with self._database.write() as connection:
            moved = update(row).where(row.batch == batch).values(batch=new, queued=True)
            found = connection.execute(moved.returning(row.line)).scalar()
        if found is None:
            self.offer(owner, "", again, SOON)
        else:
            self._put([(0, new, found if new.startswith("label-") else SOON)])

    def forget(self, batches: Iterable[str]) -> None:
        """These batches are no more."""
        gone = sorted(batches)
        if not gone:
            return
        with self._database.write() as connection:
            for start in range(0, len(gone), CHUNK):
                some = gone[start : start + CHUNK]
                connection.execute(delete(TurnRow).where(TurnRow.batch.in_(some)))

    def repair(self, live: Live, standing: Standing) -> None:
        """Forget what is on the queue no more though nobody said that it ended, and fill places that stayed empty.

        Args:
            live: what is alive, read after `standing`.
            standing: as `standing` gave it.
        """
        self.forget(batch for batch, (_, queued) in standing.items() if queued and batch not in live.ids)
        for owner in sorted({owner for owner, queued in standing.values() if not queued}):
            self.fill(owner)

    def standing(self) -> Standing:
        """Batch -> owner, and whether it is on the queue, of all that were handed out for this server."""
        row = TurnRow
        query = select(row.batch, row.owner, row.queued).where(row.transport == self._queue.transport)
        with self._database.read() as connection:
            return {batch: (owner, queued) for batch, owner, queued in connection.execute(query)}

    def waits(self, unit: str) -> bool:
        """Whether work of this unit was handed out and has not ended."""
        query = select(TurnRow.number).where(TurnRow.unit == unit).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def _due(self, connection: Connection, owner: str, places: int) -> list[Due]:
        """Mark what it is the owner's turn for as put on the queue; returns it in order."""
        row, here = TurnRow, TurnRow.transport == self._queue.transport
        query = select(func.count(), func.sum(case((row.queued, 1), else_=0))).where(here, row.owner == owner)
        held, queued = connection.execute(query).one()
        if not held or held == queued:
            return []
        active = connection.execute(select(func.count(row.owner.distinct())).where(here)).scalar_one()
        room = max(1, -(-places // active)) - queued
        if room <= 0:
            return []
        after = select(row.number).where(here, row.owner == owner, ~row.queued).order_by(row.number).limit(room)
        taken = update(row).where(row.number.in_(after)).values(queued=True)
        found = connection.execute(taken.returning(row.number, row.batch, row.line)).all()
        return sorted((number, batch, line) for number, batch, line in found)

    def _put(self, due: Sequence[Due]) -> None:
        lines: dict[tuple[str, str], list[str]] = {}
        for _, batch, line in due:
            lines.setdefault((FUNCTIONS[batch.split("-")[0]], line), []).append(batch)
        for (function, line), batches in lines.items():
            self._queue.put(function, batches, line)

    def _places(self) -> int:
        """Batches on the queue that keep all workers busy."""
        return self._ahead * max(self._workers, self._queue.workers())

    def _count(self, connection: Connection, *conditions: Any) -> int:
        here = TurnRow.transport == self._queue.transport
        query = select(func.count()).select_from(TurnRow).where(here, *conditions)
        return int(connection.execute(query).scalar_one())


def _line_for(batch: str, held: int) -> str:
    if batch.startswith("label-"):
        return LABELLING
    return SOON if held <= SMALL else QUEUE
