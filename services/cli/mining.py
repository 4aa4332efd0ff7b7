"""What `touchstone mine` and `touchstone demo` do: read, run, watch, write, sum up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from knowledge_base.errors import InputError
from services.cli.output_folder import check_folder, check_run, write_folder
from services.cli.paying import agree
from services.cli.summary import output, print_summary, too_few
from services.database import Database
from services.datasets import Reading, Sides, read_dataset
from services.doctor import demand
from services.estimating import estimate_run, with_share
from services.live import watcher
from services.mining_thread import load_run
from services.parties import load_parties
from services.run_config import RunConfig
from services.run_driver import Site, run_to_end
from services.run_result import RunResult
from services.runs import create_run, run_exists, run_id
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
    force: bool = False
    yes: bool = False


def mine_pairs(order: Order, *, as_json: bool, quiet: bool, site: Site | None = None) -> RunResult:
    """Carry an order out, at `site` if one is given. Progress goes to stderr; stdout gets the summary, or with
    `as_json` one JSON document.

    Raises:
        TouchstoneError: anything a user can mend; the folder is looked at before any work begins.
    """
    check_folder(order.out, force=order.force)
    settings = load_settings(**({} if order.workers is None else {"workers": order.workers}))
    if settings.url:
        return _mine_remotely(order, settings, as_json=as_json, quiet=quiet)
    demand(settings)
    reading, test = _read(order)
    if not quiet and not as_json:
        _warn(reading)
    with closing(Database(settings.database).create()) as database:
        run = _agreed_run(database, settings, reading, test, order)
        check_run(order.out, load_run(database, run), force=order.force)
    with watcher(Console(stderr=True), quiet=quiet or as_json) as watch:
        result = run_to_end(run, settings, watch.update, site)
        watch.finish(result.rounds)
    files = write_folder(result, order.out, force=order.force)
    _tell(result, files, as_json=as_json, quiet=quiet)
    return result


def _mine_remotely(order: Order, settings: Settings, *, as_json: bool, quiet: bool) -> RunResult:
    """The same, done by a server."""
    from services.cli.remote import client_of, order_mining, watch_mining

    with client_of(settings) as client:
        run = order_mining(client, order, settings)
        with watcher(Console(stderr=True), quiet=quiet or as_json) as watch:
            result = watch_mining(client, run, watch)
            watch.finish(result.rounds)
    files = write_folder(result, order.out, force=order.force)
    _tell(result, files, as_json=as_json, quiet=quiet)
    return result


def _agreed_run(database: Database, settings: Settings, reading: Reading, test: Reading | None, order: Order) -> str:
    """The run, created or found; one that would cost something only once the user has agreed to what it may take.

    Raises:
        InputError: nobody agreed.
    """
    parties = load_parties(settings, database)
    tested = test.dataset if test else None
    expected = estimate_run(database, parties, settings, reading.dataset, order.config, tested)
    if expected is None:
        return create_run(database, parties, reading, order.config, test)
    config = with_share(order.config, settings, expected)
    run = run_id(parties, reading, config, test)
    if not run_exists(database, run):
        agree(expected, config, settings, yes=order.yes)
    return create_run(database, parties, reading, config, test)


def _read(order: Order) -> tuple[Reading, Reading | None]:
    """The pairs to mine, and those to test on if they have a file of their own."""
    reading = read_dataset(order.pairs, description=order.description, sides=order.sides)
    if order.test is None:
        return reading, None
    test = read_dataset(order.test, description=order.description, sides=order.sides)
    mined = {pair.hash for pair in reading.dataset.pairs}
    if all(pair.hash in mined for pair in test.dataset.pairs):
        raise InputError(
            f"{order.test}: all {len(test.dataset.pairs)} pairs also stand in {order.pairs}, so none is left to test "
            "on; give other pairs, or leave --test out to have a share of the pairs sealed"
        )
    return reading, test


def _warn(reading: Reading) -> None:
    if warning := too_few(sum(pair.preferred != "tie" for pair in reading.dataset.pairs)):
        typer.echo(warning, err=True)


def _tell(result: RunResult, files: dict[str, Path], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        body = {"files": {name: str(path) for name, path in files.items()}, "result": result.model_dump(mode="json")}
        typer.echo(json.dumps(body))
        return
    if not quiet:
        print_summary(result, output())
    typer.echo(f"Written: {', '.join(str(path) for path in files.values())}")
