"""A try of a delivery: taken so that only one process makes it, and written down whichever way it ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from services.access.audit import record_action
from services.access.identity import SYSTEM
from services.access.tokens import random_name
from services.database import Database
from services.webhooks.sending import Outcome
from services.webhooks.tables import DeliveryRow, EventRow, WebhookRow

RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 28800.0)
"""Waits between tries, before jitter; eleven tries over about a day (23.7 h)."""

JITTER = 0.2
"""A wait is longer by up to this share, by chance, so that a receiver that comes back is not met by all at once."""

GIVE_UP_SECONDS = 20 * 3600.0
"""A webhook is disabled when a delivery dies and nothing has arrived there for so long."""

MOST_AT_ONCE, MOST_TO_ONE = 32, 8
"""Deliveries taken at once, and to one webhook: one that is slow must not hold up the others."""

Status = Literal["waiting", "delivered", "dead"]


@dataclass(frozen=True)
class Taken:
    """A delivery that this process sends now, under a lease."""

    event: str
    webhook: str
    url: str
    body: str
    attempts: int
    token: str


def anything_due(database: Database, now: float, only: tuple[str, str] | None = None) -> bool:
    """Whether `take_due` would find anything."""
    with database.read() as connection:
        return connection.execute(_due(now, only)).first() is not None


def take_due(database: Database, now: float, seconds: float, only: tuple[str, str] | None = None) -> list[Taken]:
    """Take what is due, for so many seconds; a try counts from here, or one that kills the process would be endless.

    Args:
        only: event and webhook, to take that delivery alone.
    """
    token = random_name(20)
    with database.write() as connection:
        chosen = _fair(connection.execute(_due(now, only)).all())
        # In one order, or two processes could each hold what the other waits for.
        chosen.sort(key=lambda d: (d.event, d.webhook))
        return [_taken(d, token) for d in chosen if _lease(connection, d, token, now + seconds)]


def settle(
    database: Database, taken: Taken, outcome: Outcome, now: float, chance: Callable[[], float] = random.random
) -> Status:
    """Write down how a try went; returns where the delivery stands. One whose lease was lost is left as it is."""
    status = _status(taken, outcome)
    columns: dict[str, Any] = {
        "status": status, "lease_owner": "", "lease_until": 0.0, "answer": outcome.status, "fault": outcome.fault,
        "reply": outcome.reply,
    }  # fmt: skip
    if status == "waiting":
        columns["next_at"] = now + _wait(taken.attempts, outcome, chance)
    else:
        columns["ended_at"] = now
    mine = (
        *row_of(taken.event, taken.webhook),
        DeliveryRow.lease_owner == taken.token,
        DeliveryRow.status == "waiting",
    )
    with database.write() as connection:
        if connection.execute(update(DeliveryRow).where(*mine).values(**columns)).rowcount:
            _note_health(connection, taken.webhook, outcome, status, now)
    return status


def _due(now: float, only: tuple[str, str] | None) -> Any:
    row, event, webhook = DeliveryRow, EventRow, WebhookRow
    query = (
        select(row.event, row.webhook, row.attempts, row.lease_until, webhook.url, event.body)
        .join_from(row, webhook, row.webhook == webhook.id)
        .join(event, row.event == event.id)
        .where(row.status == "waiting", row.next_at <= now, row.lease_until <= now)
        .where(webhook.enabled, webhook.removed_at == 0)
    )
    if only is not None:
        query = query.where(*row_of(*only))
    return query.order_by(row.next_at, row.event).limit(10 * MOST_AT_ONCE)


def _fair(due: Sequence[Row[Any]]) -> list[Row[Any]]:
    chosen: list[Row[Any]] = []
    to: Counter[str] = Counter()
    for delivery in due:
        if to[delivery.webhook] < MOST_TO_ONE and len(chosen) < MOST_AT_ONCE:
            to[delivery.webhook] += 1
            chosen.append(delivery)
    return chosen


def _lease(connection: Connection, due: Row[Any], token: str, until: float) -> bool:
    as_seen = (DeliveryRow.status == "waiting", DeliveryRow.attempts == due.attempts)
    still = (*row_of(due.event, due.webhook), *as_seen, DeliveryRow.lease_until == due.lease_until)
    taken = {"attempts": due.attempts + 1, "lease_owner": token, "lease_until": until}
    return connection.execute(update(DeliveryRow).where(*still).values(**taken)).rowcount == 1


def _taken(due: Row[Any], token: str) -> Taken:
    return Taken(due.event, due.webhook, due.url, due.body, due.attempts + 1, token)


def _status(taken: Taken, outcome: Outcome) -> Status:
    if outcome.good:
        return "delivered"
    return "dead" if outcome.gone or taken.attempts > len(RETRY_SECONDS) else "waiting"


def _wait(attempts: int, outcome: Outcome, chance: Callable[[], float]) -> float:
    return max(RETRY_SECONDS[attempts - 1] * (1 + JITTER * chance()), outcome.retry_after)


def _note_health(connection: Connection, webhook: str, outcome: Outcome, status: Status, now: float) -> None:
    here, row = WebhookRow.id == webhook, WebhookRow
    if outcome.good:
        connection.execute(update(row).where(here, row.failing_since > 0).values(failing_since=0.0))
        return
    connection.execute(update(row).where(here, row.failing_since == 0).values(failing_since=now))
    since = float(connection.execute(select(row.failing_since).where(here)).scalar_one())
    if outcome.gone or (status == "dead" and now - since >= GIVE_UP_SECONDS):
        why = "the receiver answered 410: gone" if outcome.gone else f"nothing arrived for {(now - since) / 3600:.0f} h"
        off = update(row).where(here, row.enabled).values(enabled=False, disabled_because=why)
        if connection.execute(off).rowcount:
            record_action(connection, SYSTEM, "webhook.disabled", webhook, {"because": why})


def row_of(event: str, webhook: str) -> tuple[Any, ...]:
    """What makes a statement be about one delivery."""
    return DeliveryRow.event == event, DeliveryRow.webhook == webhook
