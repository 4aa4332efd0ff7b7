"""The API's own table: what a request with an idempotency key was answered."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables


class OnceRow(Tables):
    """A request that is carried out once however often it is sent.

    `digest` is of what was asked. `status` is 0 while it is carried out, then that of the response; `body` is the
    response. `at` is when it was begun, in seconds since the epoch.
    """

    __tablename__ = "once"
    caller: Mapped[str] = mapped_column(Id, primary_key=True)
    token: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(Hash)
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[float] = mapped_column(default=0.0, index=True)
