"""The gate over all processes keeps every gate's promises, and those that need several processes to break."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import redis
from gate_conformance import Endpoint, GateConformance, GateWorld, call_often, run, until

from agents.chat.gate import Gate
from knowledge_base.errors import RunError
from services import redis_gate
from services.embedded_redis import EmbeddedRedis
from services.redis_gate import LEASE_SECONDS, RedisGate
from services.shared_places import Grant

LEASE = 1.0
"""Seconds for which the share of a process stands here: tests must not wait long for the dead."""

CALLER = Path(__file__).with_name("gate_caller.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(place / "home") as made:
        yield made


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url, decode_responses=True) as made:
        yield made


class RedisWorld:
    """Gates over one server, each to an endpoint of its own."""

    def __init__(self, url: str) -> None:
        self.url, self.made = url, list[RedisGate]()
        self._names = count()

    def gate(self, in_flight: int) -> Gate:
        self.made.append(RedisGate(self.url, f"https://endpoint/{next(self._names)}", in_flight))
        return self.made[-1]


class TestRedisGate(GateConformance):
    """See `GateConformance`."""

    @pytest.fixture
    def world(self, server: EmbeddedRedis) -> Iterator[GateWorld]:
        world = RedisWorld(server.url)
        yield world
        for gate in world.made:
            gate.close()


class Callers:
    """Processes that call one endpoint through gates of their own."""

    def __init__(self, url: str, places: int) -> None:
        self._url, self._places, self._processes = url, places, list[subprocess.Popen[bytes]]()

    def start(self, name: str, at_once: int, seconds: float, calls: int) -> subprocess.Popen[bytes]:
        told = [self._url, "endpoint", self._places, at_once, seconds, calls, name, LEASE]
        process = subprocess.Popen(
            [sys.executable, str(CALLER), *map(str, told)], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture
def callers(server: EmbeddedRedis) -> Iterator[Callable[[int], Callers]]:
    made: list[Callers] = []

    def make(places: int) -> Callers:
        made.append(Callers(server.url, places))
        return made[-1]

    yield make
    for each in made:
        each.end()


def begun(client: redis.Redis, name: str) -> list[float]:
    """When the calls of a process began."""
    return [float(at) for at in client.lrange(f"seen:begun:{name}", 0, -1)]


def most(client: redis.Redis) -> int:
    """The most calls that were ever under way."""
    return int(client.get("seen:most") or 0)


def await_calls(client: redis.Redis, name: str, calls: int) -> None:
    until = time.monotonic() + 20
    while len(begun(client, name)) < calls and time.monotonic() < until:
        time.sleep(0.01)
    assert len(begun(client, name)) >= calls


def holders(client: redis.Redis) -> int:
    """Processes that hold places, at any endpoint."""
    return sum(client.hlen(key) for key in client.scan_iter("touchstone:gate:*:places"))


def test_processes_together_never_exceed_the_limit_and_keep_the_endpoint_busy(
    client: redis.Redis, callers: Callable[[int], Callers]
) -> None:
    together, calls = callers(12), 160
    processes = [together.start(name, 12, 0.05, calls) for name in "abc"]
    assert [p.wait(60) for p in processes] == [0, 0, 0]
    assert most(client) == 12
    times = sorted(t for name in "abc" for t in begun(client, name))
    # From the moment that all are there until the first has none left.
    together_from = max(begun(client, name)[0] for name in "abc")
    together_until = min(begun(client, name)[-1] for name in "abc")
    amid = [t for t in times if together_from <= t <= together_until]
    ideal = len(amid) * 0.05 / 12
    assert ideal / (together_until - together_from) > 0.7, "a busy machine makes calls longer, not gaps between them"


def test_each_of_several_gets_its_share(client: redis.Redis, callers: Callable[[int], Callers]) -> None:
    together = callers(8)
    first, second = (together.start(name, 40, 0.05, 0) for name in "ab")
    for name in "ab":
        await_calls(client, name, 30)
    since = time.time() + 0.3
    time.sleep(1.5)
    first.kill()
    second.kill()
    a, b = (sum(t > since for t in begun(client, name)) for name in "ab")
    assert 0.75 < a / b < 1.33


def test_a_newcomer_gets_its_share_as_calls_of_the_others_end(
    client: redis.Redis, callers: Callable[[int], Callers]
) -> None:
    together = callers(6)
    together.start("old", 50, 0.1, 0)
    await_calls(client, "old", 12)
    together.start("new", 50, 0.1, 0)
    await_calls(client, "new", 1)
    arrived = begun(client, "new")[0]
    await_calls(client, "new", 30)
    in_time = [t for t in begun(client, "new") if t < arrived + 1.2]
    assert len(in_time) >= 20, "a third of the 60 calls that the endpoint takes in this time, at least"
    assert most(client) == 6


def test_more_processes_than_places_take_turns(client: redis.Redis, callers: Callable[[int], Callers]) -> None:
    together = callers(1)
    for name in "abc":
        together.start(name, 3, 0.02, 0)
    for name in "abc":
        await_calls(client, name, 3)
    assert most(client) == 1


def test_a_killed_process_gives_its_share_back(client: redis.Redis, callers: Callable[[int], Callers]) -> None:
    together = callers(4)
    doomed = together.start("doomed", 4, 60, 0)
    await_calls(client, "doomed", 4)
    doomed.kill()
    killed = time.time()
    client.set("seen:now", 0)
    together.start("heir", 4, 0.05, 0)
    await_calls(client, "heir", 8)
    assert begun(client, "heir")[3] - killed < LEASE + 2.0


def test_what_one_does_not_use_the_others_borrow(client: redis.Redis, callers: Callable[[int], Callers]) -> None:
    together = callers(10)
    together.start("idle", 1, 0.05, 0)
    together.start("busy", 30, 0.05, 0)
    await_calls(client, "busy", 100)
    levels = [int(x) for x in client.lrange("seen:levels", -40, -1)]
    assert max(levels) >= 9, "equal shares would be 5 and 1"


def test_an_idle_process_holds_nothing(server: EmbeddedRedis, client: redis.Redis) -> None:
    with RedisGate(server.url, "endpoint", 4) as gate:
        run(lambda: call_often(Endpoint(), gate, 8))
        until = time.monotonic() + 5
        while holders(client) and time.monotonic() < until:
            time.sleep(0.02)
        assert holders(client) == 0
        run(lambda: call_often(Endpoint(), gate, 8))


def test_a_closed_gate_holds_nothing(server: EmbeddedRedis, client: redis.Redis) -> None:
    with RedisGate(server.url, "endpoint", 4) as gate:
        run(lambda: call_often(Endpoint(), gate, 8))
        assert holders(client) == 1
    assert holders(client) == 0


def test_a_pause_is_kept_by_all_processes(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "endpoint", 4) as one, RedisGate(server.url, "endpoint", 4) as other:
        one.pause(0.6)
        before = time.monotonic()
        time.sleep(0.1)
        endpoint = Endpoint()
        run(lambda: call_often(endpoint, other, 4))
        assert 0.5 < endpoint.begun[0] - before < 1.5


def test_a_pause_reaches_a_process_amid_its_calls(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "endpoint", 4) as one, RedisGate(server.url, "endpoint", 4) as other:
        endpoint = Endpoint(0.01)

        async def pause_amid() -> float:
            calls = asyncio.create_task(call_often(endpoint, other, 200))
            await asyncio.sleep(0.2)
            one.pause(0.8)
            asked = time.monotonic()
            await calls
            return asked

        asked = asyncio.run(pause_amid())
        gaps = [b - a for a, b in zip(endpoint.begun, endpoint.begun[1:], strict=False)]
        assert max(gaps) > 0.4
        assert [t for t in endpoint.begun if asked + 0.35 < t < asked + 0.75] == []


def test_endpoints_do_not_share_limits(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "one", 1) as one, RedisGate(server.url, "other", 1) as other:
        endpoint = Endpoint(0.2)

        async def call_both() -> None:
            await asyncio.gather(endpoint.call(one), endpoint.call(other))

        run(call_both)
        assert endpoint.most == 2


def test_event_loops_in_threads_of_one_process_share_a_gate(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "endpoint", 3) as gate:
        endpoint = Endpoint(0.01)
        threads = [threading.Thread(target=run, args=(lambda: call_often(endpoint, gate, 30),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (endpoint.calls, endpoint.most) == (90, 3)


def test_what_redis_forgets_is_granted_anew_within_the_limit(
    client: redis.Redis, callers: Callable[[int], Callers]
) -> None:
    together = callers(6)
    for name in "ab":
        together.start(name, 20, 0.05, 0)
    for name in "ab":
        await_calls(client, name, 20)
    for key in list(client.scan_iter("touchstone:gate:*")):
        client.delete(key)
    forgotten = time.time()
    time.sleep(LEASE + 0.5)
    levels = [int(x) for x in client.lrange("seen:levels", 0, -1)]
    assert max(levels[-100:]) == 6
    assert min(sum(t > forgotten + 0.5 for t in begun(client, name)) for name in "ab") > 20
    assert most(client) <= 12


def test_calls_go_on_after_redis_was_started_anew(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "endpoint", 2) as gate:
        endpoint = Endpoint(0.01)
        run(lambda: call_often(endpoint, gate, 6))
        os.kill(server.pid, 9)
        assert server._process is not None
        server._process.wait()
        assert server.tend()
        run(lambda: call_often(endpoint, gate, 6))
        assert endpoint.calls == 12


def test_calls_that_wait_for_a_lost_server_are_given_up_with_the_reason(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_gate, "PATIENCE", 0.5)
    gate = RedisGate(f"unix://{place}/nobody.sock", "endpoint", 2)
    with pytest.raises(RunError, match=r"Redis has not answered for 0 s .*nobody\.sock"):
        run(lambda: Endpoint().call(gate))
    gate.close()


def test_a_stalled_process_trusts_its_share_no_longer_than_others_do(
    server: EmbeddedRedis, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its renewals stop, as those of a process that the machine has put to sleep; its calls would go on."""
    with RedisGate(server.url, "endpoint", 2) as gate:
        run(lambda: call_often(Endpoint(), gate, 4))
        with gate._changed:
            gate._next = time.monotonic() + 60
        until = gate._until
        assert until - time.monotonic() < LEASE_SECONDS
        monkeypatch.setattr(gate, "_ask_now", lambda: None)
        monkeypatch.setattr(time, "monotonic", lambda: until + 0.01)
        assert not gate._open


def test_nothing_is_added_to_what_is_under_way_while_redis_is_asked(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer may be that the share has shrunk: Redis would then count less than there is."""
    with RedisGate(server.url, "endpoint", 8) as gate:
        asking, answer, genuine = threading.Event(), threading.Event(), gate._places.ask

        def ask_slowly(using: int, wanted: int, pause: float = 0.0) -> Grant:
            asking.set()
            assert answer.wait(10)
            return genuine(using, wanted, pause)

        async def call_meanwhile() -> None:
            endpoint = Endpoint(0.3)
            first = [asyncio.create_task(endpoint.call(gate)) for _ in range(2)]
            await until(lambda: endpoint.now == 2)
            monkeypatch.setattr(gate._places, "ask", ask_slowly)
            await until(asking.is_set)
            later = [asyncio.create_task(endpoint.call(gate)) for _ in range(4)]
            await asyncio.sleep(0.05)
            under_way = endpoint.now
            answer.set()
            await asyncio.gather(*first, *later)
            assert under_way <= 2
            assert endpoint.calls == 6

        run(lambda: call_often(Endpoint(), gate, 8))
        run(call_meanwhile)


@pytest.mark.slow
def test_a_call_costs_microseconds(server: EmbeddedRedis) -> None:
    with RedisGate(server.url, "endpoint", 64) as gate:

        async def call_many() -> float:
            async def go_on() -> None:
                for _ in range(400):
                    async with gate.admit(10):
                        await asyncio.sleep(0)

            before = time.process_time()
            await asyncio.gather(*(go_on() for _ in range(64)))
            return (time.process_time() - before) / (400 * 64)

        assert asyncio.run(call_many()) < 100e-6
