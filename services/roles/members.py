"""The processes of each role, as a supervisor starts them."""

from __future__ import annotations

import socket

from services.roles.supervisor import Member
from services.workforce import MOST_JOBS


def worker_members(count: int, jobs: int = MOST_JOBS) -> list[Member]:
    """Workers, each of which ends after so many jobs and is started again, so that no leak lasts."""
    told = ("--health", "--jobs", str(jobs))
    return [Member(f"worker {i}", "services.worker_main", told) for i in range(1, count + 1)]


def scheduler_member() -> Member:
    """A scheduler."""
    return Member("scheduler", "services.roles.scheduling")


def api_members(count: int, listening: socket.socket) -> list[Member]:
    """API servers that take requests from one socket."""
    number = listening.fileno()
    told = ("--socket", str(number))
    name = "api" if count == 1 else "api {}"
    return [Member(name.format(i), "services.roles.serving", told, (number,)) for i in range(1, count + 1)]
