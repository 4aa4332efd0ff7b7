"""At which revision a database stands, and whether this program can work with it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from knowledge_base.errors import InputError
from services.migrations import BASE, head, revisions
from services.migrations.foreign import CHECKPOINTS

TABLE = "alembic_version"


@dataclass(frozen=True)
class Standing:
    """What stands in a database.

    Attributes:
        revision: `BASE` if none is noted.
        tables: whether there are tables of ours, or of somebody else, beside that note and checkpoints.
    """

    revision: str = BASE
    tables: bool = False

    @property
    def current(self) -> bool:
        """Whether it is what this program works with."""
        return self.revision == head()

    @property
    def unnoted(self) -> bool:
        """Whether there are tables, but no revision is noted."""
        return self.revision == BASE and self.tables

    def check_known(self, place: str) -> None:
        """Refuse a database that a newer program wrote.

        Raises:
            InputError: its revision is none that this program knows.
        """
        if self.revision != BASE and self.revision not in revisions():
            raise InputError(
                f"{place} stands at revision {self.revision!r}, and this program knows revisions up to {head()}: a "
                "newer Touchstone wrote it; update this one, or restore a copy from before"
            )


def standing_of(connection: Connection) -> Standing:
    """Look at a database, in a transaction of any kind."""
    names = set(inspect(connection).get_table_names())
    revision = noted(connection) if TABLE in names else BASE
    return Standing(revision, bool(names - {TABLE} - CHECKPOINTS))


def noted(connection: Connection) -> str:
    """The revision that a database notes of itself. The table that holds the note must be there."""
    found = sorted(connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalars())
    return " and ".join(found)


def note(connection: Connection, revision: str) -> None:
    """Note the revision of tables that were made at once, in a database that has no note of any."""
    columns = f"version_num VARCHAR(32) NOT NULL, CONSTRAINT {TABLE}_pkc PRIMARY KEY (version_num)"
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns})"))
    connection.execute(text(f"INSERT INTO {TABLE} (version_num) VALUES (:revision)"), {"revision": revision})
