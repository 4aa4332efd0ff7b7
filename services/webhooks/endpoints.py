"""Who is told: webhooks added, listed, enabled and removed."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, func, insert, select, update

from knowledge_base.errors import Conflict, InputError, NotThere
from services.access.audit import record_action
from services.access.identity import COMMAND_LINE, Identity
from services.access.tokens import random_name
from services.database import Database
from services.webhooks.events import EVENTS
from services.webhooks.settings import WebhookSettings
from services.webhooks.signing import derive_secret
from services.webhooks.tables import DeliveryRow, WebhookRow
from services.webhooks.targets import Resolver, find_target, resolve_host

MOST_WEBHOOKS = 100
"""Standing at once: every event is written once for each."""


class Webhook(BaseModel):
    """A receiver.

    Attributes:
        id: names it.
        url: where messages go.
        events: what it is told of.
        enabled: whether it is told at all.
        disabled_because: why it is not, where the server decided so.
        failing_since: first failure after which no delivery succeeded, seconds since the epoch; None: it does not fail.
        created_at: seconds since the epoch; created_by: who added it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    disabled_because: str
    failing_since: float | None
    created_at: float
    created_by: str


class NewWebhook(BaseModel):
    """A webhook that was just added, with the secret that its messages are signed with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: Webhook
    secret: str = Field(repr=False)


def add_webhook(
    database: Database,
    settings: WebhookSettings,
    url: str,
    events: Sequence[str] = (),
    *,
    who: Identity = COMMAND_LINE,
    resolver: Resolver = resolve_host,
) -> NewWebhook:
    """Have an address told of events.

    Args:
        url: `https://...`, or `http://...` within the networks that are allowed.
        events: names out of `EVENTS`; none: all of them.
        who: adds it.
        resolver: of the address.

    Raises:
        AddressRefused: the address cannot be used; the message says what would do.
        InputError: an event is unknown, there is no secret to sign with, or there are too many webhooks.
    """
    wanted = _checked_events(events)
    target = find_target(url, settings.allowed_networks, resolver)
    secret = settings.master_secrets()[0]
    webhook = f"wh_{random_name(16)}"
    columns = {
        "id": webhook, "url": str(target.url), "events": json.dumps(wanted), "created_at": time.time(),
        "created_by": f"{who.name} ({who.key})"[:120],
    }  # fmt: skip
    with database.write() as connection:
        _check_number(connection)
        connection.execute(insert(WebhookRow).values(**columns))
        made = load_webhook(connection, webhook)
        record_action(connection, who, "webhook.added", webhook, {"host": target.host, "events": list(wanted)})
    return NewWebhook(webhook=made, secret=derive_secret(secret, webhook))


def list_webhooks(database: Database) -> tuple[Webhook, ...]:
    """All webhooks that were not removed, oldest first."""
    columns: list[Any] = list(WebhookRow.__table__.columns)
    query = select(*columns).where(WebhookRow.removed_at == 0).order_by(WebhookRow.created_at, WebhookRow.id)
    with database.read() as connection:
        return tuple(map(_webhook, connection.execute(query)))


def secret_of(database: Database, settings: WebhookSettings, webhook: str) -> str:
    """The secret that the messages of a webhook are signed with.

    Raises:
        NotThere: there is no such webhook.
        InputError: there is no secret to sign with.
    """
    with database.read() as connection:
        return derive_secret(settings.master_secrets()[0], load_webhook(connection, webhook).id)


def enable_webhook(database: Database, webhook: str, *, who: Identity = COMMAND_LINE) -> Webhook:
    """Tell it again after the server gave it up; what waited goes out, what happened meanwhile was not kept for it.

    Raises:
        NotThere: there is no such webhook.
    """
    with database.write() as connection:
        load_webhook(connection, webhook)
        again = {"enabled": True, "failing_since": 0.0, "disabled_because": ""}
        connection.execute(update(WebhookRow).where(WebhookRow.id == webhook).values(**again))
        record_action(connection, who, "webhook.enabled", webhook)
        return load_webhook(connection, webhook)


def remove_webhook(database: Database, webhook: str, *, who: Identity = COMMAND_LINE) -> None:
    """Tell it no more; what still waits for it is given up.

    Raises:
        NotThere: there is no such webhook.
    """
    now = time.time()
    waiting = update(DeliveryRow).where(DeliveryRow.webhook == webhook, DeliveryRow.status == "waiting")
    with database.write() as connection:
        load_webhook(connection, webhook)
        connection.execute(update(WebhookRow).where(WebhookRow.id == webhook).values(removed_at=now))
        connection.execute(waiting.values(status="dead", fault="the webhook was removed", ended_at=now))
        record_action(connection, who, "webhook.removed", webhook)


def load_webhook(connection: Connection, webhook: str, *, enabled: bool = False) -> Webhook:
    """A webhook that was not removed.

    Raises:
        NotThere: there is no such webhook.
        Conflict: it is to be enabled, and is not.
    """
    columns: list[Any] = list(WebhookRow.__table__.columns)
    here = select(*columns).where(WebhookRow.id == webhook, WebhookRow.removed_at == 0)
    row = connection.execute(here).one_or_none()
    if row is None:
        raise NotThere(f"there is no webhook {webhook!r}; `touchstone webhooks list` shows those there are")
    if enabled and not row.enabled:
        raise Conflict(f"webhook {webhook} is disabled ({row.disabled_because}); enable it first")
    return _webhook(row)


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=row.id, url=row.url, events=tuple(json.loads(row.events)), enabled=row.enabled,
        disabled_because=row.disabled_because, failing_since=row.failing_since or None, created_at=row.created_at,
        created_by=row.created_by,
    )  # fmt: skip


def _checked_events(events: Sequence[str]) -> tuple[str, ...]:
    unknown = sorted(set(events) - set(EVENTS))
    if unknown:
        raise InputError(f"there is no event {unknown[0]!r}; there are {', '.join(EVENTS)}")
    return tuple(e for e in EVENTS if e in events or not events)


def _check_number(connection: Connection) -> None:
    standing = select(func.count()).select_from(WebhookRow).where(WebhookRow.removed_at == 0)
    if int(connection.execute(standing).scalar_one()) >= MOST_WEBHOOKS:
        raise InputError(f"there are {MOST_WEBHOOKS} webhooks already; remove one that is not needed")
