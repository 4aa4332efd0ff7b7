"""`touchstone up`: everything on one machine."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.outcome import guarded


@guarded
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else TOUCHSTONE_API_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; else TOUCHSTONE_API_PORT.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Worker processes; else TOUCHSTONE_WORKERS or one a core.")
    ] = None,
    api_processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve the API.")] = 1,
) -> None:
    """Run the queue, workers, the scheduler and the API until Ctrl-C; nothing has to be installed beside this.

    Without TOUCHSTONE_REDIS_URL a private Redis server is started, and ended with the rest. The database is a file
    under TOUCHSTONE_HOME unless TOUCHSTONE_DATABASE_URL names another.
    """
    from services.roles.running import run_up

    run_up(host, port, workers, api_processes)
