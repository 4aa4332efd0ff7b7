"""The tables of the growing knowledge base. The criteria that come with the project stand in files, not here."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables

EntryStatus = Literal["proposed", "approved", "withdrawn"]
Source = Literal["person", "set"]


class PriorRow(Tables):
    """A criterion that was added to the knowledge base; its `body` is JSON and never changes.

    `digest` is of the whole body, `hash` of what a judge sees. `source` is `person` or `set`. `status` is `proposed`,
    `approved` or `withdrawn`: the end of what `prior_decisions` tells. `live` is the hash while the entry is not
    withdrawn, else NULL: unique, so that no content stands twice. `who` added it `at`, in seconds since the epoch.
    """

    __tablename__ = "prior_criteria"
    digest: Mapped[str] = mapped_column(Hash, primary_key=True)
    hash: Mapped[str] = mapped_column(Hash, index=True)
    live: Mapped[str | None] = mapped_column(Hash, unique=True)
    body: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(12), default="proposed")
    who: Mapped[str] = mapped_column(Id)
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("prior_criteria_by_time", "at", "digest"), Index("prior_criteria_of_status", "status"))


class PriorDecisionRow(Tables):
    """One decision about an entry, numbered from 1: `approve` or `withdraw`. Rows are only ever added."""

    __tablename__ = "prior_decisions"
    entry: Mapped[str] = mapped_column(ForeignKey("prior_criteria.digest"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    decision: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")
    who: Mapped[str] = mapped_column(Id)
    at: Mapped[float] = mapped_column(default=0.0)


class PriorEvidenceRow(Tables):
    """How a criterion, by the hash of what a judge sees, did in an approved set; `body` is a `CriterionEvidence`.

    The criterion may come with the project: then nothing but this is kept of it here.
    """

    __tablename__ = "prior_evidence"
    criterion: Mapped[str] = mapped_column(Hash, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[float] = mapped_column(default=0.0)


class KnowledgeRow(Tables):
    """A knowledge base as a manager had it: `members` is a JSON list of digests in `criteria`.

    `digest` is that of `knowledge_base.entries.criteria_digest`; `short` its first 12 digits, by which the fingerprint
    of a manager names it.
    """

    __tablename__ = "knowledge_bases"
    digest: Mapped[str] = mapped_column(Hash, primary_key=True)
    short: Mapped[str] = mapped_column(String(12), index=True)
    members: Mapped[str] = mapped_column(Text)
    at: Mapped[float] = mapped_column(default=0.0)
