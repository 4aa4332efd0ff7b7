"""What is kept no longer: removed a little at a time, never what evidence or an account of actions refers to.

Judgments, runs, criteria sets, labels and what people said are kept for ever: they are the evidence. What may go is
what only served to get there, each kind by a setting in days.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, text, tuple_
from sqlalchemy import inspect as inspected

from services.annotation.settings import spool_of
from services.annotation.spool import left_behind, remove_left_behind
from services.api.tables import OnceRow
from services.checkpoints import checkpointer
from services.criteria_sets.tables import CriteriaSetRow
from services.database import Database
from services.labelling.tables import LabelRow
from services.roles.settings import RoleSettings
from services.roles.tables import TurnRow
from services.tables import CallRow, JudgmentRow, MeasurementRow, ReplyRow, RunRow, Tables, ThreadRow
from services.telemetry.call_sums import summed_until
from services.webhooks.deliveries import forget_events
from services.webhooks.tables import DeliveryRow, EventRow, WebhookRow

AT_ONCE = 500
"""Rows removed in one transaction: milliseconds, so that nobody waits long for one."""

REST_SECONDS = 0.02
"""Pause between two of them, in which others write."""

DAY = 86400.0


class Removal(BaseModel):
    """What came of one policy.

    Attributes:
        what: is removed.
        kept_days: for how long it is kept; 0: for ever.
        removed: how many were, or would be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    kept_days: int
    removed: int


def remove_old(
    database: Database, settings: RoleSettings, now: float | None = None, *, dry_run: bool = False
) -> list[Removal]:
    """Remove what is kept no longer. It may be stopped at any moment, and be done by two at once.

    Args:
        database: where.
        settings: for how long each kind is kept.
        now: seconds since the epoch; None: now.
        dry_run: only count.
    """
    at = time.time() if now is None else now
    done: list[Removal] = []
    for policy in policies(settings):
        before = at - policy.days * DAY
        if not policy.days:
            removed = 0
        elif dry_run:
            removed = policy.count(database, before)
        else:
            removed = _repeatedly(lambda policy=policy, before=before: policy.remove(database, before))  # type: ignore[misc]
        done.append(Removal(what=policy.what, kept_days=policy.days, removed=removed))
    return done


def policies(settings: RoleSettings) -> list[Policy]:
    """All policies, as the settings have them."""
    return [
        Rows("calls", settings.keep_calls_days, CallRow, _old_call),
        Rows("replies", settings.keep_replies_days, ReplyRow, lambda _, before: ReplyRow.at < before),
        Rows("requests", settings.keep_requests_days, OnceRow, lambda _, before: OnceRow.at < before),
        Rows("hand-outs", settings.keep_jobs_days, TurnRow, _old_turn),
        Rows("measurements", int(not settings.keep_old_measurements), MeasurementRow, _old_measurement),
        Checkpoints(settings.keep_checkpoints_days),
        Events(settings.keep_deliveries_days),
        Uploads(spool_of(settings)),
    ]


class Policy(ABC):
    """How one kind of thing is removed.

    Args:
        what: it is.
        days: for which it is kept; 0: for ever.
    """

    def __init__(self, what: str, days: int) -> None:
        self.what, self.days = what, days

    @abstractmethod
    def count(self, database: Database, before: float) -> int:
        """How many there are of before a moment (seconds since the epoch)."""

    @abstractmethod
    def remove(self, database: Database, before: float) -> int:
        """Remove some of them; returns how many, 0 once there are none."""


class Rows(Policy):
    """Rows of a table that meet a condition."""

    def __init__(
        self,
        what: str,
        days: int,
        table: type[Tables],
        condition: Callable[[Connection, float], ColumnElement[bool]],
    ) -> None:
        super().__init__(what, days)
        self._table, self._condition = table, condition

    def count(self, database: Database, before: float) -> int:
        with database.read() as connection:
            query = select(func.count()).select_from(self._table).where(self._condition(connection, before))
            return int(connection.execute(query).scalar_one())

    def remove(self, database: Database, before: float) -> int:
        keys: Any = inspected(self._table).primary_key
        with database.write() as connection:
            some = select(*keys).where(self._condition(connection, before)).limit(AT_ONCE)
            found = [tuple(row) for row in connection.execute(some)]
            # Of two that do this at once, the later one finds fewer or none of them.
            mine = tuple_(*keys).in_(found) if len(keys) > 1 else keys[0].in_([key for (key,) in found])
            return connection.execute(delete(self._table).where(mine)).rowcount if found else 0


class Checkpoints(Policy):
    """The manager's states of runs that have finished: what came of them stands elsewhere.

    A failed run keeps them, since whoever mends what failed it has it go on from there.
    """

    def __init__(self, days: int) -> None:
        super().__init__("checkpoints", days)

    def count(self, database: Database, before: float) -> int:
        return len(self._threads(database, before))

    def remove(self, database: Database, before: float) -> int:
        some = self._threads(database, before)[:20]
        if some:
            with checkpointer(database) as saver:
                for thread in some:
                    saver.delete_thread(thread)
        return len(some)

    def _threads(self, database: Database, before: float) -> list[str]:
        other = ThreadRow.__table__.alias("other")
        goes_on = exists().where(other.c.run == ThreadRow.run, other.c.status != "finished")
        query = (
            select(ThreadRow.id).join(RunRow, RunRow.id == ThreadRow.run).where(RunRow.created_at < before, ~goes_on)
        )
        with database.read() as connection:
            if not inspected(connection).has_table("checkpoints"):
                return []
            kept = set(connection.execute(text("SELECT DISTINCT thread_id FROM checkpoints")).scalars())
            return sorted(kept & set(connection.execute(query).scalars()))


class Events(Policy):
    """Webhooks that are due to nobody any more, with how their deliveries went."""

    def __init__(self, days: int) -> None:
        super().__init__("webhooks", days)

    def count(self, database: Database, before: float) -> int:
        due = exists().where(
            DeliveryRow.event == EventRow.id, DeliveryRow.status == "waiting", WebhookRow.id == DeliveryRow.webhook,
            WebhookRow.enabled,
        )  # fmt: skip
        with database.read() as connection:
            query = select(func.count()).select_from(EventRow).where(EventRow.at < before, ~due)
            return int(connection.execute(query).scalar_one())

    def remove(self, database: Database, before: float) -> int:
        return forget_events(database, before)


class Uploads(Policy):
    """Files of uploads whose process was killed. A day is more than any takes.

    Args:
        folder: where files lie while they are read; None: the system's own.
    """

    def __init__(self, folder: Path | None) -> None:
        super().__init__("uploads", 1)
        self._folder = folder

    def count(self, _database: Database, before: float) -> int:
        return len(left_behind(self._folder, before))

    def remove(self, _database: Database, before: float) -> int:
        return remove_left_behind(self._folder, before)


def _old_call(connection: Connection, before: float) -> ColumnElement[bool]:
    """One that is in the sums, of nothing that still runs, and of no run whose set was offered or approved."""
    running = exists().where(ThreadRow.run == CallRow.run, ThreadRow.status != "finished")
    evidence = exists().where(CriteriaSetRow.run == CallRow.run)
    return and_(CallRow.at < before, CallRow.id <= summed_until(connection), ~running, ~evidence)


def _old_turn(_connection: Connection, before: float) -> ColumnElement[bool]:
    """One that no missing judgment and no open pair waits for."""
    judged = exists().where(JudgmentRow.batch == TurnRow.batch, JudgmentRow.status == "missing")
    labelled = exists().where(LabelRow.chunk == TurnRow.batch, ~LabelRow.done)
    return and_(TurnRow.at < before, ~or_(judged, labelled))


def _old_measurement(_connection: Connection, _before: float) -> ColumnElement[bool]:
    """One by other signals than this program's."""
    from agents.signals.measurement import signals_version

    return MeasurementRow.version != signals_version()


def _repeatedly(remove: Callable[[], int]) -> int:
    total = 0
    while removed := remove():
        total += removed
        time.sleep(REST_SECONDS)
    return total


def told(removals: Sequence[Removal], *, dry_run: bool) -> list[str]:
    """A line for each policy."""
    verb = "would be removed" if dry_run else "removed"
    return [
        f"{r.what:<13} {f'{r.removed:,} {verb}' if r.kept_days else 'kept for ever'}"
        + (f" (older than {r.kept_days} days)" if r.kept_days and r.what != "measurements" else "")
        for r in removals
    ]
