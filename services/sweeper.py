"""Finding work that was lost: judgments no living job has, threads nobody wakes, leases whose holder died.

A killed worker, a cancelled job and an emptied Redis all end here. Sweeping twice, or while all is well, does no harm:
a batch handed out twice is answered once, and an advance too many finds nothing to do.

All runs are looked at together: what is missing, what is alive and what waits for its turn are read once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from services.batches import hand_out, hand_out_again, missing_by_thread, outstanding
from services.deployment import Deployment
from services.embedded_registry import Registry
from services.lease import is_free
from services.queue import Live
from services.tables import ThreadRow
from services.turns import Standing

Idle = Row[*tuple[Any, ...]]


class Sweeper:
    """Sweeps for one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._database, self._queue, self._turns = deployment.database, deployment.queue, deployment.turns
        self._registry = Registry(deployment.settings.home)

    def sweep(self, run: str = "") -> None:
        """Repair one run, or every run that has not ended."""
        runs = [run] if run else self._unfinished()
        if runs:
            self._repair_batches(run, runs)
            self._repair_threads(run)

    def _unfinished(self) -> list[str]:
        query = select(ThreadRow.run).where(ThreadRow.status == "running").distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def _repair_batches(self, run: str, runs: list[str]) -> None:
        """Hand out again what no living job has and what does not wait, and fill places that stayed empty."""
        # In the order in which a batch moves on, so that a moving one is seen at least once: a job that ends in between
        # has answered its rows, so they stay as they are.
        held = outstanding(self._database, run)
        standing = self._turns.standing()
        live = self._queue.live()
        dead = {b for b in held if not self._alive(b, live, standing)}
        # A batch may hold what nobody wants any more, or only runs that have ended; that is left alone.
        for each in runs if dead else ():
            mine = dead if run else dead & outstanding(self._database, each)
            self._hand_out_again(each, sorted(mine))
            dead -= mine
        self._turns.repair(live, standing)

    def _hand_out_again(self, run: str, dead: list[str]) -> None:
        if dead:
            size, most = self._deployment.batch_size, self._deployment.settings.max_attempts
            new = hand_out_again(self._database, dead, size, most, self._queue.new_batch)
            self._turns.forget(dead)
            self._turns.offer(run, "", new)

    def _alive(self, batch: str, live: Live, standing: Standing) -> bool:
        transport = batch.split("-")[1]
        if transport == self._queue.transport:
            return batch in live.ids or (batch in standing and not standing[batch][1])
        return self._registry.lives(transport)

    def _repair_threads(self, run: str) -> None:
        """Wake threads that miss nothing, hand out what a killed advance did not, and give up the hopeless."""
        idle = self._idle(run)
        live = self._queue.live()
        idle = [t for t in idle if not live.advancing(t.id)]
        if not idle:
            return
        missing = missing_by_thread(self._database, [t.id for t in idle] if run else ())
        for thread in idle:
            if thread.id in missing:
                # Where all was given to batches already, those are what it waits for.
                if missing[thread.id]:
                    self._hand_out(thread)
            elif thread.attempts >= self._deployment.settings.max_attempts:
                self._give_up(thread)
            else:
                self._queue.advance([thread.id])

    def _hand_out(self, thread: Idle) -> None:
        size, parts = self._deployment.batch_size, self._deployment.parts
        batches = hand_out(self._database, thread.id, size, self._queue.new_batch, parts)
        self._turns.offer(thread.run, thread.id, batches)

    def _idle(self, run: str) -> list[Idle]:
        """Running threads whose lease is free."""
        row = ThreadRow
        columns = (row.id, row.run, row.attempts, row.fault, row.lease_owner, row.lease_until)
        query = select(*columns).where(row.status == "running").order_by(row.id)
        with self._database.read() as connection:
            found = connection.execute(query.where(row.run == run) if run else query)
            return [t for t in found if is_free(t.lease_owner, t.lease_until)]

    def _give_up(self, thread: Idle) -> None:
        fault = thread.fault or f"its worker died {thread.attempts} times"
        unchanged = update(ThreadRow).where(ThreadRow.id == thread.id, ThreadRow.attempts == thread.attempts)
        with self._database.write() as connection:
            connection.execute(unchanged.values(status="failed", fault=fault))
