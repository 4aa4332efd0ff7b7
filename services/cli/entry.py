"""The commands, gathered. Nothing heavy is imported before a command runs: `touchstone --help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import keys, knowledge, sets, webhooks
from services.cli.api import api
from services.cli.demo import demo
from services.cli.doctor import doctor
from services.cli.evaluate import evaluate
from services.cli.export import export, export_pairs
from services.cli.health import health
from services.cli.import_ import import_
from services.cli.label import label
from services.cli.migrate import migrate
from services.cli.mine import mine
from services.cli.report import report
from services.cli.retention import retention
from services.cli.scheduler import scheduler
from services.cli.up import up
from services.cli.worker import worker

app = typer.Typer(
    name="touchstone",
    help="Mine written quality criteria from a few dozen human preferences, and put them to work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (mine, evaluate, label, report, doctor, demo, up, api, worker, scheduler, migrate, retention, health):
    app.command()(command)
app.command("export")(export)
app.command("export-pairs")(export_pairs)
app.command("import")(import_)
for name, group in (("sets", sets), ("knowledge", knowledge), ("keys", keys), ("webhooks", webhooks)):
    app.add_typer(group.app, name=name)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"touchstone {installed_version()}")
        raise typer.Exit


def installed_version() -> str:
    """Version of the installed distribution; `unknown` in a checkout that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("touchstone-criteria")
    except PackageNotFoundError:
        return "unknown"


@app.callback()
def touchstone(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Mine written quality criteria from a few dozen human preferences, and put them to work."""
