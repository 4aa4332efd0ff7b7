"""A database that somebody else holds, and somebody who does not wait long for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from services import embedded_file
from services.database import Database


@contextmanager
def opened_hastily(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database, opened by somebody who gives up waiting for a lock after a twentieth of a second."""
    if url.startswith("sqlite"):
        monkeypatch.setattr(embedded_file, "BUSY_SECONDS", 0.05)
    else:
        url += "&options=-c%20lock_timeout%3D50ms"
    with closing(Database(url)) as opened, opened.read():
        yield opened


@contextmanager
def held_for(database: Database, seconds: float) -> Iterator[None]:
    """Somebody else writes for so long."""
    begun = threading.Event()

    def hold() -> None:
        with database.write():
            begun.set()
            threading.Event().wait(seconds)

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(10)
    try:
        yield
    finally:
        holder.join()
