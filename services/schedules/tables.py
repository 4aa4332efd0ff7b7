"""The tables of schedules, their windows and refreshes, and of what drift is measured against."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables

Window = String(20)
Version = String(64)
Status = String(12)


class ScheduleRow(Tables):
    """When a criteria set is examined again, and how.

    `dataset` is an open dataset, `criteria_set` a set's name, `terms` JSON (`services.schedules.terms.Terms`).
    `cursor` is the instant up to which its windows have been noted; `fault`, why that could not be done the last time.
    `key` is the API key that made it, which its windows are charged to, and `created_by` that key's name.
    All times of this module are seconds since the epoch, 0 for never.
    """

    __tablename__ = "schedules"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(96), unique=True)
    dataset: Mapped[str] = mapped_column(Id)
    criteria_set: Mapped[str] = mapped_column(String(96))
    cron: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64))
    terms: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(default=True)
    cursor: Mapped[float] = mapped_column(Float(53), default=0.0)
    fault: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(Text, default="")
    key: Mapped[str] = mapped_column(Id, default="")
    created_at: Mapped[float] = mapped_column(Float(53), default=0.0)


class WindowRow(Tables):
    """A window of a schedule and what became of it. Its key is what makes a second refresh of it impossible.

    `status` is `due` (it waits for a refresh to begin), `running`, or how that ended: `finished`, `skipped`, `failed`,
    `cancelled`; or `missed`, where none ever began. `why` says it in words.
    """

    __tablename__ = "schedule_windows"
    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.id"), primary_key=True)
    window: Mapped[str] = mapped_column(Window, primary_key=True)
    status: Mapped[str] = mapped_column(Status)
    why: Mapped[str] = mapped_column(Text, default="")
    refresh: Mapped[str] = mapped_column(Id, default="")
    noted_at: Mapped[float] = mapped_column(Float(53), default=0.0)
    begun_at: Mapped[float] = mapped_column(Float(53), default=0.0)
    ended_at: Mapped[float] = mapped_column(Float(53), default=0.0)

    __table_args__ = (Index("windows_by_status", "schedule", "status"),)


class RefreshRow(Tables):
    """One examination of a criteria set, from new votes to a proposal.

    `window` is empty where a person began it. `occupies` is the schedule while the refresh goes on and NULL afterwards:
    being unique, it lets a schedule have one refresh at a time. `number` is unique and tells judgments that are asked
    anew from those that stand. `terms` (JSON), `source` (the open dataset) and `criteria_set` are the schedule's, as
    they stood when it began. `key` is the API key that it is charged to: of who began it, or the schedule's. `step` is
    the one to do next. `plan`, `steps`, `drift`, `comparison` and `order` (the mining run's configuration) are JSON,
    empty until they are known. `old` and `new` are versions; `dataset` is a content hash; `mining` is a run.
    """

    __tablename__ = "refreshes"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.id"), index=True)
    window: Mapped[str] = mapped_column(Window, default="")
    occupies: Mapped[str | None] = mapped_column(Id, unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(Status, default="running", index=True)
    step: Mapped[str] = mapped_column(Status, default="gather")
    fault: Mapped[str] = mapped_column(Text, default="")
    terms: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Id)
    criteria_set: Mapped[str] = mapped_column(String(96))
    forced: Mapped[bool] = mapped_column(default=False)
    begun_by: Mapped[str] = mapped_column(Text, default="")
    key: Mapped[str] = mapped_column(Id, default="", index=True)
    dataset: Mapped[str] = mapped_column(Hash, default="")
    old: Mapped[str] = mapped_column(Version, default="")
    new: Mapped[str] = mapped_column(Version, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    order: Mapped[str] = mapped_column(Text, default="")
    mining: Mapped[str] = mapped_column(Id, default="")
    drift: Mapped[str] = mapped_column(Text, default="")
    comparison: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[str] = mapped_column(Text, default="[]")
    created_at: Mapped[float] = mapped_column(Float(53), default=0.0)
    gathered_at: Mapped[float] = mapped_column(Float(53), default=0.0)
    ended_at: Mapped[float] = mapped_column(Float(53), default=0.0)


class DriftRow(Tables):
    """What the refreshes of a schedule have learnt so far about an approved version.

    `state` is JSON of `agents.drift`. `dataset` and `votes_until` say what the last examination saw:
    later votes are new. `refresh` is the one that wrote it.
    """

    __tablename__ = "drift_states"
    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.id"), primary_key=True)
    version: Mapped[str] = mapped_column(Version, primary_key=True)
    state: Mapped[str] = mapped_column(Text, default="")
    dataset: Mapped[str] = mapped_column(Hash, default="")
    votes_until: Mapped[float] = mapped_column(Float(53), default=0.0)
    refresh: Mapped[str] = mapped_column(Id, default="")


class AnchorRow(Tables):
    """A pair on which a version's judge is asked again; `answers` is JSON, criterion hash -> pinned sign."""

    __tablename__ = "anchors"
    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.id"), primary_key=True)
    version: Mapped[str] = mapped_column(Version, primary_key=True)
    pair: Mapped[str] = mapped_column(ForeignKey("pairs.hash"), primary_key=True)
    answers: Mapped[str] = mapped_column(Text, default="{}")
    pinned_at: Mapped[float] = mapped_column(Float(53), default=0.0)
