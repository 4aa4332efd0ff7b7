"""`touchstone report`: the report of a finished run, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.outcome import guarded


@guarded
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that `touchstone mine` wrote to.")],
) -> None:
    """Make the report of a finished run again, from its result.json, and print where it is."""
    from services.cli.output_folder import REPORT, read_result
    from services.report import write_report

    result = read_result(folder)
    write_report(result, folder / REPORT)
    typer.echo(f"Written: {folder / REPORT}")
