"""The scheduler: `python -m services.roles.scheduling`. One leads and sees to all duties, any other stands by."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from services.deployment import Deployment, opened
from services.roles.duties import Duty, duties
from services.roles.ending import Ending, leave
from services.roles.health import Health
from services.roles.leadership import Leadership
from services.roles.settings import roles_of
from services.settings import Settings, load_settings
from services.telemetry.logs import about, configure_logs, log
from services.tethered import tether

DUTY = "scheduler"

RESTS = 3.0
"""A duty takes at most one part in so many, and one, of the time: a slow look is taken less often."""

LONGEST = 60.0
"""Seconds between two looks of a duty that fails again and again."""

logger = log("services.roles.scheduling")


def schedule(settings: Settings, ending: Ending, health: Health, also: Sequence[Duty] = ()) -> None:
    """See to all duties while this process leads, until it is asked to end.

    Args:
        settings: with the URLs of both servers.
        ending: when to end.
        health: told what is away.
        also: further duties.
    """
    with opened(settings) as deployment:
        leadership = Leadership(deployment.database, DUTY, roles_of(settings).leader_seconds)
        done = threading.Event()
        hands = [
            threading.Thread(target=see_to, args=(duty, deployment, leadership, health, done), name=duty.name)
            for duty in [*duties(deployment, done), *also]
        ]
        with leadership.sought():
            for hand in hands:
                hand.start()
            try:
                _await_end(ending, leadership)
            finally:
                done.set()
        # Whoever waits for a look to end leads no more, so that another scheduler need not wait with it.
        for hand in hands:
            hand.join()


def see_to(duty: Duty, deployment: Deployment, leadership: Leadership, health: Health, done: threading.Event) -> None:
    """Look after one duty, whenever this process leads, until `done`. What it fails of is logged and forgiven."""
    failed = 0
    while not done.is_set():
        took = 0.0
        if leadership.leads:
            begun = time.monotonic()
            failed = 0 if _looked(duty, deployment, health) else failed + 1
            took = time.monotonic() - begun
        pause = max(duty.seconds, RESTS * took, min(LONGEST, duty.seconds * 2**failed) if failed else 0.0)
        done.wait(pause if leadership.leads else min(pause, 1.0))


def _looked(duty: Duty, deployment: Deployment, health: Health) -> bool:
    begun = time.monotonic()
    with about(duty=duty.name):
        try:
            count = duty.look()
        except Exception as error:
            if isinstance(error, DBAPIError | RedisError):
                health.ill("the database is away" if isinstance(error, DBAPIError) else "Redis is away")
            logger.error("duty failed", fault=f"{type(error).__name__}: {error}", exc_info=error)
            deployment.tally.add({("duties", duty.name, "failed"): 1})
            return False
        seconds = time.monotonic() - begun
        if count:
            logger.info("duty done", count=count, seconds=round(seconds, 3))
    health.well()
    deployment.tally.add({("duties", duty.name, "done"): 1, ("duty seconds", duty.name): seconds})
    return True


def _await_end(ending: Ending, leadership: Leadership) -> None:
    led: bool | None = None
    while not ending.asked:
        if leadership.leads != led:
            led = leadership.leads
            logger.info("leading" if led else "standing by")
        ending.pause(0.2)


def main(arguments: list[str] | None = None) -> None:
    """Schedule until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="process to die with (0: none)")
    given = parser.parse_args(arguments)
    if given.parent:
        tether(given.parent)
    settings = load_settings()
    ending = Ending(0.0)
    ending.install()
    configure_logs(settings, "scheduler")
    health = Health("scheduler")
    with health.told():
        schedule(settings, ending, health)


if __name__ == "__main__":
    main()
    leave()
