"""`touchstone keys`: API keys made, listed, revoked and rotated, by whoever may use the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.local import opened
from services.cli.mine import Json
from services.cli.outcome import guarded

if TYPE_CHECKING:
    from services.access.keys import Key, NewKey

app = typer.Typer(help="API keys: who may ask the server for what.", no_args_is_help=True)

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
KeyId = Annotated[str, typer.Argument(metavar="ID", help="A key's id, as `touchstone keys list` shows it.")]


@app.command("create")
@guarded
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to know the key by, such as whose it is.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do: read, annotate, run, approve or admin; may be given several times."),
    ],
    expires: Annotated[
        str, typer.Option(help="When it stops working, such as 12h, 90d or 26w from now; else never.")
    ] = "",
    per_minute: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Most requests in a minute.")] = None,
    json: Json = False,
) -> None:
    """Make a key and print it, once: only its hash is kept. annotate, run and approve include read; admin, all."""
    from services.access.keys import create_key

    expires_in = seconds_of(expires, "--expires") if expires else None
    with opened() as (settings, database):
        pepper = settings.key_pepper.get_secret_value()
        made = create_key(database, name, scope, expires_in=expires_in, per_minute=per_minute, pepper=pepper)
    _print_new(made, as_json=json)


@app.command("list")
@guarded
def list_(json: Json = False) -> None:
    """List all keys that ever were, oldest first; the keys themselves are not kept."""
    from json import dumps
    from time import time

    from services.access.keys import list_keys

    now = time()
    with opened() as (_, database):
        found = list_keys(database)
    if json:
        typer.echo(dumps([key.model_dump(mode="json") | {"state": key.state(now)} for key in found]))
        return
    if not found:
        typer.echo("no keys yet; `touchstone keys create NAME --scope admin` makes one")
        return
    print_columns(("id", "name", "scopes", "state", "a minute", "created", "expires", "last used"), _rows(found, now))


@app.command("revoke")
@guarded
def revoke(key: KeyId, json: Json = False) -> None:
    """Have a key work no longer; servers heed that within seconds."""
    from services.access.keys import revoke_key

    with opened() as (_, database):
        revoked = revoke_key(database, key)
    if json:
        typer.echo(revoked.model_dump_json())
        return
    print_line(f"key {revoked.id} ({revoked.name}) works no longer")


@app.command("rotate")
@guarded
def rotate(
    key: KeyId,
    overlap: Annotated[str, typer.Option(help="How long the old key still works, such as 30m, 24h or 7d.")] = "24h",
    json: Json = False,
) -> None:
    """Make a key that takes the place of another, with the same scopes and limits, and print it, once."""
    from services.access.keys import rotate_key

    seconds = seconds_of(overlap, "--overlap")
    with opened() as (settings, database):
        made = rotate_key(database, key, overlap=seconds, pepper=settings.key_pepper.get_secret_value())
    _print_new(made, as_json=json)


def seconds_of(text: str, option: str) -> float:
    """Seconds out of `30m`, `12h`, `90d` or `26w`.

    Raises:
        InputError: it is written otherwise.
    """
    from knowledge_base.errors import InputError

    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if found is None:
        raise InputError(f"{option} is {text!r}; write a number and m, h, d or w, such as 90d")
    return int(found[1]) * UNITS[found[2]]


def print_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in columns of equal width, however wide the terminal."""
    from services.inert import shown

    cells = [tuple(head), *[tuple(shown(cell).replace("\n", " ") for cell in row) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_line(text: str) -> None:
    """Print a line in which strangers' words may stand."""
    from services.inert import shown

    typer.echo(shown(text))


def day(at: float | None) -> str:
    """A moment as a day and a time, UTC; a dash for none."""
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _rows(found: Sequence[Key], now: float) -> list[tuple[str, ...]]:
    return [
        (
            key.id, key.name, ",".join(key.scopes), key.state(now), str(key.per_minute or "-"), day(key.created_at),
            day(key.expires_at), day(key.last_used_at),
        )
        for key in found
    ]  # fmt: skip


def _print_new(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        typer.echo(made.model_dump_json())
        return
    typer.echo(made.token)
    until = f", until {day(made.key.expires_at)} UTC" if made.key.expires_at else ""
    note = f"key {made.key.id} ({made.key.name}): {', '.join(made.key.scopes)}{until}; it is not shown again"
    from services.inert import shown

    typer.echo(shown(note), err=True)
