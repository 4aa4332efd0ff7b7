"""A worker process: `python -m services.worker_main`. Settings come from the environment.

So that no leak lasts, whoever starts a worker and will replace it tells it to end after `--jobs` jobs.
"""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext, suppress

from services.deployment import close_standing
from services.roles.ending import Ending, leave
from services.roles.health import Health
from services.roles.settings import roles_of
from services.roles.worker import load_everything, work
from services.settings import load_settings
from services.stopping import Stopped
from services.telemetry.logs import configure_logs
from services.tethered import tether


def main(arguments: list[str] | None = None) -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="process to die with (0: none)")
    parser.add_argument("--jobs", type=int, default=0, help="jobs after which to end (0: none)")
    parser.add_argument("--grace", type=float, default=None, help="seconds for the job at hand; else the settings'")
    parser.add_argument("--health", action="store_true", help="say in a file whether all is well")
    given = parser.parse_args(arguments)
    if given.parent:
        tether(given.parent)
    settings = load_settings()
    roles = roles_of(settings)
    os.nice(roles.niceness)
    ending = Ending(roles.grace_seconds if given.grace is None else given.grace)
    ending.install()
    configure_logs(settings, "worker")
    health = Health("worker")
    with suppress(Stopped), health.told() if given.health else nullcontext():
        ending.resting(True)
        load_everything(settings)
        ending.resting(False)
        work(settings, given.jobs, ending, health)
    ending.close()
    close_standing()


if __name__ == "__main__":
    main()
    leave()
