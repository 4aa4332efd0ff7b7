"""The table of ordered runs. A run itself is decided by its inputs alone; here is who wanted it, and what for."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Id, Tables


class OrderRow(Tables):
    """A run that was ordered; the first order of a run stands, since equal inputs make one run.

    `name` is the line of criteria sets that its set goes to. `source` is the open dataset, empty where a frozen version
    was named. `by` names the key. `state` is `open` until the run has ended, then `closed`, with the `version` that was
    kept or the `fault`; or `cancelled`, with who did it as the fault. Times are seconds since the epoch, 0 for never.
    """

    __tablename__ = "orders"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(Id, default="")
    by: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Id, default="")
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    version: Mapped[str] = mapped_column(String(64), default="")
    fault: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[float] = mapped_column(default=0.0)
    ended_at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("orders_by_time", "created_at", "run"),)


class LabellingOrderRow(Tables):
    """A labelling that was ordered; the columns are as in `OrderRow`. `done` is told by the labelling itself."""

    __tablename__ = "labelling_orders"
    labelling: Mapped[str] = mapped_column(ForeignKey("labellings.id"), primary_key=True)
    by: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Id, default="")
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    fault: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[float] = mapped_column(default=0.0)
    ended_at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("labelling_orders_by_time", "created_at", "labelling"),)
