"""`touchstone worker`: takes jobs off the queue and does them."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.outcome import guarded


@guarded
def worker(
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="Worker processes; more than one are kept running by this command.")
    ] = 1,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="End each process after so many jobs, so that no leak lasts; 0: never."),
    ] = 0,
) -> None:
    """Do jobs until asked to end; needs TOUCHSTONE_REDIS_URL, and the database that the API and the scheduler use.

    SIGTERM or Ctrl-C: no more jobs are taken; the one at hand has TOUCHSTONE_GRACE_SECONDS, then what it has not done
    is given back. A second one gives it back at once.
    """
    from services.roles.running import run_worker

    run_worker(processes, jobs)
