"""What a job or a command works with: settings, the database, the queue and the parties, opened and closed together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from services.database import Database
from services.parties import Parties, load_parties
from services.queue import JobQueue
from services.roles.settings import roles_of
from services.settings import Settings
from services.telemetry.tally import Tally
from services.turns import Turns

WAVES = 32
"""Calls of a paid batch for each place in flight. As a batch begins, all calls about a pair wait for its first one, and
as it ends, places stand empty: batches of many pairs, and few of them, keep an endpoint busy."""

MOST_IN_BATCH = 2000


@dataclass(frozen=True)
class Deployment:
    """An open deployment."""

    settings: Settings
    database: Database
    queue: JobQueue

    @cached_property
    def parties(self) -> Parties:
        """Who judges and who manages; made when first needed."""
        return load_parties(self.settings, self.database)

    @property
    def turns(self) -> Turns:
        """Whose batches are on the queue, and whose wait."""
        return Turns(self.database, self.queue, roles_of(self.settings).batches_ahead, self.settings.workers)

    @property
    def tally(self) -> Tally:
        """Counts of what is done, by all processes."""
        return Tally(self.queue.connection)

    @cached_property
    def batch_size(self) -> int:
        """Judgments in a job: what the settings say, or more where an endpoint would else wait between batches."""
        if self.parties.panel().free:
            return self.settings.batch_size
        return max(self.settings.batch_size, min(WAVES * self.settings.in_flight, MOST_IN_BATCH))

    @property
    def parts(self) -> int:
        """Batches that keep every worker busy, where that matters more than large ones do."""
        return 1 if self.parties.panel().free else max(1, self.settings.workers)


_standing: dict[str, Deployment] = {}


def standing(settings: Settings) -> Deployment:
    """The deployment that this process keeps open from job to job, with all that its parties have loaded."""
    # Not the settings as JSON, in which keys are masked: another key is another deployment.
    name = json.dumps(settings.environment(), sort_keys=True)
    if name not in _standing:
        queue = JobQueue(settings.redis_url, settings.job_seconds)
        _standing[name] = Deployment(settings, Database(settings.database), queue)
    return _standing[name]


def close_standing() -> None:
    """Close what this process keeps open, as it ends."""
    while _standing:
        _, deployment = _standing.popitem()
        deployment.queue.close()
        deployment.database.close()


@contextmanager
def opened(settings: Settings) -> Iterator[Deployment]:
    """Open a deployment whose `redis_url` is known."""
    deployment = Deployment(settings, Database(settings.database), JobQueue(settings.redis_url, settings.job_seconds))
    try:
        yield deployment
    finally:
        deployment.queue.close()
        deployment.database.close()
