"""All roles in one command: queue, database, workers, scheduler and API on one machine, and nothing left after."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from urllib.error import URLError

from services.database import Database
from services.embedded_redis import EmbeddedRedis
from services.roles.ending import Ending
from services.roles.members import api_members, scheduler_member, worker_members
from services.roles.serving import address_of, listen
from services.roles.supervisor import Supervisor
from services.settings import PREFIX, Settings
from services.workforce import environment_of

Tell = Callable[[str], object]

PATIENCE = 120.0
"""Seconds after which it is said that the API does not answer yet."""


def run_everything(settings: Settings, api_processes: int, ending: Ending, tell: Tell) -> None:
    """Run all roles until asked to end.

    Args:
        settings: without a Redis URL, a private server is started; without a database, a file under `home` is used.
        api_processes: that serve the API, 1 or more.
        ending: when to end.
        tell: takes lines for people.

    Raises:
        InputError: the address is taken, or would be open to others without keys; the database cannot be used.
    """
    place, keys = _made_sure(settings)
    with ExitStack() as stack:
        listening = stack.enter_context(listen(settings.api_host, settings.api_port))
        server = stack.enter_context(EmbeddedRedis(settings.home)) if settings.embedded else None
        reached = settings.model_copy(update={"redis_url": server.url}) if server else settings
        members = [*worker_members(settings.workers), scheduler_member(), *api_members(api_processes, listening)]
        adopt = server.adopt if server else None
        supervisor = Supervisor(members, _environment(reached), ending.grace, adopt, quiet=True)
        address = address_of(listening)
        for line in told_at_start(address, place, settings, api_processes):
            tell(line)
        stack.enter_context(supervisor)
        watch = _Readiness(address, keys, tell)

        def also() -> None:
            if server is not None and server.tend():
                tell("the private Redis server had died and was started again; the work that was on it is found again")
            watch.look()

        supervisor.keep(ending, tell, also)
        tell(f"Ending: what is under way has up to {ending.grace:g} s; Ctrl-C again gives it back at once.")
    tell("Ended. Nothing is lost: the same command goes on from here.")


def told_at_start(address: str, place: str, settings: Settings, api_processes: int) -> list[str]:
    """What starts, where it answers and where it keeps things."""
    workers, serving = _several(settings.workers, "worker"), _several(api_processes, "API process")
    return [
        "Touchstone is starting on this machine.",
        "",
        f"  address    {address}/v1",
        f"  database   {place}",
        f"  queue      {'a private Redis server, gone at the end' if settings.embedded else 'Redis as configured'}",
        f"  processes  {workers}, 1 scheduler, {serving}",
        "",
    ]


def told_when_ready(address: str, seconds: float, keys: bool) -> list[str]:
    """That it answers, and what to do next."""
    key = "  export TOUCHSTONE_API_KEY=tsk_...             # as printed by `touchstone keys create`"
    return [
        f"Ready after {seconds:.0f} s. In another terminal:",
        "",
        f"  export TOUCHSTONE_URL={address}",
        *([key] if keys else []),
        "  touchstone mine pairs.jsonl --out mined       # or label: the work is done here",
        "",
        "Ctrl-C ends everything.",
    ]


def _made_sure(settings: Settings) -> tuple[str, bool]:
    """Where the database is, which may be served at the address, and whether a key was ever made."""
    from services.access.binding import check_bind
    from services.access.keys import list_keys

    with closing(Database(settings.database).create()) as database:
        check_bind(settings, database)
        return database.place, bool(list_keys(database))


class _Readiness:
    """Says once that the API answers, or that it takes long."""

    def __init__(self, address: str, keys: bool, tell: Tell) -> None:
        self._address, self._keys, self._tell = address, keys, tell
        self._since, self._answered, self._warned = time.monotonic(), False, False

    def look(self) -> None:
        """Look once more, unless it answered already."""
        if self._answered:
            return
        lasted = time.monotonic() - self._since
        if answers(f"{self._address}/readyz", 1.0):
            self._answered = True
            for line in told_when_ready(self._address, lasted, self._keys):
                self._tell(line)
        elif not self._warned and lasted > PATIENCE:
            self._warned = True
            self._tell(f"The API has not answered for {PATIENCE:.0f} s; its log lines say why.")


def answers(url: str, seconds: float) -> bool:
    """Whether a server says there that it is well."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError, ValueError):
        return False


def _environment(settings: Settings) -> dict[str, str]:
    """As for any process, but the lines of every job would hide those that are for people."""
    level = f"{PREFIX}LOG_LEVEL"
    return {**environment_of(settings), level: os.environ.get(level, "warning")}


def _several(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}{'es' if what.endswith('s') else 's'}"
