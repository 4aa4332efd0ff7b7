"""`touchstone knowledge`: the knowledge base that grows: search it, add to it, decide what managers draw on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.local import opened
from services.cli.mine import Json
from services.cli.outcome import guarded
from services.cli.sets import Note, Who, login

app = typer.Typer(
    help="The knowledge base: prior criteria that managers draw on.", no_args_is_help=True, rich_markup_mode=None
)

Entry = Annotated[
    str, typer.Argument(metavar="ENTRY", help="An entry's id, the first 6 or more of its digits, or its name.")
]


@app.command("search")
@guarded
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is looked for, in words.")],
    domain: Annotated[
        Literal["web", "answers", "argument", "code", "creative", "review"] | None,
        typer.Option(help="Lift criteria that matter in this domain."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    json: Json = False,
) -> None:
    """Search what managers draw on, by meaning."""
    from json import dumps

    from services.cli.knowledge_tables import print_found
    from services.cli.summary import output
    from services.knowledge.searching import search as search_by_meaning

    with opened() as (settings, database):
        found = search_by_meaning(database, settings.home, text, domain, limit)
    if json:
        typer.echo(dumps([f.model_dump(mode="json") for f in found]))
        return
    print_found(found, output())


@app.command("list")
@guarded
def list_(
    status: Annotated[
        Literal["proposed", "approved", "withdrawn"] | None, typer.Option(help="Only entries of this status.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List what was added, newest first. The criteria that come with the project are not in it: search finds those."""
    from json import dumps

    from services.cli.knowledge_tables import print_entries
    from services.cli.summary import output
    from services.knowledge.listing import list_entries

    with opened() as (_, database):
        found = list_entries(database, status, limit=limit)
    if json:
        typer.echo(dumps([e.model_dump(mode="json") for e in found]))
        return
    print_entries(found, output())


@app.command("add")
@guarded
def add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A list of criteria as in the catalogue, or a criteria file.")
    ],
    note: Note = "",
    who: Who = "",
    json: Json = False,
) -> None:
    """Propose the criteria of a YAML file as entries; each is drawn on once somebody approves it."""
    from json import dumps

    from services.cli.knowledge_tables import added_lines
    from services.inert import shown
    from services.knowledge.files import add_file

    with opened() as (settings, database):
        done = add_file(database, settings.home, file, who or login(), note)
    if json:
        typer.echo(dumps(done.model_dump(mode="json")))
        return
    for line in added_lines(done):
        typer.echo(shown(line))


@app.command("approve")
@guarded
def approve(entry: Entry, note: Note = "", who: Who = "", json: Json = False) -> None:
    """Let managers draw on an entry from now on; runs under way keep the knowledge base that they began with."""
    _decide(entry, "approve", note, who, as_json=json)


@app.command("withdraw")
@guarded
def withdraw(entry: Entry, note: Note = "", who: Who = "", json: Json = False) -> None:
    """Let no new run draw on an entry."""
    _decide(entry, "withdraw", note, who, as_json=json)


def _decide(entry: str, wish: Literal["approve", "withdraw"], note: str, who: str, *, as_json: bool) -> None:
    from services.inert import shown
    from services.knowledge.approving import approve, find_entry, withdraw

    with opened() as (_, database):
        found = find_entry(database, entry)
        act = approve if wish == "approve" else withdraw
        made = act(database, found.digest, who or login(), note)
    if as_json:
        typer.echo(made.model_dump_json())
        return
    done = "approved" if wish == "approve" else "withdrawn"
    typer.echo(shown(f"{found.criterion.name} ({found.digest[:12]}): {done} by {made.who}"))
