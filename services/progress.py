"""Where a run stands, read from the database: anyone who can read it can watch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import and_, case, func, select

from agents.chronicle import RoundRecord
from services.call_tally import Took, tally
from services.database import Database
from services.runs import thread_names
from services.sql_ledger import SqlLedger
from services.tables import JudgmentRow, ThreadRow, WantRow

RunStatus = Literal["running", "finished", "failed"]


class ThreadProgress(BaseModel):
    """Where a thread stands.

    Attributes:
        name: `main` or `fold-k`.
        status: of the thread; fault: why it failed, or what its last attempt died of.
        round: 0 before the first.
        stage: `screen`, `race`, `sealed` or `finished`.
        wanted, answered: judgments, whoever asked for them first.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    status: RunStatus
    fault: str
    round: int
    stage: str
    wanted: int
    answered: int


class RunProgress(BaseModel):
    """Where a run stands: its threads, `main` first, the last round that `main` has finished, and what models took."""

    model_config = ConfigDict(frozen=True)

    run: str
    threads: tuple[ThreadProgress, ...]
    latest: RoundRecord | None
    paid: Took = Took()

    @property
    def status(self) -> RunStatus:
        """`failed` if any thread failed, `finished` if all have finished."""
        found = {t.status for t in self.threads}
        return "failed" if "failed" in found else "running" if "running" in found else "finished"

    @property
    def wanted(self) -> int:
        """Judgments wanted by all threads; one that two threads want counts twice."""
        return sum(t.wanted for t in self.threads)

    @property
    def answered(self) -> int:
        """Of those, answered."""
        return sum(t.answered for t in self.threads)

    @property
    def faults(self) -> str:
        """What failed threads say, a line each."""
        return "\n".join(f"{t.name}: {t.fault}" for t in self.threads if t.status == "failed")


def progress_of(database: Database, run: str) -> RunProgress:
    """Where a run stands now; without threads if there is no such run."""
    row = ThreadRow
    counts = _counts(run)
    query = (
        select(row.name, row.status, row.fault, row.round, row.stage, counts.c.wanted, counts.c.missing)
        .join(counts, counts.c.thread == row.id, isouter=True)
        .where(row.run == run)
    )
    with database.read() as connection:
        found = {r.name: r for r in connection.execute(query)}
    threads = tuple(
        ThreadProgress(
            name=r.name, status=r.status, fault=r.fault, round=r.round, stage=r.stage,
            wanted=r.wanted or 0, answered=(r.wanted or 0) - (r.missing or 0),
        )
        for r in (found[name] for name in thread_names(list(found)))
    )  # fmt: skip
    records = SqlLedger(database, run, f"{run}-main").records()
    latest = records[-1] if records else None
    return RunProgress(run=run, threads=threads, latest=latest, paid=tally(database, run).total)


def _counts(run: str):  # type: ignore[no-untyped-def]
    missing = case((and_(JudgmentRow.status == "missing", WantRow.void == ""), 1), else_=0)
    return (
        select(WantRow.thread, func.count().label("wanted"), func.sum(missing).label("missing"))
        .join(JudgmentRow, JudgmentRow.key == WantRow.key)
        .join(ThreadRow, and_(ThreadRow.id == WantRow.thread, ThreadRow.run == run))
        .group_by(WantRow.thread)
        .subquery()
    )
