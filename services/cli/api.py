"""`touchstone api`: serves the HTTP API."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.outcome import guarded


@guarded
def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else TOUCHSTONE_API_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; else TOUCHSTONE_API_PORT.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve, all on the same port.")] = 1,
) -> None:
    """Serve the API until asked to end; needs TOUCHSTONE_REDIS_URL, and workers and a scheduler on the same database.

    Other machines reach it only with TOUCHSTONE_PUBLIC=true and an admin key, see `touchstone keys create`.
    """
    from services.roles.running import run_api

    run_api(host, port, processes)
