"""`touchstone label`: a criteria set applied to many pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.mine import Json, Quiet
from services.cli.outcome import guarded


def _open_share(value: float) -> float:
    if not 0 < value < 1:
        raise typer.BadParameter(f"{value} is not between 0 and 1; use for example 0.05")
    return value


def _closed_share(value: float) -> float:
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{value} is not in 0 to 1; use for example 0.2")
    return value


@guarded
def label(
    criteria: Annotated[
        Path, typer.Argument(metavar="CRITERIA", help="A criteria file, as `touchstone mine` writes it.")
    ],
    pairs: Annotated[
        Path,
        typer.Argument(
            metavar="PAIRS",
            help="Pairs to label: a JSONL, CSV or Parquet file with columns a and b; id, prompt and preferred may be "
            "given.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File for the labelled pairs; ends in .parquet or .jsonl.")],
    stop: Annotated[
        Literal["exact", "none", "likely"],
        typer.Option(
            help="When to stop asking about a pair: once its label cannot change, never, or once that is unlikely."
        ),
    ] = "exact",
    error: Annotated[
        float,
        typer.Option(
            callback=_open_share,
            help="With --stop likely, accepted probability, in (0, 1), that asking on would change a label.",
        ),
    ] = 0.05,
    trl: Annotated[
        Path | None, typer.Option(help="Also write preference data for TRL to this file; ties are left out.")
    ] = None,
    min_margin: Annotated[
        float,
        typer.Option(callback=_closed_share, help="With --trl, leave out pairs whose margin is below this, in [0, 1]."),
    ] = 0.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Label the first so many rows only.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Worker processes; else TOUCHSTONE_WORKERS or one a core.")
    ] = None,
    budget_calls: Annotated[int | None, typer.Option(min=1, help="At most so many calls to models.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="At most so many tokens of models.")] = None,
    budget_cost: Annotated[
        float | None, typer.Option(help="At most so much money, by TOUCHSTONE_PRICES; in the same currency.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether the expected calls are accepted.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that hold something else.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Label pairs by a criteria file: for each the probability that people prefer a, and every criterion's answer.

    Stop it at any time: the same command resumes where it stood. What was judged before, here or while mining, is not
    asked again; once all is labelled, the same command only writes the files again.
    """
    from services.cli.labelling import Order, label_pairs
    from services.cli.paying import budget_given

    budget = budget_given(budget_calls, budget_tokens, budget_cost)
    order = Order(criteria, pairs, out, stop, error, trl, min_margin, limit, workers, budget, yes, force)
    label_pairs(order, as_json=json, quiet=quiet)
