"""What `touchstone mine` and `touchstone demo` do: read, run, watch, write, sum up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from services.cli.output_folder import check_folder, write_folder
from services.cli.summary import output, print_summary
from services.database import Database
from services.datasets import Sides, read_dataset
from services.live import watcher
from services.parties import load_parties
from services.run_config import RunConfig
from services.run_driver import Site, run_to_end
from services.run_result import RunResult
from services.runs import create_run
from services.settings import Settings, load_settings


@dataclass(frozen=True)
class Order:
    """What a user asked for; see the options of `touchstone mine`."""

    pairs: Path
    out: Path
    config: RunConfig
    test: Path | None = None
    description: str = ""
    workers: int | None = None
    sides: Sides = "keep"


def mine_pairs(order: Order, *, as_json: bool, quiet: bool, site: Site | None = None) -> RunResult:
    """Carry an order out, at `site` if one is given. Progress goes to stderr; stdout gets the summary, or with
    `as_json` one JSON document.

    Raises:
        TouchstoneError: anything a user can mend; the folder is looked at before any work begins.
    """
    check_folder(order.out)
    settings = load_settings(**({} if order.workers is None else {"workers": order.workers}))
    progress = Console(stderr=True)
    run = _create(order, settings)
    with watcher(progress, quiet=quiet or as_json) as watch:
        result = run_to_end(run, settings, watch.update, site)
        watch.finish(result.rounds)
    files = write_folder(result, order.out)
    _tell(result, files, as_json=as_json, quiet=quiet)
    return result


def _create(order: Order, settings: Settings) -> str:
    reading = read_dataset(order.pairs, description=order.description, sides=order.sides)
    test = read_dataset(order.test, description=order.description, sides=order.sides) if order.test else None
    with closing(Database(settings.database).create()) as database:
        return create_run(database, load_parties(settings, database), reading, order.config, test)


def _tell(result: RunResult, files: dict[str, Path], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        body = {"files": {name: str(path) for name, path in files.items()}, "result": result.model_dump(mode="json")}
        typer.echo(json.dumps(body))
        return
    if not quiet:
        print_summary(result, output())
    typer.echo(f"Written: {', '.join(str(path) for path in files.values())}")
