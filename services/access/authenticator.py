"""From the text of a key to who sends it, quickly and without telling anybody anything.

A key that proved good is believed for `FRESH_SECONDS` without another look: that is how long a revoked key may go on
working, in each process on its own. What expires, expires at its moment.

An unknown key and a known one with a wrong secret take the same steps (one look by primary key, one hash, one
comparison in constant time) and get the same answer, so that neither time nor words tell whether a key exists.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from knowledge_base.errors import AccessDenied
from services.access.identity import Identity
from services.access.keys import Key, hash_of, key_of
from services.access.tables import ApiKeyRow
from services.access.tokens import Token, parse_token
from services.database import Database

FRESH_SECONDS = 5.0
"""How long a key is believed after it was looked up; a revocation takes effect within this time."""

MOST_REMEMBERED = 4096
MOST_STANDING = 8
USE_SECONDS = 60.0
"""How old `last_used_at` may become before it is written again."""

NOBODY = "0" * 64
"""What an unknown key is compared with; no hash is like it."""

UNKNOWN = "the API key is not known to this server; `touchstone keys list` shows those there are"


@dataclass(frozen=True)
class _Seen:
    """A key that was good when it was looked up, at a moment of the clock."""

    key: Key
    identity: Identity
    at: float


class Authenticator:
    """Authenticates for one process; may be used by many threads.

    Args:
        database: of the keys.
        pepper: as when the keys were made.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, pepper: str = "", clock: Callable[[], float] = time.time) -> None:
        self.database, self._pepper, self._clock = database, pepper, clock
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def authenticate(self, token: str) -> Identity:
        """Who sends this key.

        Raises:
            AccessDenied: it is no key, is not known, has expired or was revoked; `reason` is `unauthenticated`.
        """
        now, digest = self._clock(), _digest(token)
        with self._lock:
            seen = self._seen.get(digest)
        if seen is None or not 0 <= now - seen.at < FRESH_SECONDS:
            seen = self._look_up(parse_token(token), digest, now)
        self._refuse_ended(seen.key, now)
        return seen.identity

    def knows(self, token: str) -> bool:
        """Whether this key was good when this process last looked it up, however long ago."""
        with self._lock:
            return _digest(token) in self._seen

    def _look_up(self, token: Token, digest: bytes, now: float) -> _Seen:
        columns: list[Any] = list(ApiKeyRow.__table__.columns)
        with self.database.read() as connection:
            row = connection.execute(select(*columns).where(ApiKeyRow.id == token.id)).one_or_none()
        good = hmac.compare_digest(row.hash if row is not None else NOBODY, hash_of(token, self._pepper))
        with self._lock:
            self._seen.pop(digest, None)
        if row is None or not good:
            raise AccessDenied(UNKNOWN, reason="unauthenticated")
        key = key_of(row)
        self._refuse_ended(key, now)
        self._note_use(key, now)
        return self._remember(digest, _Seen(key, key.identity, now))

    def _refuse_ended(self, key: Key, now: float) -> None:
        state = key.state(now)
        if state != "active":
            remedy = f"use the key {key.replaced_by} that replaced it" if key.replaced_by else "have another made"
            raise AccessDenied(f"the API key {key.name!r} ({key.id}) is {state}; {remedy}", reason="unauthenticated")

    def _remember(self, digest: bytes, seen: _Seen) -> _Seen:
        with self._lock:
            self._seen[digest] = seen
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return seen

    def _note_use(self, key: Key, now: float) -> None:
        """Write down that it was used, at most once a minute whatever the number of processes."""
        if (key.last_used_at or 0.0) > now - USE_SECONDS:
            return
        stale = update(ApiKeyRow).where(ApiKeyRow.id == key.id, ApiKeyRow.last_used_at <= now - USE_SECONDS)
        # A disk that is full must not lock out who came to make room on it.
        with suppress(DatabaseError), self.database.write() as connection:
            connection.execute(stale.values(last_used_at=now))


_standing: dict[tuple[str, str], Authenticator] = {}
_standing_lock = threading.Lock()


def authenticate(database: Database, token: str, pepper: str = "") -> Identity:
    """Who sends this key, by the authenticator that this process keeps for the database.

    Raises:
        AccessDenied: see `Authenticator.authenticate`.
    """
    return standing_authenticator(database, pepper).authenticate(token)


def standing_authenticator(database: Database, pepper: str = "") -> Authenticator:
    """The authenticator that this process keeps for a database, so that what it has seen serves everybody."""
    place = (database.url.render_as_string(hide_password=False), pepper)
    with _standing_lock:
        # Another object for the same database: this process was forked, or the first one was closed.
        if place not in _standing or _standing[place].database is not database:
            _standing.pop(place, None)
            _standing[place] = Authenticator(database, pepper)
            while len(_standing) > MOST_STANDING:
                del _standing[next(iter(_standing))]
        return _standing[place]


def _digest(token: str) -> bytes:
    """What a key is remembered by, so that no good key lies about in memory for longer than it is looked at."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
