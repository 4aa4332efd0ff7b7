"""Who did what, when: a record that is only ever added to, in the transaction of what was done.

Each action carries a hash over itself and the hash before it (see `audit_chain`), so that an action that was changed or
taken out is noticed. One row says where the chain ends: whoever adds an action updates it first, and so holds it until
it has committed. Two actions never take the same place, on SQLite as on Postgres, and a gap cannot come to be.

Record the action last in its transaction: then nobody waits for other rows while others wait for the chain.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, insert, select, update

from knowledge_base.errors import InputError
from services.access.identity import Identity
from services.access.tables import ActionHeadRow, ActionRow
from services.access.tokens import PATTERN
from services.database import Database, insert_new
from services.inert import shown

HEAD = 1
MOST_LISTED = 200
MOST_DETAILS, LONGEST_DETAIL, MOST_PARTS = 20, 200, 20
"""Most details of an action, most characters of one, and most parts of one that is a list."""

SECRET = re.compile(rf"{PATTERN}|whsec_[A-Za-z0-9+/=]+|sk-[A-Za-z0-9_-]{{12,}}")
SECRET_NAME = re.compile(r"secret|token|password|api_?key|pepper|authorization", re.IGNORECASE)

_request: ContextVar[tuple[str, str]] = ContextVar("request", default=("", ""))


class Action(BaseModel):
    """Something somebody did.

    Attributes:
        number: its place in the record, from 1.
        at: seconds since the epoch.
        key: public id of who did it; `local`, `command-line` or `system` where no key did.
        key_name: its name then.
        action: what was done, such as `key.created`.
        subject: id of what it was done to.
        details: a few facts; neither secrets nor texts.
        request: id of the request; empty outside of one.
        address: from where it came; empty outside of a request.
        chain: hash over this action and those before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    at: float
    key: str
    key_name: str
    action: str
    subject: str
    details: dict[str, Any]
    request: str
    address: str
    chain: str


class ActionPage(BaseModel):
    """Some of the record, newest first.

    Attributes:
        items: the actions.
        next: give it as `after` to get those before them in time; empty at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[Action, ...]
    next: str = ""


@contextmanager
def acting_in(request: str, address: str) -> Iterator[None]:
    """Have every action that is recorded in this block name the request and the address it came from."""
    token = _request.set((request, address))
    try:
        yield
    finally:
        # A server that ends a request from elsewhere, as its client went away, is in another context by now.
        with suppress(ValueError):
            _request.reset(token)


def record_action(
    connection: Connection,
    who: Identity | str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
    *,
    request: str = "",
    address: str = "",
) -> int:
    """Add an action to the record, in the caller's transaction; returns its number.

    Args:
        who: did it; a name where there is no key.
        action: what was done, `thing.done`, at most 64 characters.
        subject: id of what it was done to.
        details: a few plain values. What looks like a secret is hidden, and of a text longer than 200 characters only
            the length is kept.
        request, address: as in `acting_in`, where they are not known from there.
    """
    key, name = (who.key, who.name) if isinstance(who, Identity) else ("", who)
    here = _request.get()
    place = _advance(connection)
    row = {
        "number": place.number, "at": time.time(), "key": _line(key, 32), "key_name": _line(name, 120),
        "action": _line(action, 64), "subject": _line(subject, 200), "details": _bounded(details or {}),
        "request": _line(request or here[0], 96), "address": _line(address or here[1], 64),
    }  # fmt: skip
    chain = chained(place.chain, row)
    connection.execute(insert(ActionRow).values(chain=chain, **row))
    connection.execute(update(ActionHeadRow).where(ActionHeadRow.id == HEAD).values(chain=chain))
    return int(place.number)


def list_actions(
    database: Database, *, key: str = "", action: str = "", subject: str = "", after: str = "", limit: int = 50
) -> ActionPage:
    """The record, newest first, by key, action or subject where one is given.

    Raises:
        InputError: `after` is not the `next` of a page.
    """
    limit = max(1, min(limit, MOST_LISTED))
    columns: list[Any] = list(ActionRow.__table__.columns)
    wanted = {ActionRow.key: key, ActionRow.action: action, ActionRow.subject: subject}
    query = select(*columns).where(*(column == value for column, value in wanted.items() if value))
    if after:
        query = query.where(ActionRow.number < _place(after))
    with database.read() as connection:
        rows = connection.execute(query.order_by(ActionRow.number.desc()).limit(limit + 1)).all()
    more = str(rows[limit - 1].number) if len(rows) > limit else ""
    return ActionPage(items=tuple(map(_action, rows[:limit])), next=more)


def chained(before: str, row: Mapping[str, Any]) -> str:
    """Hash over an action's columns and the hash before it, as 64 hex digits."""
    columns = ("number", "at", "key", "key_name", "action", "subject", "details", "request", "address")
    told = json.dumps([before, *(row[c] for c in columns)], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def _advance(connection: Connection) -> Row[Any]:
    """Take the next place; `chain` is still that of the place before."""
    head = ActionHeadRow
    step = update(head).where(head.id == HEAD).values(number=head.number + 1)
    if not connection.execute(step).rowcount:
        insert_new(connection, head, [{"id": HEAD, "number": 0, "chain": ""}])
        connection.execute(step)
    columns: list[Any] = [head.number, head.chain]
    return connection.execute(select(*columns).where(head.id == HEAD)).one()


def _bounded(details: Mapping[str, Any]) -> str:
    kept = {_line(str(name), 40): _plain(str(name), value) for name, value in list(details.items())[:MOST_DETAILS]}
    return json.dumps(kept, sort_keys=True, allow_nan=False)


def _plain(name: str, value: Any) -> Any:
    if SECRET_NAME.search(name):
        return "(hidden)"
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        return [_single(part) for part in parts[:MOST_PARTS]]
    return _single(value)


def _single(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    text = SECRET.sub("(hidden)", shown(str(value)))
    return text if len(text) <= LONGEST_DETAIL else f"({len(text)} characters)"


def _line(text: str, length: int) -> str:
    return SECRET.sub("(hidden)", shown(text).replace("\n", " "))[:length]


def _place(after: str) -> int:
    if not (after.isascii() and after.isdecimal()) or len(after) > 18:
        raise InputError(f"the cursor {after[:20]!r} cannot be read; give the `next` of the page before")
    return int(after)


def _action(row: Row[Any]) -> Action:
    return Action.model_validate({**row._mapping, "details": json.loads(row.details)})
