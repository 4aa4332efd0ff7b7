"""API keys: made, listed, revoked, rotated. A key itself is shown once, when it is made; the database holds its hash.

The hash is HMAC-SHA256 of the whole key under the server's pepper (empty by default). A slow hash such as Argon2 is for
secrets that people choose: it makes each guess dear. Nobody guesses 190 random bits however fast the hash is, and a
slow one would let anybody without a key keep the server busy. The pepper (`TOUCHSTONE_KEY_PEPPER`) is for whoever fears
that somebody may write to the database and put a hash of their own there: without the pepper that is no use.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, insert, select, update

from knowledge_base.errors import Conflict, InputError, NotThere
from services.access.allowance import NO_ALLOWANCE, DailyAllowance
from services.access.audit import record_action
from services.access.identity import COMMAND_LINE, Identity
from services.access.scopes import Scope, checked_scopes, granted
from services.access.tables import ApiKeyRow
from services.access.tokens import Token, new_token
from services.database import Database

NAME_LENGTH = 100
OVERLAP_SECONDS = 24 * 3600.0
"""How long a key that was rotated still works, so that whoever uses it can be told the new one."""

State = Literal["active", "expired", "revoked"]


class Key(BaseModel):
    """A key as it is listed; the key itself is not in it.

    Attributes:
        id: public part of the key.
        name: what its maker called it.
        scopes: as given; what they imply is not listed.
        per_minute: requests it may make in a minute; None: any number.
        daily: what it may take of the models in a day.
        created_at, expires_at, revoked_at, last_used_at: seconds since the epoch; None: never. `last_used_at` is up to
            a minute old.
        created_by: who made it.
        replaced_by: id of the key that rotation made of it; empty if there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    scopes: tuple[Scope, ...]
    per_minute: int | None
    daily: DailyAllowance
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None
    replaced_by: str

    def state(self, now: float) -> State:
        """Whether it works at this moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    @property
    def identity(self) -> Identity:
        """Who sends it."""
        scopes = granted(self.scopes)
        return Identity(key=self.id, name=self.name, scopes=scopes, per_minute=self.per_minute, daily=self.daily)


class NewKey(BaseModel):
    """A key that was just made: the only time that `token` is known. It is left out of every representation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    token: str = Field(repr=False)


def hash_of(token: Token, pepper: str) -> str:
    """What the database holds of a key, as 64 hex digits."""
    return hmac.new(pepper.encode(), token.text.encode(), hashlib.sha256).hexdigest()


def create_key(
    database: Database,
    name: str,
    scopes: list[str] | tuple[str, ...],
    *,
    who: Identity = COMMAND_LINE,
    expires_in: float | None = None,
    per_minute: int | None = None,
    daily: DailyAllowance = NO_ALLOWANCE,
    pepper: str = "",
) -> NewKey:
    """Make a key.

    Args:
        name: 1 to 100 characters, to know it by; need not differ from that of another key.
        scopes: one or more.
        who: makes it.
        expires_in: seconds until it stops working; None: never.
        per_minute: most requests in a minute; None: any number.
        daily: what it may take of the models in a day.
        pepper: see `AccessSettings.key_pepper`.

    Raises:
        InputError: name, scopes, time or limit cannot be used.
    """
    now = time.time()
    wanted = checked_scopes(scopes)
    if expires_in is not None and not 0 < expires_in < 1e10:
        raise InputError(f"a key cannot expire in {expires_in:g} seconds; give a time to come, or none")
    if per_minute is not None and not 1 <= per_minute <= 1_000_000:
        raise InputError(f"per_minute is {per_minute}; use 1 to 1000000, or leave it out for no limit")
    columns = {
        "name": _checked_name(name), "scopes": json.dumps(wanted), "per_minute": per_minute or 0,
        "daily": daily.model_dump_json(), "created_at": now, "created_by": f"{who.name} ({who.key})"[:120],
        "expires_at": now + expires_in if expires_in else 0.0,
    }  # fmt: skip
    with database.write() as connection:
        made = _insert(connection, columns, pepper)
        record_action(connection, who, "key.created", made.key.id, {"name": made.key.name, "scopes": list(wanted)})
    return made


def list_keys(database: Database) -> tuple[Key, ...]:
    """All keys that ever were, oldest first, those that no longer work included."""
    columns: list[Any] = list(ApiKeyRow.__table__.columns)
    with database.read() as connection:
        rows = connection.execute(select(*columns).order_by(ApiKeyRow.created_at, ApiKeyRow.id)).all()
    return tuple(map(key_of, rows))


def revoke_key(database: Database, key: str, *, who: Identity = COMMAND_LINE, sparing_last: bool = False) -> Key:
    """Have a key work no longer; processes that have just seen it heed that within `authenticator.FRESH_SECONDS`.

    Revoking it again changes nothing.

    Args:
        key: its id.
        who: revokes it.
        sparing_last: not if no other key with the scope admin works, after which only the command line could make any.

    Raises:
        NotThere: there is no key with this id.
        Conflict: it is the last one with the scope admin, and that is to be spared.
    """
    with database.write() as connection:
        if sparing_last:
            _refuse_last(connection, _load(connection, key))
        standing = update(ApiKeyRow).where(ApiKeyRow.id == key, ApiKeyRow.revoked_at == 0)
        if connection.execute(standing.values(revoked_at=time.time())).rowcount:
            record_action(connection, who, "key.revoked", key)
        return _load(connection, key)


def rotate_key(
    database: Database,
    key: str,
    *,
    overlap: float = OVERLAP_SECONDS,
    who: Identity = COMMAND_LINE,
    pepper: str = "",
) -> NewKey:
    """Replace a key by a new one with the same name, scopes and limits; the old one works on for `overlap` seconds.

    The new key lives as long as the old one was made to.

    Raises:
        NotThere: there is no key with this id.
        Conflict: it no longer works, or was rotated before.
        InputError: `overlap` is not in 0 to 30 days.
    """
    if not 0 <= overlap <= 30 * 86400:
        raise InputError(f"overlap is {overlap:g} seconds; use 0 to 30 days")
    now = time.time()
    with database.write() as connection:
        old = _load(connection, key)
        made = _insert(connection, _successor(old, now), pepper)
        end = min(now + overlap, old.expires_at or now + overlap)
        standing = update(ApiKeyRow).where(
            ApiKeyRow.id == key, ApiKeyRow.revoked_at == 0, ApiKeyRow.replaced_by == "",
            (ApiKeyRow.expires_at == 0) | (ApiKeyRow.expires_at > now),
        )  # fmt: skip
        if not connection.execute(standing.values(expires_at=end, replaced_by=made.key.id)).rowcount:
            why = f"was rotated before, into {old.replaced_by}" if old.replaced_by else f"is {old.state(now)}"
            raise Conflict(f"key {key} {why}; make a new one with `touchstone keys create`")
        record_action(connection, who, "key.rotated", key, {"into": made.key.id, "overlap_seconds": overlap})
    return made


def key_of(row: Row[Any]) -> Key:
    """A row as a key."""
    return Key(
        id=row.id, name=row.name, scopes=tuple(json.loads(row.scopes)), per_minute=row.per_minute or None,
        daily=DailyAllowance.model_validate_json(row.daily), created_at=row.created_at, created_by=row.created_by,
        expires_at=row.expires_at or None, revoked_at=row.revoked_at or None, last_used_at=row.last_used_at or None,
        replaced_by=row.replaced_by,
    )  # fmt: skip


def _insert(connection: Connection, columns: dict[str, Any], pepper: str) -> NewKey:
    token = new_token()
    connection.execute(insert(ApiKeyRow).values(id=token.id, hash=hash_of(token, pepper), **columns))
    return NewKey(key=_load(connection, token.id), token=token.text)


def _load(connection: Connection, key: str) -> Key:
    columns: list[Any] = list(ApiKeyRow.__table__.columns)
    row = connection.execute(select(*columns).where(ApiKeyRow.id == key)).one_or_none()
    if row is None:
        raise NotThere(f"there is no key {key!r}; `touchstone keys list` shows those there are")
    return key_of(row)


def _refuse_last(connection: Connection, key: Key) -> None:
    now, columns = time.time(), list[Any](ApiKeyRow.__table__.columns)
    standing = map(key_of, connection.execute(select(*columns).where(ApiKeyRow.revoked_at == 0)))
    working = [k.id for k in standing if "admin" in k.scopes and k.state(now) == "active"]
    if working == [key.id]:
        raise Conflict(
            f"key {key.id} ({key.name!r}) is the last one that works with the scope admin; make another such key "
            f"first, or run `touchstone keys revoke {key.id}` where the database is"
        )


def _successor(old: Key, now: float) -> dict[str, Any]:
    return {
        "name": old.name, "scopes": json.dumps(old.scopes), "per_minute": old.per_minute or 0,
        "daily": old.daily.model_dump_json(), "created_at": now, "created_by": old.created_by,
        "expires_at": now + (old.expires_at - old.created_at) if old.expires_at else 0.0,
    }  # fmt: skip


def _checked_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= NAME_LENGTH or not cleaned.isprintable():
        raise InputError(f"the name {name[:NAME_LENGTH]!r} will not do; use 1 to {NAME_LENGTH} printable characters")
    return cleaned
