"""Finding work that was lost: judgments no living job has, threads nobody wakes, leases whose holder died.

A killed worker, a cancelled job and an emptied Redis all end here. Sweeping twice, or while all is well, does no harm:
a batch handed out twice is answered once, and an advance too many finds nothing to do.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from services.batches import hand_out, hand_out_again, outstanding
from services.deployment import Deployment
from services.embedded_registry import Registry
from services.lease import is_free
from services.queue import Live
from services.sql_ledger import count_missing
from services.tables import ThreadRow

Idle = Row[*tuple[Any, ...]]


class Sweeper:
    """Sweeps for one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._database, self._queue = deployment.database, deployment.queue
        self._registry = Registry(deployment.settings.home)

    def sweep(self, run: str = "") -> None:
        """Repair one run, or every run that has not ended."""
        for each in [run] if run else self._unfinished():
            self._repair_batches(each)
            self._repair_threads(each)

    def _unfinished(self) -> list[str]:
        query = select(ThreadRow.run).where(ThreadRow.status == "running").distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def _repair_batches(self, run: str) -> None:
        """Hand out again what no living job has."""
        # Batches first, then what is alive: a job that ends in between has answered its rows, so they stay as they are.
        held = outstanding(self._database, run)
        live = self._queue.live()
        dead = sorted(b for b in held if not self._alive(b, live))
        settings = self._deployment.settings
        if dead:
            new = hand_out_again(
                self._database, dead, self._deployment.batch_size, settings.max_attempts, self._queue.new_batch
            )
            self._queue.judge(new)

    def _alive(self, batch: str, live: Live) -> bool:
        transport = batch.split("-")[1]
        if transport == self._queue.transport:
            return batch in live.ids
        return self._registry.lives(transport)

    def _repair_threads(self, run: str) -> None:
        """Wake threads that miss nothing, hand out what a killed advance did not, and give up the hopeless."""
        idle = self._idle(run)
        live = self._queue.live()
        idle = [t for t in idle if not live.advancing(t.id)]
        for thread in idle:
            if self._missing(thread.id):
                size, parts = self._deployment.batch_size, self._deployment.parts
                self._queue.judge(hand_out(self._database, thread.id, size, self._queue.new_batch, parts))
            elif thread.attempts >= self._deployment.settings.max_attempts:
                self._give_up(thread)
            else:
                self._queue.advance([thread.id])

    def _idle(self, run: str) -> list[Idle]:
        """Running threads whose lease is free."""
        row = ThreadRow
        columns = (row.id, row.attempts, row.fault, row.lease_owner, row.lease_until)
        query = select(*columns).where(row.run == run, row.status == "running").order_by(row.id)
        with self._database.read() as connection:
            return [t for t in connection.execute(query) if is_free(t.lease_owner, t.lease_until)]

    def _give_up(self, thread: Idle) -> None:
        fault = thread.fault or f"its worker died {thread.attempts} times"
        unchanged = update(ThreadRow).where(ThreadRow.id == thread.id, ThreadRow.attempts == thread.attempts)
        with self._database.write() as connection:
            connection.execute(unchanged.values(status="failed", fault=fault))

    def _missing(self, thread: str) -> int:
        with self._database.read() as connection:
            return count_missing(connection, thread)
