"""The embedded server is a real one, reachable by nobody else, and never outlives its owner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import redis
from conftest import processes_of

from knowledge_base.errors import RunError
from services.embedded_redis import SOCKET_LIMIT, EmbeddedRedis
from services.embedded_registry import Instance, Registry, remove_folder, transport_of
from services.processes import Mark

OWNER = """
import sys, time
from pathlib import Path
from services.embedded_redis import EmbeddedRedis
with EmbeddedRedis(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""


def owner(home: Path) -> subprocess.Popen[bytes]:
    """A process of its own that holds an embedded server."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    )
    _await_line(process)
    return process


def _await_line(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process says that its server is up; it says nothing more."""
    assert process.stdout is not None
    with process.stdout as said:
        assert int(said.readline()) > 0


def gone(folder: Path) -> bool:
    """Whether every process of this place ends within a few seconds."""
    until = time.monotonic() + 5
    while processes_of(folder) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes_of(folder)


def test_it_answers_on_a_socket_with_a_short_path(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        assert redis.Redis.from_url(server.url).ping()
        assert len(server.url.removeprefix("unix://")) < SOCKET_LIMIT


def test_nobody_else_can_reach_it(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        listening = [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert listening == []
        assert (server.folder.stat().st_mode & 0o777) == 0o700


def test_it_keeps_nothing_on_disk(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        client = redis.Redis.from_url(server.url)
        client.set("key", "value")
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}


def test_two_commands_have_a_server_each(place: Path) -> None:
    with EmbeddedRedis(place / "home") as one, EmbeddedRedis(place / "home") as other:
        redis.Redis.from_url(one.url).set("key", "one")
        assert redis.Redis.from_url(other.url).get("key") is None
        assert len(Registry(place / "home").instances()) == 2


def test_nothing_is_left_when_it_exits(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        pid, folder = server.pid, server.folder
    assert not psutil.pid_exists(pid)
    assert not folder.exists()
    assert Registry(place / "home").instances() == []


def test_nothing_is_left_when_the_block_raises(place: Path) -> None:
    server = EmbeddedRedis(place / "home")
    with pytest.raises(KeyboardInterrupt), server:
        raise KeyboardInterrupt
    assert not server.folder.exists()


def test_a_server_that_does_not_start_is_explained_and_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.embedded_redis._server", lambda folder: ["/bin/false"])
    server = EmbeddedRedis(place / "home")
    with pytest.raises(RunError, match="did not start"), server:
        pass
    assert not server.folder.exists()
    assert Registry(place / "home").instances() == []


def test_a_killed_server_is_started_again_on_the_same_socket(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        assert server.tend() is False
        before = server.pid
        os.kill(before, signal.SIGKILL)
        until = time.monotonic() + 5
        while not server.tend() and time.monotonic() < until:
            time.sleep(0.01)
        assert server.pid != before
        assert redis.Redis.from_url(server.url).ping()
        assert [c.pid for c in server.instance.children] == [server.pid]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_the_server_dies_with_an_owner_that_is_killed_outright(place: Path) -> None:
    process = owner(place / "home")
    process.kill()
    process.wait()
    assert gone(place)
    Registry(place / "home").clean()


def test_the_next_start_clears_away_what_a_killed_owner_left(place: Path) -> None:
    process = owner(place / "home")
    process.kill()
    process.wait()
    assert len(list(place.glob("touchstone-*"))) == 1
    with EmbeddedRedis(place / "home") as server:
        assert list(place.glob("touchstone-*")) == [server.folder]
        assert [i.folder for i in Registry(place / "home").instances()] == [server.folder]


def test_the_next_start_ends_processes_that_outlived_their_owner(place: Path) -> None:
    """As they do where the kernel does not tie them to it."""
    left = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    dead = Mark(Mark.here().host, Mark.here().pid, Mark.here().started - 1000)
    folder = place / "touchstone-left"
    folder.mkdir()
    Registry(place / "home").write(Instance("abc", dead, folder, [Mark.of(left.pid)]))
    assert Registry(place / "home").clean() == 1
    assert left.wait(5) == -15
    assert not folder.exists()


def test_a_living_owner_is_left_alone(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        assert Registry(place / "home").clean() == 0
        assert redis.Redis.from_url(server.url).ping()
        assert Registry(place / "home").lives(transport_of(server.url))
    assert not Registry(place / "home").lives(transport_of(server.url))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_nothing(place: Path, number: int) -> None:
    root = Path(__file__).parents[2]
    code = "from services.interruption import ending_signals_raise\nwith ending_signals_raise():\n" + "".join(
        f"    {line}\n" for line in OWNER.strip().splitlines()
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(place / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
    _await_line(process)
    os.killpg(process.pid, number)
    assert process.wait(10) != 0
    assert gone(place)
    assert list(place.glob("touchstone-*")) == []
    assert list((place / "home").rglob("*.json")) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"transport": 1}', '{"owner": {"pid": "x"}}'])
def test_a_record_that_cannot_be_read_is_passed_over(place: Path, content: str) -> None:
    folder = place / "home" / "embedded"
    folder.mkdir(parents=True)
    (folder / "odd.json").write_text(content)
    assert Registry(place / "home").instances() == []


def test_only_an_instances_folder_is_ever_removed(place: Path) -> None:
    precious = place / "precious"
    precious.mkdir()
    link = place / "touchstone-link"
    link.symlink_to(precious)
    remove_folder(precious)
    remove_folder(link)
    assert precious.exists()
    link.unlink()


def test_records_hold_plain_values(place: Path) -> None:
    with EmbeddedRedis(place / "home") as server:
        path = next((place / "home" / "embedded").glob("*.json"))
        assert json.loads(path.read_text())["children"][0]["pid"] == server.pid
