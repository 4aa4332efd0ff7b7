"""Tables of the roles: which batches wait for their turn, and who leads."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Id, Tables


class TurnRow(Tables):
    """A batch (or a chunk of a labelling) that was handed out and has not ended.

    `owner` is the run or labelling that it is work of, `unit` the thread of the run. `transport` names the Redis server
    (see `services.embedded_registry.transport_of`) and `line` the line there. `queued` once it is its turn. `at` is
    when it was handed out, in seconds since the epoch.
    """

    __tablename__ = "turns"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    batch: Mapped[str] = mapped_column(Id, unique=True)
    transport: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(Id)
    unit: Mapped[str] = mapped_column(Id, index=True)
    line: Mapped[str] = mapped_column(String(32))
    queued: Mapped[bool] = mapped_column(default=False)
    at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("turns_of_owner", "transport", "owner", "queued", "number"),)


class LeaderRow(Tables):
    """Who leads in a duty that one process does at a time; free where `owner` is empty or `until` is over.

    `taken` counts how often it went to another. Times are seconds since the epoch.
    """

    __tablename__ = "leaders"
    duty: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(160), default="")
    until: Mapped[float] = mapped_column(default=0.0)
    since: Mapped[float] = mapped_column(default=0.0)
    taken: Mapped[int] = mapped_column(default=0)
