"""The server ends in order with its streams closed, and several processes share one port."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from roles.launcher import await_that, end, start
from workbench import bench, new_run

from knowledge_base.errors import InputError
from services.deployment import Deployment
from services.roles.serving import address_of, listen, ready_to_serve
from services.settings import load_settings


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


def answer(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class Api:
    """A server process."""

    def __init__(self, deployment: Deployment, place: Path, *arguments: str) -> None:
        self.log, self.port = place / "api.log", free_port()
        environment = {**deployment.settings.environment(), "TOUCHSTONE_GRACE_SECONDS": "5"}
        self.process = start("api", "--port", str(self.port), *arguments, environment=environment, log=self.log)
        await_that(lambda: answer(self.port, "/readyz") == 200, log=self.log)


@pytest.mark.slow
def test_a_server_that_is_asked_to_end_does_so_well(deployment: Deployment, place: Path) -> None:
    api = Api(deployment, place)
    with urllib.request.urlopen(f"http://127.0.0.1:{api.port}/v1/runs?said=secret", timeout=5) as reply:
        asked = reply.headers["X-Request-Id"]
    began = time.monotonic()
    assert end(api.process) == 0, api.log.read_text()
    assert time.monotonic() - began < 5
    lines = [json.loads(line) for line in api.log.read_text().splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("request") == asked]
    assert {"method": "GET", "path": "/v1/runs", "status": 200, "role": "api"}.items() <= line.items()
    assert "secret" not in api.log.read_text(), "a query may hold what a user wrote"
    assert answer(api.port, "/healthz") == 0


@pytest.mark.slow
def test_streams_that_would_never_end_are_ended(deployment: Deployment, place: Path) -> None:
    """A reader of events connects again, to another process; it does not keep this one from ending."""
    run = new_run(deployment.database)
    api = Api(deployment, place)
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    connection.request("GET", f"/v1/runs/{run}/events")
    reply = connection.getresponse()
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.append(reply.read()))
    reader.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert end(api.process) == 0, api.log.read_text()
    assert time.monotonic() - began < 4, "less than its grace"
    reader.join(10)
    assert not reader.is_alive()
    connection.close()


@pytest.mark.slow
def test_processes_that_share_a_port_end_together_and_one_that_dies_is_replaced(
    deployment: Deployment, place: Path
) -> None:
    import psutil

    api = Api(deployment, place, "--processes", "2")
    children = psutil.Process(api.process.pid).children()
    assert len(children) == 2
    children[0].kill()
    await_that(lambda: answer(api.port, "/healthz") == 200)
    await_that(lambda: len([p for p in psutil.Process(api.process.pid).children() if p.status() != "zombie"]) == 2)
    assert end(api.process) == 0, api.log.read_text()


def test_an_address_that_is_taken_is_refused_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(InputError, match=r"cannot listen on .*TOUCHSTONE_API_PORT"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match=r"cannot listen on no\.such\.host\.invalid"):
        listen("no.such.host.invalid", 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_url_is_one_that_this_machine_reaches(host: str, shown: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with listen(host, 0) as listening:
        assert address_of(listening) == f"http://{shown}:{listening.getsockname()[1]}"


def test_a_server_without_a_queue_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match=r"TOUCHSTONE_REDIS_URL is empty.*touchstone up"):
        ready_to_serve(load_settings(redis_url=""))


def test_a_server_that_others_reach_without_keys_is_refused(place: Path) -> None:
    settings = load_settings(redis_url="unix:///nobody.sock", api_host="0.0.0.0")
    with pytest.raises(InputError, match="TOUCHSTONE_PUBLIC=true"):
        ready_to_serve(settings)
