"""`touchstone evaluate`: a criteria set put to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.mine import Json, Pairs, Sides
from services.cli.outcome import guarded


@guarded
def evaluate(
    criteria: Annotated[
        Path, typer.Argument(metavar="CRITERIA", help="A criteria file, as `touchstone mine` writes it.")
    ],
    pairs: Pairs,
    out: Annotated[Path | None, typer.Option(help="Write the evaluation to this file, as JSON.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether the expected calls are accepted.")] = False,
    sides: Sides = "keep",
    json: Json = False,
) -> None:
    """Judge pairs by a criteria file and compare with people: by criterion, and by weighted vote and plain majority."""
    from contextlib import closing

    from services.atomic_file import write_text
    from services.cli.paying import agree_to_calls
    from services.cli.summary import output, print_evaluation
    from services.criteria_file import read_criteria
    from services.database import Database
    from services.datasets import read_dataset
    from services.doctor import demand
    from services.evaluating import evaluate_stored, expected_calls
    from services.parties import load_parties
    from services.settings import load_settings

    settings = load_settings()
    demand(settings, "home")
    loaded, reading = read_criteria(criteria), read_dataset(pairs, sides=sides)
    with closing(Database(settings.database).create()) as database:
        parties = load_parties(settings, database)
        calls = expected_calls(database, parties, loaded.criteria_set, reading.dataset)
        agree_to_calls(calls, yes=yes)
        found = evaluate_stored(database, parties, settings, loaded.criteria_set, reading.dataset)
    found = found.model_copy(update={"notes": (*found.notes, *loaded.notes)})
    if out is not None:
        write_text(out, found.model_dump_json(indent=1) + "\n")
    if json:
        typer.echo(found.model_dump_json())
        return
    print_evaluation(found, output())
    if out is not None:
        typer.echo(f"Written: {out}")
