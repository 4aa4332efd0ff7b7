"""`touchstone demo`: the whole way on two small samples that come with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.mine import Force
from services.cli.outcome import guarded


@guarded
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the two runs.")] = Path("demo-out"),
    force: Force = False,
) -> None:
    """Mine the two samples that come with the program, one after the other, showing everything.

    The samples were written for this purpose. They show what the program does; their figures say nothing about people.
    """
    from services.cli.mining import Order, mine_pairs
    from services.cli.output_folder import check_folder
    from services.doctor import demand
    from services.interruption import ending_signals_raise
    from services.run_config import RunConfig
    from services.run_driver import working
    from services.samples_shipped import SAMPLES
    from services.settings import load_settings

    for sample in SAMPLES:
        check_folder(out / sample.name, force=force)
    settings = load_settings()
    demand(settings)
    with ending_signals_raise(), working(settings) as site:
        for sample in SAMPLES:
            typer.echo(f"\n{sample.title}: {sample.path}\n")
            order = Order(sample.path, out / sample.name, RunConfig(), description=sample.description, force=force)
            mine_pairs(order, as_json=False, quiet=False, site=site)
