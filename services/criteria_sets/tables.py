"""The tables of criteria sets: versions, which never change, and decisions about them, which are only ever added."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Id, Tables


class CriteriaSetRow(Tables):
    """A version of a line of criteria sets.

    `body` is the set as JSON, `evidence` a `SetEvidence` (empty: none), `why` a `Reasons`. `dataset`, `run` and
    `parent` name where the set comes from, empty where not known; `created_at` is in seconds since the epoch.
    """

    __tablename__ = "criteria_sets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    dataset: Mapped[str] = mapped_column(Id, default="")
    run: Mapped[str] = mapped_column(Id, default="")
    parent: Mapped[str] = mapped_column(String(64), default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[str] = mapped_column(Text, default="{}")
    created_at: Mapped[float] = mapped_column(default=0.0)
    created_by: Mapped[str] = mapped_column(Id, default="")

    __table_args__ = (
        Index("criteria_sets_by_time", "created_at", "name", "version"),
        Index("criteria_sets_by_version", "version"),
    )


class SetDecisionRow(Tables):
    """One decision about a version, numbered from 1 within its line: `approve` or `reject`.

    The number is the guard: of two people who decide at once, both having seen decision n, only one can put n + 1 on
    record. What status a version has follows from the decisions, so no line can have two approved versions.
    """

    __tablename__ = "set_decisions"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")
    who: Mapped[str] = mapped_column(Id)
    at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (ForeignKeyConstraint(["name", "version"], ["criteria_sets.name", "criteria_sets.version"]),)
