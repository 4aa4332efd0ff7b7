"""`touchstone health`: is a role well on this machine? For a container's check."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from services.cli.outcome import FAILED, guarded


@guarded
def health(
    role: Annotated[Literal["worker", "scheduler", "api"], typer.Argument(metavar="ROLE", help="What to look at.")],
) -> None:
    """Say whether the processes of a role on this machine are well: exit code 0 if they are, 1 if not."""
    well, told = _api() if role == "api" else _process(role)
    typer.echo(told)
    if not well:
        raise typer.Exit(FAILED)


def _process(role: str) -> tuple[bool, str]:
    from services.roles.health import look

    return look(role)


def _api() -> tuple[bool, str]:
    """By asking it: it must answer, whether or not it can reach what it needs."""
    import os
    import urllib.request

    host = os.environ.get("TOUCHSTONE_API_HOST", "127.0.0.1")
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{near}:{os.environ.get('TOUCHSTONE_API_PORT', '8400')}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200, f"{url} answers"
    except OSError as error:
        return False, f"{url}: {error}"
