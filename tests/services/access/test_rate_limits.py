"""No minute holds more requests than allowed, whichever process counts them, and an outage of Redis closes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from knowledge_base.errors import AccessDenied
from services.access import rate_limits
from services.access.rate_limits import MOST_COUNTED, WINDOW_SECONDS, RequestLimits
from services.embedded_redis import EmbeddedRedis
from services.shared_places import client_of


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(place / "home") as made:
        yield made


@pytest.fixture
def shared(server: EmbeddedRedis) -> Iterator[RequestLimits]:
    made = RequestLimits(server.url)
    yield made
    made.close()


def stop(server: EmbeddedRedis) -> None:
    with client_of(server.url) as client, suppress(redis.ConnectionError):
        client.shutdown(nosave=True)
    assert server._process is not None
    server._process.wait(5)


def taken(limits: RequestLimits, name: str, per_minute: int, times: int) -> int:
    """How many of so many requests were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            limits.take("requests", name, per_minute)
            allowed += 1
        except AccessDenied:
            pass
    return allowed


def test_a_request_too_many_is_refused_and_told_when_to_come_back(shared: RequestLimits) -> None:
    standings = [shared.take("requests", "k", 3) for _ in range(3)]
    assert [s.remaining for s in standings] == [2, 1, 0]
    assert all(s.limit == 3 and WINDOW_SECONDS - 5 < s.reset <= WINDOW_SECONDS for s in standings)
    with pytest.raises(AccessDenied, match="3 requests a minute are allowed") as caught:
        shared.take("requests", "k", 3)
    assert caught.value.reason == "limited"
    assert caught.value.retry_after is not None
    assert WINDOW_SECONDS - 5 < caught.value.retry_after <= WINDOW_SECONDS


def test_processes_count_together_and_keys_apart(server: EmbeddedRedis, shared: RequestLimits) -> None:
    other = RequestLimits(server.url)
    assert taken(shared, "k", 10, 6) + taken(other, "k", 10, 6) == 10
    assert taken(other, "another", 10, 3) == 3
    other.close()


def test_threads_that_ask_at_once_get_no_more_than_allowed(shared: RequestLimits) -> None:
    allowed: list[int] = []
    threads = [threading.Thread(target=lambda: allowed.append(taken(shared, "k", 25, 10))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 25


def test_kinds_are_counted_apart_and_looking_counts_nothing(shared: RequestLimits) -> None:
    shared.take("requests", "k", 1)
    for _ in range(5):
        assert shared.look("failures", "k", 1).remaining == 1
        shared.check("failures", "k", 1)
    with pytest.raises(AccessDenied):
        shared.check("requests", "k", 1)


def test_what_is_counted_leaves_redis_by_itself(server: EmbeddedRedis, shared: RequestLimits) -> None:
    shared.take("requests", "k", 5)
    with client_of(server.url) as client:
        keys = list(client.scan_iter("*"))
        lasting: list[Any] = [client.ttl(key) for key in keys]
        assert keys
        assert all(0 < lasts <= WINDOW_SECONDS + 1 for lasts in lasting)


def test_without_a_server_a_process_counts_by_itself() -> None:
    assert taken(RequestLimits(), "k", 4, 9) == 4


def test_while_redis_is_away_requests_go_on_and_are_still_limited(server: EmbeddedRedis, shared: RequestLimits) -> None:
    assert taken(shared, "k", 5, 2) == 2
    stop(server)
    assert taken(shared, "k", 5, 9) == 5


def test_once_redis_is_back_it_counts_again(
    server: EmbeddedRedis, shared: RequestLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "RETRY_SECONDS", 0.0)
    stop(server)
    assert taken(shared, "k", 5, 1) == 1
    assert server.tend()
    assert taken(shared, "k", 5, 9) == 5
    with client_of(server.url) as client:
        assert list(client.scan_iter("*"))


def test_names_without_end_do_not_fill_the_memory() -> None:
    limits = RequestLimits()
    for number in range(MOST_COUNTED + 10):
        limits._memory.events[f"name {number}"] = []
    limits.take("requests", "k", 5)
    assert len(limits._memory.events) <= 1
