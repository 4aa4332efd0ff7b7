"""Who leads: of all processes that would do a duty, one does. A lease in the database, as a thread's is.

The leader renews it while it lives; another takes it once it was not heard of for too long, at once where its process
surely died, or when it was given back. A leader that was frozen may do for a moment what its successor does already: so
whatever a leader does must bear being done twice.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Update, select, update
from sqlalchemy.exc import DBAPIError

from services.alongside import alongside
from services.database import Database, insert_new
from services.lease import is_free
from services.processes import Mark
from services.roles.tables import LeaderRow


class Leadership:
    """This process's part in a duty.

    Args:
        database: where the lease is.
        duty: its name.
        seconds: how long a lease stands that is not renewed.
    """

    def __init__(self, database: Database, duty: str, seconds: float) -> None:
        self._database, self._duty, self._seconds = database, duty, seconds
        # The process first, so that a successor on this host can tell whether it lives.
        self.name = str(Mark.here())
        self._token = f"{secrets.token_hex(4)}/{self.name}"
        self._until = 0.0

    @property
    def leads(self) -> bool:
        """Whether it leads, for all that it knows."""
        return time.monotonic() < self._until

    def seek(self) -> bool:
        """Lead, or go on leading; False while another does."""
        asked = time.monotonic()
        with self._database.write() as connection:
            leads = self._renew(connection) or self._take(connection)
        self._until = asked + self._seconds if leads else 0.0
        return leads

    def give_back(self) -> None:
        """Lead no more, so that another need not wait."""
        self._until = 0.0
        free = self._mine().values(owner="", until=0.0)
        with suppress(DBAPIError), self._database.write() as connection:
            connection.execute(free)

    @contextmanager
    def sought(self) -> Iterator[None]:
        """Seek to lead, again and again, for as long as the block runs, and then give it back."""
        try:
            with alongside(self._go_on, "leadership"):
                yield
        finally:
            self.give_back()

    def _go_on(self, done: threading.Event) -> None:
        while not done.is_set():
            # A database that is away makes no leader: the lease runs out by itself.
            with suppress(DBAPIError):
                self.seek()
            done.wait(self._seconds / 5)

    def _renew(self, connection: Connection) -> bool:
        return connection.execute(self._mine().values(until=time.time() + self._seconds)).rowcount == 1

    def _take(self, connection: Connection) -> bool:
        row, now = LeaderRow, time.time()
        insert_new(connection, row, [{"duty": self._duty, "owner": "", "until": 0.0, "since": now, "taken": 0}])
        found = connection.execute(select(row.owner, row.until).where(row.duty == self._duty)).one()
        if not is_free(found.owner.partition("/")[2], found.until) and found.owner:
            return False
        free = update(row).where(row.duty == self._duty, row.owner == found.owner)
        taken = {"owner": self._token, "until": now + self._seconds, "since": now, "taken": row.taken + 1}
        return connection.execute(free.values(**taken)).rowcount == 1

    def _mine(self) -> Update:
        return update(LeaderRow).where(LeaderRow.duty == self._duty, LeaderRow.owner == self._token)
