"""Rates are kept in every window, by all processes together, and large requests are not starved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from gate_conformance import Endpoint, run

from services.embedded_redis import EmbeddedRedis
from services.rate_windows import GRAINS, RateWindows, _Window
from services.redis_gate import RedisGate
from services.shared_places import client_of


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(place / "home") as made:
        yield made


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with client_of(server.url) as made:
        yield made


def admitted(windows: list[RateWindows], sizes: list[int]) -> list[tuple[float, int]]:
    """When each request was admitted, and its size; requests go to the windows in turn."""
    seen: list[tuple[float, int]] = []

    async def one(number: int, size: int) -> None:
        await windows[number % len(windows)].take(size)
        seen.append((time.time(), size))

    async def all_of_them() -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(*(one(i, size) for i, size in enumerate(sizes)))

    asyncio.run(all_of_them())
    return seen


def busiest(seen: list[tuple[float, int]], seconds: float) -> int:
    """The most that any window of this length held."""
    return max(sum(size for at, size in seen if start <= at < start + seconds) for start, _ in seen)


def test_no_window_holds_more_requests_than_allowed_whoever_sends_them(client: redis.Redis) -> None:
    windows = [RateWindows(client, "endpoint", 10, 0, seconds=1) for _ in range(3)]
    seen = admitted(windows, [1] * 25)
    # A request is counted a moment before it is seen here.
    assert busiest(seen, 0.9) <= 10
    assert seen[-1][0] - seen[0][0] < 5


def test_no_window_holds_more_tokens_than_allowed(client: redis.Redis) -> None:
    windows = [RateWindows(client, "endpoint", 0, 1000, seconds=1) for _ in range(2)]
    seen = admitted(windows, [400, 300, 300, 200, 500, 400, 100, 100])
    assert busiest(seen, 0.9) <= 1000
    assert sum(size for _, size in seen) == 2300


def test_both_rates_are_kept(client: redis.Redis) -> None:
    seen = admitted([RateWindows(client, "endpoint", 4, 1000, seconds=1)], [400, 400, 10, 10, 10, 10])
    assert busiest(seen, 0.9) <= 1000
    assert busiest([(at, 1) for at, _ in seen], 0.9) <= 4


def test_a_request_larger_than_a_window_is_admitted_alone(client: redis.Redis) -> None:
    seen = admitted([RateWindows(client, "endpoint", 0, 100, seconds=1)], [10, 5000, 10])
    assert [size for _, size in seen] == [10, 5000, 10]
    assert seen[1][0] - seen[0][0] > 0.8
    assert seen[2][0] - seen[1][0] > 0.8


def test_requests_are_admitted_in_the_order_in_which_they_came(client: redis.Redis) -> None:
    sizes = [900, 800, 10, 20, 30]
    seen = admitted([RateWindows(client, "endpoint", 0, 1000, seconds=1)], sizes)
    assert [size for _, size in seen] == sizes


def test_what_is_not_limited_waits_for_nothing(client: redis.Redis) -> None:
    before = time.monotonic()
    admitted([RateWindows(client, "endpoint", 0, 0, seconds=1)], [10**9] * 50)
    assert time.monotonic() - before < 0.5
    assert client.keys("*") == []


@pytest.mark.parametrize(("amount", "tokens", "parts"), [(100, 7, 7), (100, 0, 1), (100, 1000, 100), (5, 1, 1)])
def test_small_windows_count_every_token(amount: int, tokens: int, parts: int) -> None:
    assert _Window.of(amount, 60, "x").parts(tokens) == parts


@pytest.mark.parametrize("amount", [20_000, 1_000_000, 123_456_789])
def test_large_windows_are_counted_in_grains_that_never_allow_more(amount: int) -> None:
    window = _Window.of(amount, 60, "x")
    assert window.item.amount <= 2 * GRAINS
    assert window.item.amount * window.grain <= amount
    assert window.parts(2000) * window.grain >= 2000


def test_a_gate_with_a_rate_admits_so_many_in_a_minute_and_keeps_the_rest_waiting(server: EmbeddedRedis) -> None:
    endpoint = Endpoint()

    async def call_seven(gate: RedisGate) -> None:
        calls = [asyncio.create_task(endpoint.call(gate)) for _ in range(7)]
        await asyncio.wait(calls, timeout=0.5)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert gate._using == 0, "who waits for the rate gives its place back, too"

    with RedisGate(server.url, "endpoint", 8, requests_per_minute=5) as gate:
        run(lambda: call_seven(gate))
    assert endpoint.calls == 5


def test_a_pause_holds_up_who_waits_for_the_rate(server: EmbeddedRedis) -> None:
    endpoint = Endpoint()

    async def pause_first(gate: RedisGate) -> None:
        gate.pause(0.3)
        before = time.monotonic()
        await endpoint.call(gate)
        assert time.monotonic() - before >= 0.3

    with RedisGate(server.url, "endpoint", 8, tokens_per_minute=5000) as gate:
        run(lambda: pause_first(gate))
