"""What a job or a command works with: settings, the database, the queue and the parties, opened and closed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from services.database import Database
from services.parties import Parties, load_parties
from services.queue import JobQueue
from services.settings import Settings


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


_standing: dict[str, Deployment] = {}


def standing(settings: Settings) -> Deployment:
    """The deployment that this process keeps open from job to job, with all that its parties have loaded."""
    name = settings.model_dump_json()
    if name not in _standing:
        queue = JobQueue(settings.redis_url, settings.job_seconds)
        _standing[name] = Deployment(settings, Database(settings.database), queue)
    return _standing[name]


@contextmanager
def opened(settings: Settings) -> Iterator[Deployment]:
    """Open a deployment whose `redis_url` is known."""
    deployment = Deployment(settings, Database(settings.database), JobQueue(settings.redis_url, settings.job_seconds))
    try:
        yield deployment
    finally:
        deployment.queue.close()
        deployment.database.close()
