"""The lease on a thread: at most one advance works on it, and a dead one's hold ends by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.alongside import alongside
from services.database import Database
from services.processes import Mark
from services.tables import ThreadRow


def is_free(owner: str, until: float) -> bool:
    """Whether a lease can be taken: nobody holds it, its time is over, or its holder's process surely died."""
    mark = Mark.parse(owner)
    return not owner or until < time.time() or (mark is not None and mark.dead)


@dataclass(frozen=True)
class Lease:
    """A lease held by this process; `token` tells it from any other this process may take.

    `taken_over`: another held it, and died or was not heard of for too long.
    """

    database: Database
    thread: str
    token: str
    until: float
    seconds: float
    taken_over: bool = False

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Keep the lease for as long as the block runs."""
        with alongside(self._renew, "lease"):
            yield

    def release(self, **columns: Any) -> bool:
        """Give the lease back and write these columns of the thread with it; False if it was lost meanwhile.

        A thread that was given up meanwhile keeps the fault that it was given up for.
        """
        if "fault" in columns:
            columns["fault"] = case((ThreadRow.status == "running", columns["fault"]), else_=ThreadRow.fault)
        return self._write(lease_owner="", lease_until=0.0, **columns)

    def progressed(self) -> None:
        """Something was done that another attempt need not do again: the attempts so far are forgiven."""
        self._write(attempts=1)

    def _renew(self, done: threading.Event) -> None:
        pause = self.seconds / 3
        while not done.wait(pause):
            # Whoever cannot write just now tries again soon: the lease may stand yet when the database is back.
            pause = self.seconds / 12
            with suppress(DBAPIError, PoolTimeout):
                self._write(lease_until=time.time() + self.seconds)
                pause = self.seconds / 3

    def _write(self, **columns: Any) -> bool:
        held = update(ThreadRow).where(ThreadRow.id == self.thread, ThreadRow.lease_owner == self.token)

        def write() -> bool:
            with self.database.write(alone=False) as connection:
                return connection.execute(held.values(**columns)).rowcount == 1

        return self.database.again(write)


def take(database: Database, thread: str, seconds: float) -> Lease | None:
    """Take a running thread's lease for `seconds`; None if it is held, or there is nothing to do for the thread.

    Taking it counts an attempt, which a good end sets back to 0.
    """
    row, now = ThreadRow, time.time()
    token = str(Mark.here())
    with database.write() as connection:
        found = connection.execute(
            select(row.status, row.lease_owner, row.lease_until).where(row.id == thread)
        ).one_or_none()
        if found is None or found.status != "running" or not is_free(found.lease_owner, found.lease_until):
            return None
        free = update(row).where(row.id == thread, row.lease_owner == found.lease_owner)
        taken = free.values(lease_owner=token, lease_until=now + seconds, attempts=row.attempts + 1)
        if connection.execute(taken).rowcount != 1:
            return None
    return Lease(database, thread, token, now + seconds, seconds, bool(found.lease_owner))
