"""What the scheduler sees to, each duty by itself: repairs, ended runs, schedules, webhooks, sums, removal.

A duty is a function that looks once. It may be killed at any moment and may be done by two at once; none waits for
another, and one that fails is tried again at its next turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update

from services.closing import close_finished
from services.database import insert_new
from services.deployment import Deployment
from services.labelling.register import load_labelling
from services.labelling.sweeping import LabelSweeper
from services.labelling.tables import LabellingRow
from services.retention import remove_old
from services.roles.settings import roles_of
from services.roles.tables import LeaderRow
from services.schedules.tick import tick
from services.sweeper import Sweeper
from services.telemetry.call_sums import sum_up
from services.webhooks.delivering import deliver

MOST_AT_ONCE = 50
"""Batches of webhooks sent in one look, so that the scheduler can end in between."""

DAILY = "retention"


@dataclass(frozen=True)
class Duty:
    """Something to look after.

    Attributes:
        name: for logs and metrics.
        seconds: pause between two looks.
        look: does what is due; returns how much that was.
    """

    name: str
    seconds: float
    look: Callable[[], int]


def duties(deployment: Deployment, done: threading.Event | None = None) -> list[Duty]:
    """The duties of a scheduler; a long look ends early once `done`."""
    ending = done or threading.Event()
    settings, roles = deployment.settings, roles_of(deployment.settings)
    labellings = Labellings(deployment)
    pause = roles.schedule_seconds
    return [
        Duty("runs", settings.sweep_seconds, lambda: _swept(deployment)),
        Duty("labellings", settings.sweep_seconds, labellings.sweep),
        Duty("closing", pause, lambda: close_finished(deployment)),
        Duty("schedules", pause, lambda: len(tick(deployment, _now()))),
        Duty("webhooks", pause, lambda: _delivered(deployment, ending)),
        Duty("sums", 30.0, lambda: sum_up(deployment.database)),
        Duty(DAILY, 60.0, lambda: _removed(deployment)),
    ]


def _now() -> datetime:
    return datetime.now(UTC)


def _swept(deployment: Deployment) -> int:
    Sweeper(deployment).sweep()
    return 0


class Labellings:
    """Labellings that run, each loaded once: its criteria set and its panel never change."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._sweepers: dict[str, LabelSweeper] = {}

    def sweep(self) -> int:
        """Hand out what is open of each, and end those that are done; returns how many run."""
        row = LabellingRow
        query = select(row.id, row.done, row.pairs).where(row.status == "running").order_by(row.created_at)
        with self._deployment.database.read() as connection:
            running = connection.execute(query).all()
        self._sweepers = {r.id: self._sweeper(r.id) for r in running if r.done < r.pairs}
        for sweeper in self._sweepers.values():
            sweeper.sweep()
        self._end([r.id for r in running if r.done >= r.pairs])
        return len(self._sweepers)

    def _sweeper(self, labelling: str) -> LabelSweeper:
        known = self._sweepers.get(labelling)
        return known or LabelSweeper(self._deployment, load_labelling(self._deployment.database, labelling))

    def _end(self, done: list[str]) -> None:
        row = LabellingRow
        if done:
            ended = update(row).where(row.id.in_(done), row.status == "running", row.done >= row.pairs)
            with self._deployment.database.write() as connection:
                connection.execute(ended.values(status="finished"))


def _delivered(deployment: Deployment, done: threading.Event) -> int:
    tried = 0
    for _ in range(MOST_AT_ONCE):
        report = deliver(deployment.database, deployment.settings)
        tried += report.tried
        if not report.tried or done.is_set():
            break
    return tried


def _removed(deployment: Deployment) -> int:
    """Remove what is kept no longer, if that was not done lately by whichever scheduler."""
    row, now = LeaderRow, time.time()
    pause = roles_of(deployment.settings).retention_hours * 3600
    with deployment.database.write() as connection:
        insert_new(connection, row, [{"duty": DAILY, "owner": "", "until": 0.0, "since": 0.0, "taken": 0}])
        due = update(row).where(row.duty == DAILY, row.until < now).values(until=now + pause, since=now)
        if not connection.execute(due).rowcount:
            return 0
    return sum(part.removed for part in remove_old(deployment.database, roles_of(deployment.settings), now))
