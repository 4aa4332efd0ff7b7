"""The tables of webhooks: who is told, what there is to tell, and how the telling goes. Nothing in them is secret."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Id, Tables


class WebhookRow(Tables):
    """A receiver. `events` is a JSON list of what it is told of.

    `failing_since` is when the first delivery failed after which none succeeded. Times are seconds since the epoch, 0
    for never; one that was removed stays, for its deliveries name it.
    """

    __tablename__ = "webhooks"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float] = mapped_column(default=0.0)
    created_by: Mapped[str] = mapped_column(String(120), default="")
    failing_since: Mapped[float] = mapped_column(default=0.0)
    disabled_because: Mapped[str] = mapped_column(Text, default="")
    removed_at: Mapped[float] = mapped_column(default=0.0)


class EventRow(Tables):
    """Something that happened; `body` is the very text that is sent and signed."""

    __tablename__ = "webhook_events"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    event: Mapped[str] = mapped_column(String(40))
    at: Mapped[float] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(Text)


class DeliveryRow(Tables):
    """An event on its way to a receiver.

    `status` is `waiting`, `delivered` or `dead`. While it waits it is due at `next_at`, unless somebody holds it:
    `lease_owner` until `lease_until`. `attempts` counts those begun, `answer` is the last HTTP status, 0 if there was
    none, `fault` what went wrong last and `reply` the beginning of the last response's body.
    """

    __tablename__ = "webhook_deliveries"
    event: Mapped[str] = mapped_column(ForeignKey("webhook_events.id"), primary_key=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhooks.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(12), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[float] = mapped_column(default=0.0)
    lease_owner: Mapped[str] = mapped_column(String(160), default="")
    lease_until: Mapped[float] = mapped_column(default=0.0)
    answer: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(Text, default="")
    reply: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("webhook_deliveries_due", "status", "next_at"),)
