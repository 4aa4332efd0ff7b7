"""Commands that work on the deployment's own database: they are for whoever runs it, also where nothing is served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from services.database import Database
    from services.settings import Settings


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """The settings and their database, for the time of a command.

    Where a server is named, whoever calls may mean that server's database; so it is said which one is meant.
    """
    from services.database import Database
    from services.doctor import demand
    from services.settings import load_settings

    settings = load_settings()
    demand(settings, "home")
    with closing(Database(settings.database).create()) as database:
        if settings.url:
            told = f"TOUCHSTONE_URL is for `mine` and `label`; this command works on {database.place}"
            typer.echo(f"note: {told}", err=True)
        yield settings, database
