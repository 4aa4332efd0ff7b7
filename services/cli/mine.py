"""`touchstone mine`: criteria from pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.outcome import guarded

Pairs = Annotated[
    Path, typer.Argument(metavar="PAIRS", help="Pairs that people compared: a JSONL, CSV or Parquet file.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress; print only where the files are.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite another run, or edited criteria, in the folder.")]
Sides = Annotated[
    Literal["keep", "shuffle"],
    typer.Option(help="Keep the file's sides, or set them by content where one side is always preferred."),
]


def _share(value: float | None) -> float | None:
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"{value} is not between 0 and 1; use for example 0.3")
    return value


@guarded
def mine(
    pairs: Pairs,
    out: Annotated[Path, typer.Option(help="Folder for report.html, criteria.yaml and result.json.")],
    test: Annotated[Path | None, typer.Option(help="Pairs to report on; then all of PAIRS is mined.")] = None,
    description: Annotated[str, typer.Option(help="What people compared, in a sentence or two.")] = "",
    policy: Annotated[
        Literal["robust", "paper"], typer.Option(help="How criteria are kept, refined and replaced.")
    ] = "robust",
    rounds: Annotated[int | None, typer.Option(min=1, help="At most this many rounds; else the policy's own.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Criteria wanted; else the policy's own.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and pairs give the same criteria, byte for byte.")] = 0,
    sealed_share: Annotated[
        float, typer.Option(callback=_share, help="Share of the decided pairs that mining never sees, in (0, 1).")
    ] = 0.3,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Worker processes; else TOUCHSTONE_WORKERS or one a core.")
    ] = None,
    holdout: Annotated[
        Literal["auto", "sealed", "crossfit", "none"],
        typer.Option(help="Which pairs the reported accuracy comes from; a cross-fit mines once for each fold."),
    ] = "auto",
    knowledge_base: Annotated[
        bool, typer.Option("--knowledge-base/--no-knowledge-base", help="Draw on prior criteria, or on none.")
    ] = True,
    budget_calls: Annotated[int | None, typer.Option(min=1, help="At most so many calls to models.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="At most so many tokens of models.")] = None,
    budget_cost: Annotated[
        float | None, typer.Option(help="At most so much money, by TOUCHSTONE_PRICES; in the same currency.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether the estimated cost is accepted.")] = False,
    sides: Sides = "keep",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mine criteria from pairs, and write a report, the criteria and the result to a folder.

    Stop it at any time: the same command resumes where it stood, and prints a finished result at once.
    """
    from services.cli.mining import Order, mine_pairs
    from services.cli.paying import budget_given
    from services.run_config import RunConfig

    config = RunConfig(
        policy=policy, rounds=rounds, size=size, seed=seed, sealed_share=sealed_share, holdout=holdout,
        knowledge_base=knowledge_base, budget=budget_given(budget_calls, budget_tokens, budget_cost),
    )  # fmt: skip
    mine_pairs(Order(pairs, out, config, test, description, workers, sides, force, yes), as_json=json, quiet=quiet)
