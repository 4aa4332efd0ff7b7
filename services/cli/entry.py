"""The commands, gathered. Nothing heavy is imported before a command runs: `touchstone --help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.demo import demo
from services.cli.doctor import doctor
from services.cli.evaluate import evaluate
from services.cli.label import label
from services.cli.mine import mine
from services.cli.report import report

app = typer.Typer(
    name="touchstone",
    help="Mine written quality criteria from a few dozen human preferences, and put them to work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (mine, evaluate, label, report, doctor, demo):
    app.command()(command)


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
