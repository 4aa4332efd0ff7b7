"""API keys: made, listed, replaced, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from knowledge_base.errors import Conflict
from services.access.allowance import DailyAllowance
from services.access.keys import Key, create_key, list_keys, revoke_key, rotate_key
from services.access.scopes import Scope
from services.api.access import Admin, Anyone, Place
from services.api.fields import Given, Ident, Line, Told
from services.api.problems import documented

router = APIRouter(tags=["keys"])

KeyId = Annotated[Ident, Path(description="Public id of a key.", examples=["k7f2m9qa"])]


class KeyIn(Given):
    """A key to make.

    Attributes:
        name: to know it by; scopes: what it may do.
        expires_in: seconds until it stops working; None: never.
        per_minute: requests in a minute; None: any number.
        daily: what it may take of the models in a day.
    """

    name: Line = Field(min_length=1, max_length=100, examples=["labelling pipeline"])
    scopes: list[Scope] = Field(min_length=1, max_length=5, examples=[["run"]])
    expires_in: Annotated[float, Field(gt=0, lt=1e10)] | None = None
    per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    daily: DailyAllowance = DailyAllowance()


class Overlap(Given):
    """How many seconds the old key works on beside the new one."""

    overlap: Annotated[float, Field(ge=0, le=30 * 86400)] = 86400.0


class KeyMade(Told):
    """A key and, this once, its token."""

    key: Key
    token: str


class Self(Told):
    """Who a key says that its bearer is."""

    key: str
    name: str
    scopes: list[Scope]


@router.get("/keys/self", summary="Who am I?")
def self(caller: Anyone) -> Self:
    """The name and the scopes of the key that asks."""
    return Self(key=caller.key, name=caller.name, scopes=sorted(caller.scopes))


@router.get("/keys", summary="All keys")
def keys(place: Place, caller: Admin) -> list[Key]:
    """Every key that ever was, without its token."""
    return list(list_keys(place.database))


@router.post("/keys", summary="Make a key", status_code=201, responses=documented(409))
def make(given: KeyIn, place: Place, caller: Admin) -> KeyMade:
    """The token is told this once. The first key ends serving without keys, so it needs the scope `admin`."""
    if "admin" not in given.scopes and not list_keys(place.database):
        raise Conflict(
            f"{given.name!r} would be the first key, has {', '.join(given.scopes)} and not admin, and once there is a "
            "key nobody is served without one; make one with the scope admin first"
        )
    made = create_key(
        place.database, given.name, list(given.scopes), who=caller, expires_in=given.expires_in,
        per_minute=given.per_minute, daily=given.daily, pepper=place.settings.key_pepper.get_secret_value(),
    )  # fmt: skip
    return KeyMade(key=made.key, token=made.token)


@router.post("/keys/{key}/rotate", summary="Replace a key", status_code=201, responses=documented(404, 409))
def rotate(key: KeyId, given: Overlap, place: Place, caller: Admin) -> KeyMade:
    """A new key with the same name, scopes and limits; the old one works on for a while."""
    pepper = place.settings.key_pepper.get_secret_value()
    made = rotate_key(place.database, key, overlap=given.overlap, who=caller, pepper=pepper)
    return KeyMade(key=made.key, token=made.token)


@router.delete("/keys/{key}", summary="Revoke a key", responses=documented(404, 409))
def revoke(key: KeyId, place: Place, caller: Admin) -> Key:
    """It works no longer, within seconds. The record of what it did stays. The last one with `admin` stays, too."""
    return revoke_key(place.database, key, who=caller, sparing_last=True)
