"""The tables of keys and of the record of actions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables


class ApiKeyRow(Tables):
    """An API key. Rows are never deleted: that a key was ever made is what closes a server without keys.

    `hash` is of the whole key, see `services.access.keys`. `scopes` is a JSON list as given, `daily` a
    `DailyAllowance` as JSON. `replaced_by` is the key that rotation made of it. Times are seconds since the epoch,
    0 for never; `per_minute` is 0 where there is no limit.
    """

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    hash: Mapped[str] = mapped_column(Hash)
    scopes: Mapped[str] = mapped_column(Text)
    per_minute: Mapped[int] = mapped_column(default=0)
    daily: Mapped[str] = mapped_column(Text, default="{}")
    created_at: Mapped[float] = mapped_column(default=0.0)
    created_by: Mapped[str] = mapped_column(String(120), default="")
    expires_at: Mapped[float] = mapped_column(default=0.0)
    revoked_at: Mapped[float] = mapped_column(default=0.0)
    last_used_at: Mapped[float] = mapped_column(default=0.0)
    replaced_by: Mapped[str] = mapped_column(String(12), default="")


class ActionRow(Tables):
    """Something somebody did. `details` is JSON; `chain` covers the row and the `chain` of the row before."""

    __tablename__ = "actions"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[float]
    key: Mapped[str] = mapped_column(String(32), index=True)
    key_name: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200))
    details: Mapped[str] = mapped_column(Text, default="{}")
    request: Mapped[str] = mapped_column(Id, default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    chain: Mapped[str] = mapped_column(Hash)

    __table_args__ = (Index("actions_of_kind", "action", "number"),)


class ActionHeadRow(Tables):
    """The one row that says where the chain of actions ends; whoever adds an action holds it until it has committed."""

    __tablename__ = "action_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, default=0)
    chain: Mapped[str] = mapped_column(Hash, default="")
