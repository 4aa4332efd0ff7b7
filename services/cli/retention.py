"""`touchstone retention`: what is kept no longer, removed or counted."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.mine import Json
from services.cli.outcome import guarded


@guarded
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would be removed.")] = False,
    json: Json = False,
) -> None:
    """Remove what the TOUCHSTONE_KEEP_... settings keep no longer; the scheduler does so once a day.

    Judgments, runs, criteria sets, labels, votes and the record of who did what are never removed.
    """
    from contextlib import closing
    from json import dumps

    from services.database import Database
    from services.retention import remove_old, told
    from services.roles.settings import roles_of
    from services.settings import load_settings

    settings = load_settings()
    with closing(Database(settings.database).create()) as database:
        removals = remove_old(database, roles_of(settings), dry_run=dry_run)
    if json:
        typer.echo(dumps({"dry_run": dry_run, "removals": [r.model_dump() for r in removals]}))
        return
    for line in told(removals, dry_run=dry_run):
        typer.echo(line)
