"""`touchstone export` and `touchstone export-pairs`: criteria for other judges, pairs for trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.mine import Json
from services.cli.outcome import guarded

Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{value} is not in 0 to 1; use for example 0.2")
    return value


@guarded
def export(
    criteria: Annotated[
        Path, typer.Argument(metavar="CRITERIA", help="A criteria file, or the folder that `touchstone mine` wrote to.")
    ],
    as_: Annotated[
        Literal["yaml", "json", "prometheus", "promptfoo", "deepeval", "prompt", "markdown"],
        typer.Option("--as", help="The format to write."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write; if left out, the text goes to stdout and notes to stderr.")
    ] = None,
    mode: Annotated[
        Literal["usual", "pairwise", "pointwise"],
        typer.Option(help="With --as promptfoo or prompt, compare two texts or score one; usual: promptfoo scores."),
    ] = "usual",
    language: Annotated[Literal["en", "zh"], typer.Option(help="With --as prompt, language of its rules.")] = "en",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a criteria set for other judges and for people: lossless, as a rubric, as a configuration, as a prompt.

    Nothing is judged and no model is called. What the format cannot carry is told.
    """
    import json as documents

    from knowledge_base.errors import InputError
    from services.atomic_file import write_text
    from services.exchange.places import check_place
    from services.exchange.set_reading import read_set
    from services.exchange.targets import Wanted, export_set

    if out is not None:
        check_place(out, (criteria,), force=force)
        if not out.suffix:
            raise InputError(f"{out} has no ending, and the ending says what is written; give one")
    loaded = read_set(criteria)
    made = export_set(
        loaded.criteria_set, Wanted(as_, None if mode == "usual" else mode, language, out.suffix if out else "")
    )
    notes = (*loaded.notes, *made.notes)
    if out is not None:
        write_text(out, made.text)
    if json:
        written = {"file": str(out)} if out else {"text": made.text}
        typer.echo(documents.dumps({"target": as_, "version": made.version, **written, "notes": notes}))
        return
    if out is None:
        typer.echo(made.text, nl=False)
    _tell(notes, err=out is None)
    if out is not None:
        typer.echo(f"Written: {out}")


@guarded
def export_pairs(
    pairs: Annotated[
        Path,
        typer.Argument(metavar="PAIRS", help="What `touchstone label` wrote, or pairs that people compared."),
    ],
    out: Annotated[Path, typer.Option(help="File to write; ends in .jsonl, .parquet or .csv.")],
    as_: Annotated[
        Literal["trl", "trl-chat", "bradley-terry", "deepeval"],
        typer.Option(
            "--as",
            help="The format to write: preferences as text or as chat, rows for a pairwise model, "
            "or test cases of an arena.",
        ),
    ] = "trl",
    margin: Annotated[
        bool, typer.Option("--margin", help="With trl, also write the column margin, which RewardTrainer subtracts.")
    ] = False,
    min_margin: Annotated[
        float, typer.Option(callback=_share, help="Leave out pairs whose margin is below this, in [0, 1].")
    ] = 0.0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write compared pairs as training or evaluation data. Ties are left out, and counted.

    In CSV, texts that a spreadsheet would take for a formula get an apostrophe; train on the other two types.
    """
    from services.exchange.pairs_out import PairsWanted
    from services.exchange.pairs_out import export_pairs as write_pairs
    from services.exchange.places import check_place

    check_place(out, (pairs,), force=force)
    made = write_pairs(pairs, out, PairsWanted(as_, margin, min_margin))
    if json:
        typer.echo(made.model_dump_json())
        return
    typer.echo(
        f"{made.written:,} of {made.read:,} pairs written; left out: {made.ties:,} ties, {made.unsure:,} below the "
        "least margin"
    )
    _tell(made.notes)
    typer.echo(f"Written: {out}")


def _tell(notes: tuple[str, ...], *, err: bool = False) -> None:
    from services.inert import shown

    for note in notes:
        typer.echo(shown(f"note: {note}"), err=err)
