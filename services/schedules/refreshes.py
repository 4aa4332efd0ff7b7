"""Refreshes as they are kept, and the one way in which one moves on: from the step it is at, or not at all."""

from __future__ import annotations

import json
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select, update

from agents.comparison import SetComparison
from agents.drift import DriftReport
from knowledge_base.errors import NotThere
from services.database import Database
from services.schedules.tables import RefreshRow, WindowRow
from services.schedules.terms import Terms

Step = Literal["gather", "judge", "examine", "mine", "propose", "approve", "done"]
RefreshStatus = Literal["running", "finished", "skipped", "failed", "cancelled"]
WindowStatus = Literal["due", "running", "finished", "skipped", "failed", "cancelled", "missed"]


class StepNote(BaseModel):
    """A step that was done: when (seconds since the epoch), and what came of it in a sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Step
    at: float
    told: str


class Refresh(BaseModel):
    """A refresh.

    Attributes:
        id, schedule: its own id, and the schedule's.
        window: whose it is; empty where a person began it.
        status: `running`, or how it ended; `skipped` where there was not enough to examine.
        step: the one to do next; `done` once it has ended well.
        fault: why it failed, or who cancelled it.
        number: unlike that of any other refresh.
        forced: whether it goes on with fewer new votes than the terms ask for.
        begun_by: who; the scheduler if empty.
        key: the API key that it is charged to; empty where a command began it.
        terms, source, criteria_set: of the schedule, as they stood when it began; `source` is the open dataset.
        dataset: content hash of the pairs it looked at; old, new: versions; mining: the run that mined the new one.
        drift: what moved, and what did not; None until it is examined.
        comparison: old against new; None where no new version was mined.
        steps: what was done, oldest first.
        created_at, gathered_at, ended_at: seconds since the epoch; 0 for not yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    schedule: str
    window: str
    status: RefreshStatus
    step: Step
    fault: str
    number: int
    forced: bool
    begun_by: str
    key: str
    terms: Terms
    source: str
    criteria_set: str
    dataset: str
    old: str
    new: str
    mining: str
    drift: DriftReport | None
    comparison: SetComparison | None
    steps: tuple[StepNote, ...]
    created_at: float
    gathered_at: float
    ended_at: float

    @property
    def thread(self) -> str:
        """The thread whose judgments it waits for."""
        return f"{self.id}-refresh"


class Window(BaseModel):
    """A window and what became of it; times are seconds since the epoch, 0 for never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: str
    window: str
    status: WindowStatus
    why: str
    refresh: str
    noted_at: float
    begun_at: float
    ended_at: float


_TOLD = tuple(c for c in RefreshRow.__table__.columns if c.name not in ("occupies", "plan", "order"))


def load_refresh(database: Database, refresh: str) -> Refresh:
    """A refresh by id.

    Raises:
        NotThere: there is none.
    """
    with database.read() as connection:
        found = connection.execute(select(*_TOLD).where(RefreshRow.id == refresh)).one_or_none()
    if found is None:
        raise NotThere(f"refresh {refresh!r} is not there; list the schedule's refreshes to find its id")
    return _refresh(found)


def list_refreshes(
    database: Database, schedule: str = "", before: int = 0, limit: int = 50, status: RefreshStatus | None = None
) -> list[Refresh]:
    """Refreshes, the newest first: those of a schedule, with a smaller number than `before`, in a status."""
    row, query = RefreshRow, select(*_TOLD)
    conditions = [
        *([row.schedule == schedule] if schedule else ()),
        *([row.number < before] if before else ()),
        *([row.status == status] if status else ()),
    ]
    query = query.where(*conditions).order_by(row.number.desc()).limit(limit)
    with database.read() as connection:
        return [_refresh(found) for found in connection.execute(query)]


def list_windows(database: Database, schedule: str, before: str = "", limit: int = 50) -> list[Window]:
    """Windows of a schedule that have come due, the latest first; those earlier than window `before`, if given."""
    row = WindowRow
    query = select(*row.__table__.columns).where(row.schedule == schedule)
    query = query.where(row.window < before) if before else query
    with database.read() as connection:
        found = connection.execute(query.order_by(row.window.desc()).limit(limit))
        return [Window.model_validate(dict(each._mapping)) for each in found]


def move_on(connection: Connection, refresh: Refresh, step: Step, told: str, **columns: Any) -> bool:
    """Write that the refresh's step is done, with what it found, and what comes next.

    Returns:
        False, and nothing is written, if the refresh is not at that step any more: somebody else has done it, or the
        refresh has ended. Whatever else the transaction writes must then not stand.
    """
    note = StepNote(step=refresh.step, at=time.time(), told=told)
    steps = json.dumps([s.model_dump() for s in (*refresh.steps, note)])
    here = (RefreshRow.id == refresh.id, RefreshRow.step == refresh.step, RefreshRow.status == "running")
    moved = update(RefreshRow).where(*here).values(step=step, steps=steps, **columns)
    return connection.execute(moved).rowcount == 1


def end(connection: Connection, refresh: Refresh, status: RefreshStatus, why: str, at: float, **columns: Any) -> bool:
    """End a running refresh and its window; False if it has ended before."""
    running = (RefreshRow.id == refresh.id, RefreshRow.status == "running")
    ended = {"status": status, "fault": why if status in ("failed", "cancelled") else "", "ended_at": at}
    given = update(RefreshRow).where(*running).values(**ended, occupies=None, **columns)
    if connection.execute(given).rowcount != 1:
        return False
    window = (WindowRow.schedule == refresh.schedule, WindowRow.refresh == refresh.id, WindowRow.status == "running")
    connection.execute(update(WindowRow).where(*window).values(status=status, why=why, ended_at=at))
    return True


def kept_json(database: Database, refresh: str, column: Literal["plan", "order"]) -> str:
    """What an earlier step of a refresh wrote down for the later ones; empty until then."""
    with database.read() as connection:
        found = connection.execute(select(getattr(RefreshRow, column)).where(RefreshRow.id == refresh)).scalar_one()
    return str(found)


def _refresh(row: Any) -> Refresh:
    comparison = SetComparison.model_validate_json(row.comparison) if row.comparison else None
    read = {
        "terms": Terms.model_validate_json(row.terms), "comparison": comparison,
        "drift": DriftReport.model_validate_json(row.drift) if row.drift else None,
        "steps": tuple(StepNote.model_validate(s) for s in json.loads(row.steps)),
    }  # fmt: skip
    return Refresh.model_validate({**row._mapping, **read})
