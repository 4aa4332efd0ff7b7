"""`touchstone import`: votes of annotation tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.export import Force
from services.cli.mine import Json
from services.cli.outcome import guarded

if TYPE_CHECKING:
    from services.exchange.importing import Imported


@guarded
def import_(
    tool: Annotated[Literal["argilla", "label-studio"], typer.Argument(metavar="TOOL", help="Whose export it is.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The export: JSON, JSON Lines or (Argilla) Parquet.")],
    out: Annotated[Path, typer.Option(help="File for the pairs with their votes; ends in .jsonl.")],
    a: Annotated[str, typer.Option("--a", help="Field that holds the first (left) text.")] = "",
    b: Annotated[str, typer.Option("--b", help="Field that holds the second (right) text.")] = "",
    prompt: Annotated[str, typer.Option(help="Field that holds what both texts answer; - for none.")] = "",
    question: Annotated[
        str, typer.Option(help="Question that says which text is better; or two that rate them, joined by a comma.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Question whose answer says why; - for none.")] = "",
    means: Annotated[
        str, typer.Option(help='What answers mean, as in "much better=a;about the same=tie;worse=b".')
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="Labelling configuration of the Label Studio project, which names the texts.")
    ] = None,
    skip_faulty: Annotated[
        bool, typer.Option("--skip-faulty", help="Leave out records with faults instead of writing nothing.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Read the votes of an Argilla or Label Studio export, and write them as pairs that every command reads.

    Fields and questions are found where there is one way to read them. Drafts, discarded and cancelled answers are left
    out, and counted.
    """
    from services.exchange.importing import import_votes
    from services.exchange.meanings import choice_of
    from services.exchange.places import check_place

    check_place(out, (file, *([config] if config else ())), force=force)
    choice = choice_of(a=a, b=b, prompt=prompt, question=question, reason=reason, means=means, config=config)
    made = import_votes(file, tool, out, choice, skip_faulty=skip_faulty)
    if json:
        typer.echo(made.model_dump_json())
        return
    _told(made)
    typer.echo(f"Written: {out}")


def _told(made: Imported) -> None:
    from services.inert import shown

    annotators = f"{made.annotators:,} annotator{'' if made.annotators == 1 else 's'}"
    typer.echo(f"{made.pairs:,} of {made.records:,} records written, with {made.votes:,} votes of {annotators}")
    for note in made.notes:
        typer.echo(shown(f"note: {note}"))
    if made.faulty:
        typer.echo(f"skipped, {made.faulty:,} faults:")
        for fault in made.faults:
            typer.echo(shown(f"  {fault}"))
