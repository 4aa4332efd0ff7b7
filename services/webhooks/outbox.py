"""Announcing an event in the transaction of what happened: either both are there afterwards, or neither."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from knowledge_base.errors import InputError
from services.access.tokens import random_name
from services.database import insert_new
from services.webhooks.events import EVENTS, TRIAL, EventData, Trial
from services.webhooks.tables import DeliveryRow, EventRow, WebhookRow

PREFIX = "msg_"


def announce(connection: Connection, event: str, body: Mapping[str, Any], *, once: str = "") -> str:
    """Write an event, and a delivery for everybody who wants to be told of it, in the caller's transaction.

    Args:
        event: a name out of `EVENTS`.
        body: its data, as its model has it.
        once: what makes this event the same as one that was announced before, such as the run's id; announcing it
            again does nothing. Empty: every call is an event of its own.

    Returns:
        The event's id, which is also the message's.

    Raises:
        InputError: there is no such event, or the data does not fit its model.
    """
    message = _event_id(event, once)
    write_event(connection, message, event, _checked(event, body))
    wanting = [w for w, events in _standing(connection) if event in events]
    insert_new(connection, DeliveryRow, [delivery_of(message, webhook) for webhook in wanting])
    return message


def announce_trial(connection: Connection, webhook: str) -> str:
    """Write an event that is for one webhook alone; returns its id."""
    message = _event_id(TRIAL, "")
    write_event(connection, message, TRIAL, Trial(webhook=webhook))
    insert_new(connection, DeliveryRow, [delivery_of(message, webhook)])
    return message


def write_event(connection: Connection, message: str, event: str, data: EventData) -> None:
    """Write an event that nobody is told of yet; nothing if it is there."""
    now = time.time()
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": event, "timestamp": moment, "data": data.model_dump(mode="json")}
    body = json.dumps(told, separators=(",", ":"))
    insert_new(connection, EventRow, [{"id": message, "event": event, "at": now, "body": body}])


def delivery_of(message: str, webhook: str) -> dict[str, Any]:
    """A delivery that is due at once."""
    return {"event": message, "webhook": webhook, "status": "waiting", "next_at": 0.0}


def _standing(connection: Connection) -> list[tuple[str, list[str]]]:
    row = WebhookRow
    found = connection.execute(select(row.id, row.events).where(row.enabled, row.removed_at == 0).order_by(row.id))
    return [(w.id, json.loads(w.events)) for w in found]


def _event_id(event: str, once: str) -> str:
    # Without dots, which separate it from time and body where it is signed.
    return PREFIX + (hashlib.sha256(f"{event}\n{once}".encode()).hexdigest()[:32] if once else random_name(26))


def _checked(event: str, body: Mapping[str, Any]) -> EventData:
    model = EVENTS.get(event)
    if model is None:
        raise InputError(f"there is no event {event!r}; announce one of {', '.join(EVENTS)}")
    try:
        return model.model_validate(dict(body))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(f"the data of {event} does not fit: {where}: {fault['msg']}; see `EVENTS`") from None
