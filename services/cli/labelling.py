"""What `touchstone label` does: read, agree, label, watch, write, sum up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from agents.early_stop import Kind, StopRule
from knowledge_base.errors import InputError
from services.budget import Budget
from services.cli.label_summary import print_labelling
from services.cli.paying import agree_to_calls
from services.cli.summary import output
from services.criteria_file import read_criteria
from services.database import Database
from services.doctor import demand
from services.labelling.driver import label_to_end
from services.labelling.output import Outputs, check_output, write_outputs
from services.labelling.progress import LabelProgress, label_progress
from services.labelling.register import create_labelling, load_labelling
from services.labelling.summary import LabelSummary
from services.labelling.unlabelled import PairsFile
from services.labelling.watch import watcher
from services.parties import Parties, load_parties
from services.settings import Settings, load_settings


@dataclass(frozen=True)
class Order:
    """What a user asked for; see the options of `touchstone label`."""

    criteria: Path
    pairs: Path
    out: Path
    stop: Kind
    error: float
    trl: Path | None
    min_margin: float
    limit: int | None
    workers: int | None
    budget: Budget
    yes: bool
    force: bool

    @property
    def outputs(self) -> Outputs:
        """Where to write."""
        return Outputs(self.out, self.trl, self.min_margin)


def label_pairs(order: Order, *, as_json: bool, quiet: bool) -> LabelSummary:
    """Carry an order out. Progress goes to stderr; stdout gets the summary, or with `as_json` one JSON document.

    Raises:
        TouchstoneError: anything a user can mend; outputs and inputs are looked at before any work begins.
    """
    _check(order)
    settings = load_settings(**({} if order.workers is None else {"workers": order.workers}))
    if settings.url:
        return _label_remotely(order, settings, as_json=as_json, quiet=quiet)
    demand(settings)
    loaded, budget = read_criteria(order.criteria), _budget(order, settings)
    silent = quiet or as_json
    with closing(Database(settings.database).create()) as database:
        parties = load_parties(settings, database)
        rule = _rule(order, parties, settings)
        labelling = create_labelling(database, parties, loaded.criteria_set, PairsFile(order.pairs, order.limit), rule)
        _check(order, labelling)
        _agree(database, parties, labelling, yes=order.yes, silent=silent)
    with watcher(Console(stderr=True), quiet=silent) as watch:
        label_to_end(labelling, settings, watch.update, budget)
    with closing(Database(settings.database)) as database:
        summary = write_outputs(database, load_labelling(database, labelling), order.outputs)
    summary = summary.model_copy(update={"notes": (*summary.notes, *loaded.notes)})
    _tell(summary, order, as_json=as_json, quiet=quiet)
    return summary


def _label_remotely(order: Order, settings: Settings, *, as_json: bool, quiet: bool) -> LabelSummary:
    """The same, done by a server."""
    from services.cli.remote import client_of, label_remotely

    if order.limit is not None:
        raise InputError("--limit is not for a server: send a shorter file, or unset TOUCHSTONE_URL")
    with client_of(settings) as client:
        summary = label_remotely(client, order)
    _tell(summary, order, as_json=as_json, quiet=quiet)
    return summary


def _check(order: Order, labelling: str = "") -> None:
    """Make sure that both files may be written."""
    if order.trl is not None and order.trl.absolute() == order.out.absolute():
        raise InputError(f"--out and --trl both name {order.out}; give each a file of its own")
    for path in filter(None, (order.out, order.trl)):
        if path.absolute() in (order.pairs.absolute(), order.criteria.absolute()):
            raise InputError(f"{path} is a file that is read; give another name to write to")
        check_output(path, labelling, force=order.force)


def _budget(order: Order, settings: Settings) -> Budget:
    """The options' budget, and the settings' where they name none."""
    given, usual = order.budget, settings.budget
    budget = Budget(
        calls=given.calls or usual.calls, tokens=given.tokens or usual.tokens, cost=given.cost or usual.cost
    )
    if budget.cost is not None:
        settings.demand_prices()
    return budget


def _rule(order: Order, parties: Parties, settings: Settings) -> StopRule:
    """The rule of stopping; a model that answers several criteria in one call is asked as many at a time."""
    block = 1 if parties.panel().free else settings.criteria_per_call
    error = {"error": order.error} if order.stop == "likely" else {}
    return StopRule(kind=order.stop, block=block, **error)


def _agree(database: Database, parties: Parties, labelling: str, *, yes: bool, silent: bool) -> None:
    """Say where the labelling stands, and have the user agree to what the rest may cost."""
    found, progress = load_labelling(database, labelling), label_progress(database, labelling)
    if progress.done and not silent:
        typer.echo(_resumed(progress), err=True)
    if not parties.panel().free:
        agree_to_calls((progress.pairs - progress.done) * found.sheet.per_pair, yes=yes)


def _resumed(progress: LabelProgress) -> str:
    if progress.finished:
        return f"all {progress.pairs:,} pairs are labelled already"
    return f"resuming: {progress.done:,} of {progress.pairs:,} pairs are labelled already"


def _tell(summary: LabelSummary, order: Order, *, as_json: bool, quiet: bool) -> None:
    files = {"labels": str(order.out)} | ({"trl": str(order.trl)} if order.trl else {})
    if as_json:
        typer.echo(json.dumps({"files": files, "labelling": summary.model_dump(mode="json")}))
        return
    if not quiet:
        print_labelling(summary, output())
    typer.echo(f"Written: {', '.join(files.values())}")
