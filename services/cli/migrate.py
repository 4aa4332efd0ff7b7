"""`touchstone migrate`: the tables of a database brought to what this program works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.outcome import guarded

if TYPE_CHECKING:
    from services.migrations.migrating import Move


@guarded
def migrate(
    to: Annotated[
        str,
        typer.Option(metavar="REVISION", help="Revision to bring the tables to, up or down: head, base or a number."),
    ] = "head",
    show: Annotated[
        bool, typer.Option("--show", help="Say at which revision the tables stand, and change nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements that would be executed, and change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go down without asking: what only a newer revision can hold is lost.")
    ] = False,
) -> None:
    """Bring the database's tables to the revision that this program works with; run it before starting a newer one."""
    from contextlib import closing

    from services.database import Database
    from services.migrations import migrating
    from services.settings import load_settings

    with closing(Database(load_settings().database)) as database:
        move = migrating.planned(database, to)
        if show:
            typer.echo(f"{database.place}: at {_named(move.before)}, this program works with {_head()}")
        elif dry_run:
            typer.echo(migrating.sql_of_move(database, move), nl=False)
        else:
            _agree(move, yes)
            _tell(database.place, migrating.migrate(database, to))


def _agree(move: Move, yes: bool) -> None:
    from knowledge_base.errors import InputError

    if not move.down or yes:
        return
    why = f"going down from {_named(move.before)} to {_named(move.after)} drops tables or columns with all they hold"
    try:
        agreed = typer.confirm(f"{why}. Go on?", err=True)
    except typer.Abort:  # nobody is there to answer
        typer.echo(err=True)
        agreed = False
    if not agreed:
        raise InputError("nothing was changed; --yes goes down without asking")


def _tell(place: str, move: Move) -> None:
    same = move.before == move.after
    done = f"is at {_named(move.after)}" if same else f"brought from {_named(move.before)} to {_named(move.after)}"
    typer.echo(f"{place}: {done}")


def _named(revision: str) -> str:
    return revision or "base (no tables)"


def _head() -> str:
    from services.migrations import head

    return head()
