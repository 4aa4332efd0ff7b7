"""Keys as they are kept: hashed, listed without their secret, revoked for good, and rotated with an overlap."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from knowledge_base.errors import AccessDenied, Conflict, InputError, NotThere
from services.access.allowance import DailyAllowance
from services.access.audit import list_actions
from services.access.authenticator import authenticate
from services.access.identity import Identity
from services.access.keys import create_key, hash_of, list_keys, revoke_key, rotate_key
from services.access.tables import ApiKeyRow
from services.access.tokens import Token, parse_token
from services.database import Database
from services.tables import Tables

ADMIN = Identity(key="abc", name="ada", scopes=frozenset({"admin"}))


def everything_in(database: Database) -> str:
    """All that the database holds, as text."""
    with database.read() as connection:
        return str([connection.execute(table.select()).all() for table in Tables.metadata.sorted_tables])


def test_a_key_is_listed_with_all_that_was_said_of_it(database: Database) -> None:
    before = time.time()
    daily = DailyAllowance(calls=100, cost=2.5)
    made = create_key(database, "  ci   bot ", ["run", "annotate"], who=ADMIN, expires_in=60, per_minute=7, daily=daily)
    (key,) = list_keys(database)
    assert key == made.key
    assert (key.name, key.scopes, key.per_minute, key.daily) == ("ci bot", ("annotate", "run"), 7, daily)
    assert key.created_by == "ada (abc)"
    assert before <= key.created_at <= time.time()
    assert key.expires_at == pytest.approx(key.created_at + 60, abs=1)
    assert (key.revoked_at, key.last_used_at, key.replaced_by) == (None, None, "")


def test_the_secret_stands_neither_in_the_database_nor_in_a_representation(database: Database) -> None:
    made = create_key(database, "x", ["read"])
    secret = parse_token(made.token).secret
    held = everything_in(database)
    assert made.key.id in held
    assert secret not in held
    assert secret not in f"{made} {made!r} {list_keys(database)!r}"


def test_a_pepper_makes_another_hash_so_that_the_database_alone_lets_nobody_in(database: Database) -> None:
    made = create_key(database, "x", ["read"], pepper="pepper")
    token = parse_token(made.token)
    with database.read() as connection:
        held = connection.execute(select(ApiKeyRow.hash)).scalar_one()
    assert held == hash_of(token, "pepper") != hash_of(token, "")
    assert authenticate(database, made.token, "pepper").key == made.key.id
    with pytest.raises(AccessDenied):
        authenticate(database, made.token)


@given(st.text("ab", min_size=12, max_size=12), st.text("ab", min_size=32, max_size=32), st.text(max_size=5))
def test_a_hash_depends_on_every_part(name: str, secret: str, pepper: str) -> None:
    own = hash_of(Token(name, secret), pepper)
    others = [hash_of(Token(name, "c" + secret[1:]), pepper), hash_of(Token("c" + name[1:], secret), pepper)]
    assert own not in [*others, hash_of(Token(name, secret), pepper + "x")]
    assert len(own) == 64


@pytest.mark.parametrize(
    ("name", "scopes", "more", "told"),
    [
        ("", ["read"], {}, "will not do"),
        ("x" * 101, ["read"], {}, "1 to 100 printable"),
        ("a\x00b", ["read"], {}, "printable"),
        ("a\u202eb", ["read"], {}, "printable"),
        ("x", ["write"], {}, "'write' is unknown"),
        ("x", ["read"], {"expires_in": 0}, "time to come"),
        ("x", ["read"], {"expires_in": -5.0}, "time to come"),
        ("x", ["read"], {"expires_in": float("nan")}, "time to come"),
        ("x", ["read"], {"per_minute": 0}, "per_minute is 0"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_kept(
    database: Database, name: str, scopes: list[str], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        create_key(database, name, scopes, **more)
    assert list_keys(database) == ()
    assert list_actions(database).items == ()


def test_a_revoked_key_stays_on_the_list_and_stays_revoked(database: Database) -> None:
    made = create_key(database, "x", ["read"])
    first = revoke_key(database, made.key.id)
    assert revoke_key(database, made.key.id) == first
    assert [k.state(time.time()) for k in list_keys(database)] == ["revoked"]
    with pytest.raises(AccessDenied, match=r"'x' .* is revoked"):
        authenticate(database, made.token)


def test_a_key_that_is_not_there_can_be_neither_revoked_nor_rotated(database: Database) -> None:
    for do in (revoke_key, rotate_key):
        with pytest.raises(NotThere, match="no key 'nope'"):
            do(database, "nope")
    assert list_actions(database).items == ()
    assert list_keys(database) == ()


def test_after_rotation_both_keys_work_until_the_overlap_ends(database: Database) -> None:
    old = create_key(database, "x", ["run"], per_minute=9, daily=DailyAllowance(tokens=5))
    new = rotate_key(database, old.key.id, overlap=60)
    assert authenticate(database, old.token).scopes == authenticate(database, new.token).scopes == {"run", "read"}
    assert (new.key.name, new.key.per_minute, new.key.daily) == ("x", 9, DailyAllowance(tokens=5))
    (first, _) = list_keys(database)
    assert first.replaced_by == new.key.id
    assert first.expires_at == pytest.approx(time.time() + 60, abs=2)
    assert (first.state(time.time()), first.state(time.time() + 61)) == ("active", "expired")


def test_rotation_without_overlap_ends_the_old_key_and_names_the_new_one(database: Database) -> None:
    old = create_key(database, "x", ["run"])
    new = rotate_key(database, old.key.id, overlap=0)
    with pytest.raises(AccessDenied, match=f"is expired; use the key {new.key.id} that replaced it"):
        authenticate(database, old.token)


def test_rotation_never_lengthens_a_life_and_the_new_key_lives_as_long_as_the_old_was_made_to(
    database: Database,
) -> None:
    old = create_key(database, "x", ["run"], expires_in=30)
    new = rotate_key(database, old.key.id, overlap=3600)
    assert list_keys(database)[0].expires_at == old.key.expires_at
    assert new.key.expires_at == pytest.approx(time.time() + 30, abs=2)


@pytest.mark.parametrize("ended", ["revoked", "rotated"])
def test_a_key_that_has_ended_is_not_rotated(database: Database, ended: str) -> None:
    old = create_key(database, "x", ["run"])
    (revoke_key if ended == "revoked" else rotate_key)(database, old.key.id)
    keys = len(list_keys(database))
    with pytest.raises(Conflict, match=ended):
        rotate_key(database, old.key.id)
    assert len(list_keys(database)) == keys


def test_two_who_rotate_at_once_make_one_key(database: Database) -> None:
    old = create_key(database, "x", ["run"])
    faults: list[Exception] = []

    def rotate() -> None:
        try:
            rotate_key(database, old.key.id)
        except Conflict as error:
            faults.append(error)

    threads = [threading.Thread(target=rotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(faults), len(list_keys(database))) == (3, 2)


def test_everything_that_is_done_to_keys_is_on_record(database: Database) -> None:
    made = create_key(database, "x", ["run"], who=ADMIN)
    new = rotate_key(database, made.key.id, who=ADMIN)
    revoke_key(database, new.key.id, who=ADMIN)
    revoke_key(database, new.key.id, who=ADMIN)
    done = list_actions(database).items
    assert [(a.action, a.subject, a.key_name) for a in reversed(done)] == [
        ("key.created", made.key.id, "ada"),
        ("key.rotated", made.key.id, "ada"),
        ("key.revoked", new.key.id, "ada"),
    ]
    assert not any(secret in a.model_dump_json() for a in done for secret in (made.token, new.token))
