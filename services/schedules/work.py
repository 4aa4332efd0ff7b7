"""What a step of a refresh works with: the refresh, its plan, the approved set, and what the judge is asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sqlalchemy import select

from agents.criteria_set import CriteriaSet
from agents.judgments import Ask
from agents.panel import Panel
from agents.refresh_plan import RefreshPlan
from knowledge_base.criterion import Criterion
from services.criteria_sets.reading import load_set
from services.criteria_sets.stored import StoredSet
from services.database import Database
from services.deployment import Deployment
from services.mining_thread import StoredRun, load_run
from services.schedules.asking import fresh_asks, usual_asks
from services.schedules.groundwork import Groundwork
from services.schedules.refreshes import Refresh, kept_json
from services.schedules.register import Schedule, load_schedule
from services.schedules.tables import AnchorRow
from services.tables import WantRow

Pause = Literal["none", "judgments", "mining"]
"""What a refresh waits for after a step."""

Pins = Mapping[str, Mapping[str, int]]
"""Anchor pair -> criterion -> what was said when it was pinned: +1 for A, -1 for B, 0 for an abstention."""


@dataclass(frozen=True)
class Asks:
    """What is asked for a refresh.

    Attributes:
        pairs: the approved set's votes on pairs.
        pinning: answers to pin, of anchors that were never asked.
        again: of anchors that are pinned, asked anew.
    """

    pairs: list[Ask]
    pinning: list[Ask]
    again: list[Ask]

    @property
    def all(self) -> list[Ask]:
        """Each once."""
        return list({ask.key: ask for ask in (*self.pairs, *self.pinning, *self.again)}.values())

    def on(self, pairs: Collection[str]) -> list[Ask]:
        """The approved set's votes on some of the pairs."""
        wanted = set(pairs)
        return [ask for ask in self.pairs if ask.pair in wanted]


@dataclass(frozen=True)
class Work:
    """A refresh at one of its steps."""

    deployment: Deployment
    refresh: Refresh

    @property
    def database(self) -> Database:
        """Where it all stands."""
        return self.deployment.database

    @cached_property
    def schedule(self) -> Schedule:
        """Whose refresh it is."""
        return load_schedule(self.database, self.refresh.schedule)

    @cached_property
    def groundwork(self) -> Groundwork:
        """What the first step wrote down."""
        return Groundwork.model_validate_json(kept_json(self.database, self.refresh.id, "plan"))

    @property
    def plan(self) -> RefreshPlan:
        """Which pairs are for what."""
        return self.groundwork.plan

    @cached_property
    def run(self) -> StoredRun:
        """The frozen dataset and the facts that the refresh keeps to."""
        return load_run(self.database, self.refresh.id)

    @property
    def panel(self) -> Panel:
        """Who judged when the refresh began, and judges to its end."""
        return self.run.facts.panel

    @cached_property
    def approved(self) -> StoredSet:
        """The version that was approved when the refresh began."""
        return load_set(self.database, self.refresh.old, self.refresh.criteria_set)

    @property
    def old(self) -> CriteriaSet:
        """The approved set."""
        return self.approved.criteria_set

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """Its criteria that every worker can judge by; the others do not vote."""
        judges = self.deployment.parties.workers()
        return tuple(c for c in self.old.criteria if all(judge.can_judge(c) for judge in judges))

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """Of those criteria."""
        return tuple(c.hash for c in self.criteria)

    @cached_property
    def asks(self) -> Asks:
        """What is asked."""
        panel, pins = self.panel, self.pins
        usual = usual_asks(panel, self.hashes, self.plan.anchors)
        again = fresh_asks(panel, self.hashes, self.plan.anchors, self.refresh.number)
        return Asks(
            pairs=usual_asks(panel, self.hashes, self.plan.free),
            pinning=[a for a in usual if a.criterion not in pins.get(a.pair, {})],
            again=[a for a in again if a.criterion in pins.get(a.pair, {})],
        )

    @cached_property
    def pins(self) -> Pins:
        """What is pinned of the anchors; it changes only as the examination ends."""
        row = AnchorRow
        mine = (row.schedule == self.refresh.schedule, row.version == self.refresh.old)
        with self.database.read() as connection:
            found = connection.execute(select(row.pair, row.answers).where(*mine))
            return {pair: json.loads(answers) for pair, answers in found if pair in set(self.plan.anchors)}

    @property
    def causes(self) -> tuple[str, ...]:
        """What the examination found to have moved."""
        report = self.refresh.drift
        return tuple(c.cause for c in report.causes if c.finding == "drift") if report else ()

    @property
    def wanted(self) -> bool:
        """Whether the judgments have been asked for; they are all at once."""
        with self.database.read() as connection:
            query = select(WantRow.key).where(WantRow.thread == self.refresh.thread).limit(1)
            return connection.execute(query).first() is not None
