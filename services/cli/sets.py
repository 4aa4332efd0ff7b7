"""`touchstone sets`: versions of criteria sets, what speaks for them, and what people decide about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.local import opened
from services.cli.mine import Json
from services.cli.outcome import guarded

if TYPE_CHECKING:
    from services.criteria_sets.stored import StoredSet
    from services.database import Database
    from services.run_result import RunResult

app = typer.Typer(
    help="Criteria sets: versions, evidence, differences, approval.", no_args_is_help=True, rich_markup_mode=None
)

Line = Annotated[str, typer.Argument(metavar="NAME", help="A line of versions, such as web-quality.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, or the first 4 or more of its digits.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]
Who = Annotated[str, typer.Option("--as", help="Who decides, for the record; else the name you are logged in with.")]


@app.command("list")
@guarded
def list_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only the versions of this line.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List versions, newest first: where each comes from, and what was decided."""
    from services.cli.set_tables import print_sets, sets_json
    from services.cli.summary import output
    from services.criteria_sets.reading import list_sets

    with opened() as (_, database):
        found = list_sets(database, name, limit=limit)
    if json:
        typer.echo(sets_json(found))
        return
    print_sets(found, output())


@app.command("show")
@guarded
def show(
    name: Line,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A version; else the approved one, or the newest if none is.")
    ] = "",
    json: Json = False,
) -> None:
    """Show a version: its criteria, its evidence, and every decision about it."""
    from services.cli.set_tables import print_set, set_json
    from services.cli.summary import output
    from services.criteria_sets.reading import set_details

    with opened() as (_, database):
        stored = version_of(database, name, version)
        details = set_details(database, stored.name, stored.version)
    if json:
        typer.echo(set_json(stored, details))
        return
    print_set(stored, details, output())


@app.command("diff")
@guarded
def diff(
    name: Line,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A version; else the approved one.")] = "",
    new: Annotated[str, typer.Argument(metavar="NEW", help="A version; else the newest.")] = "",
    json: Json = False,
) -> None:
    """Compare two versions: what is kept, reworded, dropped and new, and why."""
    from agents.set_diff_text import diff_text
    from services.criteria_sets.comparing import compare
    from services.criteria_sets.reading import list_sets
    from services.inert import shown

    with opened() as (_, database):
        before = version_of(database, name, old)
        after = version_of(database, name, new or list_sets(database, name, limit=1)[0].version)
        found = compare(database, name, before.version, after.version)
    typer.echo(found.model_dump_json() if json else shown(diff_text(found)).rstrip("\n"))


@app.command("approve")
@guarded
def approve(name: Line, version: Version, note: Note = "", who: Who = "", json: Json = False) -> None:
    """Approve a version: it takes the place of the one approved before, and its criteria enter the knowledge base."""
    _decide(name, version, "approve", note, who, as_json=json)


@app.command("reject")
@guarded
def reject(name: Line, version: Version, note: Note = "", who: Who = "", json: Json = False) -> None:
    """Reject a version; rejecting the approved one takes its approval back."""
    _decide(name, version, "reject", note, who, as_json=json)


@app.command("import")
@guarded
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A criteria file, as `touchstone mine` writes it.")],
    name: Annotated[str, typer.Option(help="The line it becomes a version of, such as web-quality.")],
    who: Who = "",
    json: Json = False,
) -> None:
    """Propose a criteria file as a version of a line. A result.json beside it gives its evidence."""
    from services.cli.set_tables import sets_json
    from services.criteria_sets.proposing import propose_file
    from services.inert import shown

    with opened() as (_, database):
        proposed = propose_file(database, file, name=name, who=who or login(), result=_result_beside(file))
    if json:
        typer.echo(sets_json([proposed.stored]))
        return
    stored = proposed.stored
    typer.echo(f"{stored.name} {stored.version} is {stored.status}: {len(stored.criteria_set.members)} criteria")
    for note in proposed.notes:
        typer.echo(shown(f"note: {note}"), err=True)


def login() -> str:
    """The name that the user is logged in with; `unknown` where the system does not say."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def version_of(database: Database, name: str, given: str) -> StoredSet:
    """The version that is called so, or begins so; the approved one, or else the newest, for nothing.

    Raises:
        NotThere: there is none.
        Conflict: several begin so.
    """
    from knowledge_base.errors import NotThere
    from services.criteria_sets.naming import version_meant
    from services.criteria_sets.reading import approved_set, list_sets

    if given:
        return version_meant(database, name, given)
    found = approved_set(database, name) or next(iter(list_sets(database, name, limit=1)), None)
    if found is None:
        raise NotThere(f"there is no line {name[:64]!r} of criteria sets; `touchstone sets list` shows what there is")
    return found


def _decide(name: str, version: str, wish: str, note: str, who: str, *, as_json: bool) -> None:
    from services.criteria_sets.deciding import decide

    with opened() as (_, database):
        stored = version_of(database, name, version)
        made = decide(
            database, name, stored.version, "approve" if wish == "approve" else "reject", note, who or login()
        )
    if as_json:
        typer.echo(made.model_dump_json())
        return
    instead = f"; it takes the place of {made.superseded}" if made.superseded else ""
    typer.echo(f"{name} {made.version}: {'approved' if wish == 'approve' else 'rejected'} by {made.who}{instead}")


def _result_beside(file: Path) -> RunResult | None:
    """The result of the run that wrote a criteria file, if it still lies beside it."""
    from services.cli.output_folder import RESULT, read_result

    return read_result(file.parent) if (file.parent / RESULT).is_file() else None
