"""Deliveries as people look at them: listed, sent again by hand, and forgotten once they are old."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, delete, insert, select, tuple_, update

from knowledge_base.errors import InputError, NotThere
from services.access.audit import record_action
from services.access.identity import COMMAND_LINE, Identity
from services.database import Database
from services.webhooks.attempts import Status, row_of
from services.webhooks.endpoints import load_webhook
from services.webhooks.tables import DeliveryRow, EventRow, WebhookRow

MOST_LISTED = 200
MOST_FORGOTTEN = 5000


class Delivery(BaseModel):
    """An event on its way to a webhook.

    Attributes:
        event, webhook: ids; kind: name of the event.
        at: when it happened.
        status: `waiting`, `delivered` or `dead` (given up; send it again with `redeliver`).
        attempts: tries that were begun.
        next_at: when the next one is due; None once it has ended.
        answer: last HTTP status; None if there was none.
        fault: what went wrong last; reply: beginning of the last response.
        ended_at: when it ended; None while it waits. All times are seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str
    webhook: str
    kind: str
    at: float
    status: Status
    attempts: int
    next_at: float | None
    answer: int | None
    fault: str
    reply: str
    ended_at: float | None


class DeliveryPage(BaseModel):
    """Some deliveries, newest event first; give `next` as `after` to get older ones, empty at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[Delivery, ...]
    next: str = ""


def list_deliveries(
    database: Database, *, webhook: str = "", status: Status | None = None, after: str = "", limit: int = 50
) -> DeliveryPage:
    """Deliveries, newest event first.

    Raises:
        InputError: `after` is not the `next` of a page.
    """
    limit, row, event = max(1, min(limit, MOST_LISTED)), DeliveryRow, EventRow
    columns: list[Any] = [*row.__table__.columns, event.event.label("kind"), event.at]
    query = select(*columns).join_from(row, event, row.event == event.id)
    if webhook:
        query = query.where(row.webhook == webhook)
    if status:
        query = query.where(row.status == status)
    if after:
        query = query.where(tuple_(event.at, row.event, row.webhook) < tuple_(*_place(after)))
    ordered = query.order_by(event.at.desc(), row.event.desc(), row.webhook.desc()).limit(limit + 1)
    with database.read() as connection:
        found = connection.execute(ordered).all()
    last = found[limit - 1] if len(found) > limit else None
    next_page = f"{last.at!r}/{last.event}/{last.webhook}" if last is not None else ""
    return DeliveryPage(items=tuple(map(_delivery, found[:limit])), next=next_page)


def redeliver(database: Database, event: str, webhook: str, *, who: Identity = COMMAND_LINE) -> None:
    """Send an event to a webhook once more, from the first try on, under the same id; also to one that was not told.

    Raises:
        NotThere: there is no such event or webhook.
        Conflict: the webhook is disabled.
    """
    fresh = {"status": "waiting", "attempts": 0, "next_at": 0.0, "lease_owner": "", "lease_until": 0.0, "ended_at": 0.0}
    with database.write() as connection:
        load_webhook(connection, webhook, enabled=True)
        if connection.execute(select(EventRow.id).where(EventRow.id == event)).first() is None:
            raise NotThere(f"there is no event {event!r}; `touchstone webhooks deliveries` shows those there are")
        if not connection.execute(update(DeliveryRow).where(*row_of(event, webhook)).values(**fresh)).rowcount:
            connection.execute(insert(DeliveryRow).values(event=event, webhook=webhook, **fresh))
        record_action(connection, who, "webhook.redelivered", webhook, {"event": event})


def forget_events(database: Database, before: float) -> int:
    """Delete events that happened before a moment (seconds since the epoch) and are still due to nobody.

    Returns:
        How many; call it again while there are any.
    """
    row, told = DeliveryRow, WebhookRow
    waiting = (
        select(row.event)
        .join(told, row.webhook == told.id)
        .where(row.event == EventRow.id, row.status == "waiting", told.enabled)
    )
    with database.write() as connection:
        query = select(EventRow.id).where(EventRow.at < before, ~waiting.exists()).limit(MOST_FORGOTTEN)
        old = list(connection.execute(query).scalars())
        connection.execute(delete(row).where(row.event.in_(old)))
        connection.execute(delete(EventRow).where(EventRow.id.in_(old)))
    return len(old)


def _place(after: str) -> tuple[float, str, str]:
    at, *ids = after.split("/")
    try:
        return float(at), *_two(ids)
    except ValueError:
        raise InputError(f"the cursor {after[:20]!r} cannot be read; give the `next` of the page before") from None


def _two(ids: list[str]) -> tuple[str, str]:
    event, webhook = ids
    return event, webhook


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        event=row.event, webhook=row.webhook, kind=row.kind, at=row.at, status=row.status, attempts=row.attempts,
        next_at=row.next_at if row.status == "waiting" else None, answer=row.answer or None, fault=row.fault,
        reply=row.reply, ended_at=row.ended_at or None,
    )  # fmt: skip
