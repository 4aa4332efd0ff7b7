"""What `touchstone migrate` does: bring a database to a revision, or say what that would take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from knowledge_base.errors import InputError
from services.database import Database
from services.migrations import BASE
from services.migrations.moving import move, recognise, sql_of, target
from services.migrations.standing import note, standing_of


@dataclass(frozen=True)
class Move:
    """From one revision to another; `BASE` is an empty database."""

    before: str
    after: str

    @property
    def down(self) -> bool:
        """Whether what only a newer revision can hold is lost."""
        return self.after < self.before


def planned(database: Database, to: str = "head") -> Move:
    """The move that would be made now.

    Raises:
        InputError: the revision is not known, or the database cannot be used, was written by a newer program, or holds
            tables and no note of their revision.
    """
    after = target(to)
    if _not_made_yet(database):
        return Move(BASE, after)
    try:
        with database.read() as connection:
            return Move(_revision(connection, database), after)
    except (DatabaseError, OSError) as error:
        raise InputError(database.told(error)) from error


def _not_made_yet(database: Database) -> bool:
    """Whether there is no file; to look into it would make one."""
    return database.embedded and not Path(database.url.database or ".").exists()


def sql_of_move(database: Database, move: Move) -> str:
    """The statements that a move takes; empty if none."""
    return "" if move.before == move.after else sql_of(database.url.get_backend_name(), move.before, move.after)


def migrate(database: Database, to: str = "head") -> Move:
    """Bring a database to a revision, all or nothing, while nobody else does or writes; returns what was done.

    A server's tables of checkpoints are made with it.

    Raises:
        InputError: as for `planned`.
    """
    after = target(to)
    try:
        made = _moved(database, after)
    except (DatabaseError, OSError) as error:
        raise InputError(database.told(error)) from error
    if not database.embedded and after != BASE:
        from services.checkpoints import set_up

        set_up(database)
    return made


def _moved(database: Database, after: str) -> Move:
    with database.moving() as connection:
        found = standing_of(connection)
        before = _revision(connection, database)
        if found.unnoted:
            note(connection, before)
        if before != after:
            move(connection, after)
    return Move(before, after)


def _revision(connection: Connection, database: Database) -> str:
    """Where the tables stand, whether that is noted or found by looking at them."""
    found = standing_of(connection)
    found.check_known(database.place)
    if not found.unnoted:
        return found.revision
    if database.embedded:
        return recognise(connection, database.place)
    raise InputError(
        f"{database.place} holds tables and no note of their revision; give Touchstone a database of its own"
    )
