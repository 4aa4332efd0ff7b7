"""Places are never granted twice, are shared out fairly, and come back from the dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import shared_places
from services.embedded_redis import EmbeddedRedis
from services.shared_places import Grant, SharedPlaces, client_of, key_of

New = Callable[..., SharedPlaces]

ENDPOINTS = count()
SHARED_SERVER = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def client(place: Path) -> Iterator[redis.Redis]:
    with EmbeddedRedis(place / "home") as server, client_of(server.url) as made:
        yield made


@pytest.fixture
def new(client: redis.Redis) -> New:
    def make(holder: str, limit: int = 8, endpoint: str = "one", lease: float = 5.0) -> SharedPlaces:
        return SharedPlaces(client, endpoint, holder, limit, lease)

    return make


def fair_shares(wants: Sequence[int], limit: int) -> list[int]:
    """Max-min fair shares in whole places, least wants first; which of the equal ones gets one more is left open."""
    shares, left = [0] * len(wants), limit
    while left and any(s < w for s, w in zip(shares, wants, strict=True)):
        lowest = min(s for s, w in zip(shares, wants, strict=True) if s < w)
        for i, want in enumerate(wants):
            if left and shares[i] == lowest < want:
                shares[i] += 1
                left -= 1
    return sorted(shares)


def test_one_alone_gets_what_it_wants_up_to_the_limit(new: New) -> None:
    one = new("a")
    assert one.ask(0, 3) == Grant(3, 3, contested=False, holders=1, pause=0.0)
    assert one.ask(0, 30).places == 8


def test_what_another_may_use_is_not_granted(new: New) -> None:
    new("a").ask(0, 8)
    late = new("b").ask(0, 8)
    assert (late.places, late.target) == (0, 4)


def test_what_another_still_uses_is_not_granted_though_less_is_granted_to_it_now(new: New) -> None:
    a, b = new("a"), new("b")
    a.ask(0, 8)
    b.ask(0, 8)
    assert a.ask(7, 8).places == 4
    assert b.ask(0, 8).places == 1
    a.ask(4, 8)
    assert b.ask(1, 8).places == 4


def test_who_wants_more_than_it_has_is_told_to_the_others(new: New) -> None:
    a, b = new("a"), new("b")
    assert not a.ask(0, 8).contested
    b.ask(0, 8)
    assert a.ask(8, 8).contested


def test_whoever_uses_and_wants_nothing_holds_nothing(new: New, client: redis.Redis) -> None:
    one = new("a")
    one.ask(0, 8)
    assert one.ask(0, 0).places == 0
    assert client.hlen(f"{key_of('one')}:places") == 0


def test_a_dead_holders_places_come_back_when_its_lease_ends(new: New) -> None:
    new("dead", lease=0.3).ask(8, 8)
    heir = new("heir")
    assert heir.ask(0, 8).places == 0
    time.sleep(0.35)
    assert heir.ask(0, 8).places == 8


def test_nothing_stays_on_the_server_once_all_are_gone(new: New, client: redis.Redis) -> None:
    new("a", lease=0.1).ask(1, 8, pause=0.1)
    time.sleep(0.2)
    assert client.keys("touchstone:*") == []


def test_endpoints_of_any_name_are_kept_apart(new: New) -> None:
    names = ["https://one/v1", "https://two/v1", "", "ünï {x} \n", "x" * 10_000]
    assert [new("a", endpoint=name).ask(0, 8).places for name in names] == [8] * 5


def test_more_holders_than_places_all_get_their_turn(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_places, "TURN_SECONDS", 0.02)
    holders = [new(name, limit=2) for name in "abcde"]
    seen: set[int] = set()
    until = time.monotonic() + 5
    while len(seen) < 5 and time.monotonic() < until:
        granted = [h.ask(0, 3).places for h in holders]
        assert sum(h.ask(0, 3).places for h in holders) <= 2
        seen |= {i for i, places in enumerate(granted) if places}
    assert seen == {0, 1, 2, 3, 4}


def test_the_longest_pause_counts_and_everyone_is_told(new: New) -> None:
    a, b = new("a"), new("b")
    assert a.ask(0, 1, pause=5.0).pause == pytest.approx(5.0, abs=0.5)
    assert b.ask(0, 1, pause=0.5).pause == pytest.approx(5.0, abs=0.5)
    assert b.ask(0, 1).pause > 4


def test_a_record_that_cannot_be_read_is_dropped(new: New, client: redis.Redis) -> None:
    client.hset(f"{key_of('one')}:places", "odd", "what is this")
    assert new("a").ask(0, 8).places == 8
    assert client.hkeys(f"{key_of('one')}:places") == [b"a"]


@SHARED_SERVER
@given(wants=st.lists(st.integers(1, 40), min_size=1, max_size=7), limit=st.integers(1, 60))
def test_shares_are_fair_once_everyone_has_asked(new: New, wants: list[int], limit: int) -> None:
    endpoint = str(next(ENDPOINTS))
    holders = [new(f"h{i}", limit, endpoint) for i in range(len(wants))]
    for _ in range(2):
        _ = [h.ask(0, want) for h, want in zip(holders, wants, strict=True)]
    places = [h.ask(0, want).places for h, want in zip(holders, wants, strict=True)]
    assert sum(places) <= limit
    # A turn may have passed from one to another between two askings, which costs each a place at most.
    expected = fair_shares(wants, limit)
    assert all(abs(a - b) <= 1 for a, b in zip(sorted(places), expected, strict=True))
    assert sum(expected) - sum(places) <= len(wants)


@dataclass(eq=False)
class Holder:
    """A process: what it uses, and what it may use."""

    places: SharedPlaces
    using: int = 0
    granted: int = 0


@SHARED_SERVER
@given(limit=st.integers(1, 10), data=st.data())
def test_no_course_of_events_exceeds_the_limit(new: New, limit: int, data: st.DataObject) -> None:
    """Holders use no more than they were granted, keep using what they had begun to use, and die without a word."""
    endpoint, names = str(next(ENDPOINTS)), count()
    alive = [Holder(new(f"h{next(names)}", limit, endpoint)) for _ in range(3)]
    dead_using = 0
    for _ in range(data.draw(st.integers(1, 25))):
        holder = data.draw(st.sampled_from(alive))
        action = data.draw(st.sampled_from(["ask", "ask", "use", "end", "die"]))
        if action == "ask":
            wanted = data.draw(st.integers(holder.using, holder.using + 12))
            holder.granted = holder.places.ask(holder.using, wanted).places
        elif action == "use" and holder.using < holder.granted:
            holder.using = data.draw(st.integers(holder.using, holder.granted))
        elif action == "end":
            holder.using = data.draw(st.integers(0, holder.using))
        elif action == "die":
            dead_using += holder.using
            alive.remove(holder)
            alive.append(Holder(new(f"h{next(names)}", limit, endpoint)))
        assert sum(max(h.using, h.granted) for h in alive) + dead_using <= limit
