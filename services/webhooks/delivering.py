"""Sending what is due, all at once, and writing down how each went as soon as it is known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from services.access.audit import record_action
from services.access.identity import COMMAND_LINE, Identity
from services.database import Database
from services.webhooks.attempts import Status, Taken, anything_due, settle, take_due
from services.webhooks.deliveries import Delivery, list_deliveries
from services.webhooks.endpoints import load_webhook
from services.webhooks.outbox import announce_trial
from services.webhooks.sending import Outcome, Sender
from services.webhooks.settings import WebhookSettings
from services.webhooks.signing import derive_secret, signed_headers
from services.webhooks.targets import Resolver, resolve_host

SPARE_SECONDS = 90.0
"""How long a delivery stays taken beyond the time that sending may take: a busy database may take a minute to write."""


class DeliveryReport(BaseModel):
    """What a call of `deliver` did: deliveries that arrived, that will be tried again, and that were given up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivered: int = 0
    waiting: int = 0
    dead: int = 0

    @property
    def tried(self) -> int:
        """All of them."""
        return self.delivered + self.waiting + self.dead


def deliver(
    database: Database,
    settings: WebhookSettings,
    now: float | None = None,
    *,
    resolver: Resolver = resolve_host,
    only: tuple[str, str] | None = None,
) -> DeliveryReport:
    """Send up to 32 deliveries that are due; call it again at once while it tried any.

    Any number of processes may call it: each delivery is sent by one of them. One that is killed has its deliveries
    sent again when its lease ends, perhaps a second time; the receiver tells by the message's id. Call it where no
    event loop runs.

    Args:
        now: seconds since the epoch; None: now.
        resolver: of the receivers' names.
        only: event and webhook of the one delivery to send.

    Raises:
        InputError: something is due, and there is no secret to sign with; nothing was tried then.
    """
    moment = time.time() if now is None else now
    if not anything_due(database, moment, only):
        return DeliveryReport()
    masters, sender = settings.master_secrets(), Sender(settings, resolver)
    taken = take_due(database, moment, settings.webhook_timeout_seconds + SPARE_SECONDS, only)
    reached = asyncio.run(_send_all(database, sender, masters, taken, now))
    counts = {status: reached.count(status) for status in ("delivered", "waiting", "dead")}
    return DeliveryReport(**counts)


def send_test(
    database: Database,
    settings: WebhookSettings,
    webhook: str,
    *,
    who: Identity = COMMAND_LINE,
    resolver: Resolver = resolve_host,
) -> Delivery:
    """Send a webhook a message of the kind `webhook.test` at once, and tell how that went.

    Raises:
        NotThere: there is no such webhook.
        Conflict: it is disabled.
        InputError: there is no secret to sign with.
    """
    settings.master_secrets()
    with database.write() as connection:
        load_webhook(connection, webhook, enabled=True)
        message = announce_trial(connection, webhook)
        record_action(connection, who, "webhook.tested", webhook, {"event": message})
    deliver(database, settings, resolver=resolver, only=(message, webhook))
    found = list_deliveries(database, webhook=webhook, limit=200).items
    return next(d for d in found if d.event == message)


async def _send_all(
    database: Database, sender: Sender, masters: Sequence[str], taken: Sequence[Taken], now: float | None
) -> list[Status]:
    async def one(each: Taken) -> Status:
        outcome = await _send(sender, masters, each)
        return await asyncio.to_thread(settle, database, each, outcome, time.time() if now is None else now)

    return list(await asyncio.gather(*map(one, taken)))


async def _send(sender: Sender, masters: Sequence[str], taken: Taken) -> Outcome:
    body = taken.body.encode()
    secrets = [derive_secret(master, taken.webhook) for master in masters]
    return await sender.send(taken.url, signed_headers(secrets, taken.event, int(time.time()), body), body)
