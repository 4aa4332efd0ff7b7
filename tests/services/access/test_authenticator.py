"""Good keys are known at once, others never, and nobody learns whether a key exists."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from knowledge_base.errors import AccessDenied
from services.access.authenticator import FRESH_SECONDS, MOST_REMEMBERED, USE_SECONDS, Authenticator, authenticate
from services.access.keys import create_key, list_keys, revoke_key
from services.access.tokens import Token, new_token, parse_token
from services.database import Database


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Statements:
    """Statements about keys that any database is sent."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __enter__(self) -> Statements:
        event.listen(Engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "api_keys" in statement:
            self.seen.append(statement)


def refusal(authenticator: Authenticator, token: str) -> AccessDenied:
    with pytest.raises(AccessDenied) as caught:
        authenticator.authenticate(token)
    return caught.value


def clocked(database: Database) -> tuple[Authenticator, Clock, str, str]:
    made = create_key(database, "x", ["annotate"], per_minute=5)
    clock = Clock(made.key.created_at + 1)
    return Authenticator(database, clock=clock), clock, made.token, made.key.id


def test_a_good_key_tells_who_sends_it(database: Database) -> None:
    authenticator, _, token, key = clocked(database)
    identity = authenticator.authenticate(token)
    assert (identity.key, identity.name, identity.per_minute) == (key, "x", 5)
    assert identity.scopes == {"annotate", "read"}


def test_unknown_key_and_wrong_secret_get_the_same_answer_after_the_same_statements(database: Database) -> None:
    authenticator, _, token, key = clocked(database)
    wrong = Token(key, new_token().secret).text
    with Statements() as first:
        unknown_told = refusal(authenticator, new_token().text)
    with Statements() as second:
        wrong_told = refusal(authenticator, wrong)
    assert (str(unknown_told), unknown_told.reason) == (str(wrong_told), "unauthenticated")
    assert first.seen == second.seen
    assert len(first.seen) == 1
    assert key not in str(wrong_told)
    assert authenticator.authenticate(token)


def test_a_mistyped_key_never_reaches_the_database(database: Database) -> None:
    authenticator, _, token, _ = clocked(database)
    with Statements() as statements:
        for wrong in (token[:-1], token[:-1] + ("0" if token[-1] != "0" else "1"), "", "tsk_", "Bearer " + token):
            refusal(authenticator, wrong)
    assert statements.seen == []


def test_a_revoked_key_works_no_longer_than_the_stated_time(database: Database) -> None:
    authenticator, clock, token, key = clocked(database)
    authenticator.authenticate(token)
    revoke_key(database, key)
    clock.now += FRESH_SECONDS - 0.1
    assert authenticator.authenticate(token)
    clock.now += 0.1
    assert "is revoked" in str(refusal(authenticator, token))
    clock.now -= 0.1
    refusal(authenticator, token)


def test_a_process_that_has_not_seen_the_key_refuses_a_revoked_one_at_once(database: Database) -> None:
    _, _, token, key = clocked(database)
    revoke_key(database, key)
    assert "is revoked" in str(refusal(Authenticator(database), token))


def test_a_key_expires_at_its_moment_even_while_it_is_believed(database: Database) -> None:
    made = create_key(database, "x", ["read"], expires_in=10)
    assert made.key.expires_at is not None
    clock = Clock(made.key.expires_at - 0.5)
    authenticator = Authenticator(database, clock=clock)
    authenticator.authenticate(made.token)
    clock.now += 0.5
    assert "is expired" in str(refusal(authenticator, made.token))


def test_the_end_of_a_key_is_told_only_to_who_has_it(database: Database) -> None:
    authenticator, _, _, key = clocked(database)
    revoke_key(database, key)
    assert "revoked" not in str(refusal(authenticator, Token(key, new_token().secret).text))


def test_a_believed_key_costs_no_statement(database: Database) -> None:
    authenticator, clock, token, _ = clocked(database)
    authenticator.authenticate(token)
    with Statements() as statements:
        for _ in range(50):
            clock.now += FRESH_SECONDS / 100
            authenticator.authenticate(token)
    assert statements.seen == []


def test_a_clock_that_was_set_back_makes_it_look_again(database: Database) -> None:
    authenticator, clock, token, key = clocked(database)
    authenticator.authenticate(token)
    revoke_key(database, key)
    clock.now -= 3600
    assert "is revoked" in str(refusal(authenticator, token))


def test_use_is_written_at_most_once_a_minute_by_all_processes_together(database: Database) -> None:
    authenticator, clock, token, _ = clocked(database)
    others = [authenticator, *(Authenticator(database, clock=clock) for _ in range(3))]
    first = clock.now
    with Statements() as statements:
        for _ in range(int(USE_SECONDS // 10)):
            for each in others:
                each.authenticate(token)
            clock.now += 10
    assert len([s for s in statements.seen if s.startswith("UPDATE")]) == 1
    assert list_keys(database)[0].last_used_at == first
    authenticator.authenticate(token)
    assert list_keys(database)[0].last_used_at == first + USE_SECONDS


def test_a_wrong_secret_is_no_use(database: Database) -> None:
    authenticator, _, _, key = clocked(database)
    refusal(authenticator, Token(key, new_token().secret).text)
    assert list_keys(database)[0].last_used_at is None


def test_what_was_once_good_is_known_and_what_failed_is_not(database: Database) -> None:
    authenticator, clock, token, key = clocked(database)
    stranger = new_token().text
    assert not authenticator.knows(token)
    authenticator.authenticate(token)
    refusal(authenticator, stranger)
    clock.now += 1000
    assert (authenticator.knows(token), authenticator.knows(stranger)) == (True, False)
    revoke_key(database, key)
    refusal(authenticator, token)
    assert not authenticator.knows(token)


def test_memory_is_bounded_and_holds_no_key(database: Database) -> None:
    authenticator, _, token, _ = clocked(database)
    authenticator.authenticate(token)
    for _ in range(200):
        refusal(authenticator, new_token().text)
    assert len(authenticator._seen) == 1 < MOST_REMEMBERED
    assert parse_token(token).secret not in repr(authenticator._seen)


def test_many_threads_may_ask_at_once(database: Database) -> None:
    tokens = [create_key(database, f"k{i}", ["read"]).token for i in range(4)]
    found: list[str] = []

    def ask(token: str) -> None:
        found.extend(authenticate(database, token).name for _ in range(20))

    threads = [threading.Thread(target=ask, args=(t,)) for t in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"k{i}" for i in range(4) for _ in range(20))


def test_a_process_keeps_one_authenticator_for_a_database(database: Database) -> None:
    made = create_key(database, "x", ["read"])
    authenticate(database, made.token)
    with Statements() as statements:
        authenticate(database, made.token)
    assert statements.seen == []
    again = Database(database.url.render_as_string(hide_password=False))
    assert authenticate(again, made.token).name == "x"
    again.close()
