"""All looks at a request together: keys, local access, limits, and who may be locked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from knowledge_base.errors import AccessDenied
from services.access.doorkeeper import Doorkeeper, _neighbourhood
from services.access.identity import LOCAL
from services.access.keys import create_key, revoke_key
from services.access.local_access import RequestFacts
from services.access.settings import AccessSettings
from services.access.tokens import new_token
from services.database import Database

HERE = RequestFacts(peer="127.0.0.1", host="localhost:8400")
Open = Callable[..., Doorkeeper]


@pytest.fixture
def opened(database: Database) -> Iterator[Open]:
    made: list[Doorkeeper] = []

    def make(**settings: object) -> Doorkeeper:
        made.append(Doorkeeper(database, AccessSettings.model_validate(settings)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def having(token: str, peer: str = "203.0.113.7", **more: str) -> RequestFacts:
    return RequestFacts(peer=peer, host="touchstone.example", token=token, **more)


def reason(door: Doorkeeper, facts: RequestFacts) -> str:
    with pytest.raises(AccessDenied) as caught:
        door.admit(facts)
    return caught.value.reason


def test_without_keys_who_sits_here_is_let_in_and_nobody_else(opened: Open) -> None:
    door = opened()
    assert door.admit(HERE).identity is LOCAL
    assert reason(door, RequestFacts(peer="203.0.113.7", host="localhost")) == "unauthenticated"
    assert reason(door, RequestFacts(peer="127.0.0.1", host="evil.example")) == "unauthenticated"


def test_the_first_key_closes_the_door_and_its_end_does_not_open_it(opened: Open, database: Database) -> None:
    door = opened()
    assert door.admit(HERE).identity is LOCAL
    made = create_key(database, "x", ["read"])
    assert reason(door, HERE) == "unauthenticated"
    revoke_key(database, made.key.id)
    assert reason(door, HERE) == "unauthenticated"
    assert reason(opened(), HERE) == "unauthenticated"


@pytest.mark.parametrize(
    "settings", [{"public": True}, {"api_host": "0.0.0.0"}, {"trusted_proxies": "127.0.0.1/32"}], ids=str
)
def test_a_server_that_others_can_reach_never_lets_anybody_in_without_a_key(
    opened: Open, settings: dict[str, object]
) -> None:
    assert reason(opened(**settings), HERE) == "unauthenticated"


def test_a_wrong_key_is_refused_even_where_none_is_needed(opened: Open) -> None:
    assert reason(opened(), HERE.model_copy(update={"token": new_token().text})) == "unauthenticated"


def test_a_key_is_let_in_from_anywhere_with_its_standing(opened: Open, database: Database) -> None:
    limited = create_key(database, "x", ["read"], per_minute=2)
    free = create_key(database, "y", ["read"])
    door = opened()
    first = door.admit(having(limited.token))
    assert (first.identity.key, first.address) == (limited.key.id, "203.0.113.7")
    assert first.standing is not None
    assert (first.standing.limit, first.standing.remaining) == (2, 1)
    door.admit(having(limited.token))
    assert reason(door, having(limited.token)) == "limited"
    assert door.admit(having(free.token)).standing is None


def test_a_pepper_is_heeded(opened: Open, database: Database) -> None:
    made = create_key(database, "x", ["read"], pepper="a pepper")
    assert opened(key_pepper="a pepper").admit(having(made.token)).identity.name == "x"
    assert reason(opened(), having(made.token)) == "unauthenticated"


def test_an_address_with_many_failures_is_kept_out_and_others_are_not(opened: Open, database: Database) -> None:
    made = create_key(database, "x", ["read"])
    door = opened(failures_per_minute=5)
    assert [reason(door, having(new_token().text)) for _ in range(7)] == ["unauthenticated"] * 5 + ["limited"] * 2
    assert reason(door, having(made.token)) == "limited"
    assert reason(door, having("tsk_", peer="203.0.113.8")) == "unauthenticated"
    assert door.admit(having(made.token, peer="203.0.113.8")).identity.name == "x"


def test_a_key_that_was_good_before_is_not_locked_out_by_its_neighbours(opened: Open, database: Database) -> None:
    made = create_key(database, "x", ["read"])
    door = opened(failures_per_minute=2)
    door.admit(having(made.token))
    for _ in range(4):
        reason(door, having(new_token().text))
    assert door.admit(having(made.token)).identity.name == "x"


def test_requests_without_a_key_are_no_attempts(opened: Open, database: Database) -> None:
    made = create_key(database, "x", ["read"])
    door = opened(failures_per_minute=2)
    assert {reason(door, having("")) for _ in range(10)} == {"unauthenticated"}
    assert door.admit(having(made.token)).identity.name == "x"


def test_behind_a_trusted_proxy_the_client_is_who_is_counted(opened: Open) -> None:
    door = opened(failures_per_minute=2, trusted_proxies="10.0.0.0/8")

    def attempt(client: str) -> str:
        return reason(door, having(new_token().text, peer="10.0.0.1", forwarded_for=client))

    assert [attempt("198.51.100.1") for _ in range(3)] == ["unauthenticated", "unauthenticated", "limited"]
    assert attempt("198.51.100.2") == "unauthenticated"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_failures_are_counted_by_what_one_machine_has(address: str, counted: str) -> None:
    assert _neighbourhood(address) == counted
