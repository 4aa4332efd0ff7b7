"""A small world for refreshes: an open dataset that people vote on, an approved set mined from it, and a schedule.

People like texts with many letters `e`. From the second batch on a test may have them like another letter, which the
approved set does not know. Everything is decided by numbers that the test gives.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from letter_parties import LetterParties, letter_criterion, letter_dataset
from sqlalchemy import select, update
from workbench import bench, work_off
from workbench import finish as finish_run

from agents.assessment import assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.pairs import Dataset, Pair
from agents.votes import tally
from services.annotation.dataset import Sampling, create_dataset
from services.annotation.freezing import freeze
from services.annotation.pairs import PairIn, add_pairs
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import approved_set
from services.criteria_sets.stored import StoredSet
from services.deployment import Deployment
from services.result_reading import result_of
from services.run_config import RunConfig
from services.runs import create_run
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import Refresh, load_refresh
from services.schedules.register import Schedule, ScheduleSpec, change_schedule, create_schedule
from services.schedules.tables import WindowRow
from services.schedules.terms import Terms
from services.schedules.tick import Happened, tick
from services.tables import JudgmentRow, ThreadRow
from services.webhooks.tables import EventRow

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONFIG = RunConfig(size=4, rounds=2, minimum=10)
TERMS = Terms(minimum=10, anchors=8, texts=False)


@dataclass
class World:
    """What a test works on."""

    deployment: Deployment
    dataset: str
    approved: StoredSet
    schedule: Schedule
    now: datetime = START

    @property
    def database(self) -> Any:
        return self.deployment.database

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def look(self) -> list[Happened]:
        """One look of a scheduler."""
        return tick(self.deployment, self.now)

    def run_out(self, most: int = 20) -> None:
        """Look and work until nothing is left to do."""
        for _ in range(most):
            happened, done = self.look(), work_off(self.deployment)
            if not happened and not done:
                return
        raise AssertionError("it does not come to an end")

    def refresh(self, **more: Any) -> Refresh:
        """A refresh begun by hand and taken to its end."""
        begun = refresh_now(self.database, self.schedule.id, "ada", self.now, **more)
        self.run_out()
        return load_refresh(self.database, begun.id)

    def vote(self, pairs: int = 20, seed: int = 1, liked: str = "e", noise: float = 0.1) -> Dataset:
        """New pairs with votes."""
        return vote_on(self.database, self.dataset, letter_dataset(pairs, seed, liked, noise))

    def windows(self) -> dict[str, str]:
        """Status of every window."""
        query = select(WindowRow.window, WindowRow.status).where(WindowRow.schedule == self.schedule.id)
        with self.database.read() as connection:
            return {w: status for w, status in connection.execute(query.order_by(WindowRow.window))}  # noqa: C416

    def events(self) -> list[str]:
        """Names of what was announced, in order."""
        with self.database.read() as connection:
            return list(connection.execute(select(EventRow.event).order_by(EventRow.at, EventRow.id)).scalars())

    def threads(self, run: str) -> dict[str, str]:
        """Status of a run's threads."""
        with self.database.read() as connection:
            found = connection.execute(select(ThreadRow.name, ThreadRow.status).where(ThreadRow.run == run))
            return {name: status for name, status in found}  # noqa: C416

    def break_thread(self, thread: str, fault: str) -> None:
        """Have a thread be given up."""
        with self.database.write() as connection:
            given_up = update(ThreadRow).where(ThreadRow.id == thread)
            connection.execute(given_up.values(status="failed", fault=fault))


def vote_on(database: Any, dataset: str, data: Dataset, annotator: str = "ann") -> Dataset:
    """Add pairs and one person's votes on them."""
    decided = [p for p in data.pairs if p.preferred != "tie"]
    placed = add_pairs(database, dataset, [PairIn(a=p.a, b=p.b) for p in decided])
    both = zip(placed, decided, strict=True)
    add_votes(database, dataset, [VoteIn(pair=at.pair, annotator=annotator, choice=p.preferred) for at, p in both])
    return data


def build(
    deployment: Deployment, pairs: int = 40, terms: Terms = TERMS, cron: str = "0 * * * *", zone: str = "UTC",
    by_hand: str = "", ranked: int = 0,
) -> World:  # fmt: skip
    """The world as the first set is approved: mined, or made by hand of the criterion about these letters."""
    database = deployment.database
    opened = create_dataset(database, "letters", "Which text is better?", secret="s", sampling=Sampling())
    vote_on(database, opened.id, ranking(ranked) if ranked else letter_dataset(pairs))
    frozen = freeze(database, opened.id)
    run = "" if by_hand else _mined(deployment, frozen)
    made = set_by_hand(by_hand, frozen.hash) if by_hand else result_of(database, run).criteria_set
    stored = keep_set(database, made, name="letters", dataset=opened.id, run=run)
    decide(database, "letters", stored.version, "approve", "good", "ada")
    spec = ScheduleSpec(name="hourly", dataset=opened.id, criteria_set="letters", cron=cron, zone=zone, terms=terms)
    return World(deployment, opened.id, stored, create_schedule(database, spec, "ada", START))


def ranking(prompts: int, answers: int = 4) -> Dataset:
    """Every answer to a prompt compared with every other one, so that each text stands in several pairs."""
    texts = [text for p in letter_dataset(prompts * answers // 2, seed=8).pairs for text in (p.a, p.b)]
    ranked = [two for i in range(prompts) for two in combinations(texts[answers * i : answers * (i + 1)], 2)]
    told = [(a, b, "a" if a.count("e") > b.count("e") else "b") for a, b in ranked]
    pairs = tuple(Pair(id=str(i), a=a, b=b, preferred=p) for i, (a, b, p) in enumerate(told))  # type: ignore[arg-type]
    return Dataset(name="ranked", pairs=pairs)


def _mined(deployment: Deployment, frozen: Dataset) -> str:
    run = create_run(deployment.database, LetterParties(), frozen, CONFIG)
    finish_run(deployment, run)
    return run


def set_by_hand(letters: str, dataset: str = "", weight: float = 1.0) -> CriteriaSet:
    """A set of one criterion that nobody mined."""
    wanted = letter_criterion(letters)
    unmeasured = assess(tally([wanted.hash], [], []), np.empty(0, dtype=np.int8))[0]
    lineage = Lineage(dataset=dataset, pairs=0, judge="", manager="", policy="by hand", rounds=0, size=0, seed=0)
    member = Member(criterion=wanted, weight=weight, mining=unmeasured)
    return CriteriaSet(members=(member,), method="by hand", lineage=lineage)


_built: dict[str, tuple[bytes, World]] = {}


@contextmanager
def world(place: Path, settings: Mapping[str, Any] | None = None, **how: Any) -> Iterator[World]:
    """A world in this place; one that was built before in the same way is copied."""
    key, home = repr(sorted(how.items())), place / "home"
    if "TOUCHSTONE_DATABASE_URL" in os.environ:
        with bench(place, **(settings or {})) as deployment:
            yield build(deployment, **how)
        return
    if key in _built:
        home.mkdir(parents=True)
        (home / "touchstone.sqlite").write_bytes(_built[key][0])
    with bench(place, **(settings or {})) as deployment:
        if key not in _built:
            made = build(deployment, **how)
            with closing(sqlite3.connect(home / "touchstone.sqlite")) as connection:
                _built[key] = connection.serialize(), made
        yield replace(_built[key][1], deployment=deployment, now=START)


def approved_version(letters: World) -> str:
    found = approved_set(letters.database, "letters")
    return found.version if found else ""


def asked(letters: World, refresh: Refresh) -> list[tuple[str, int]]:
    """Pair and sample of every judgment that a refresh had made."""
    row = JudgmentRow
    query = select(row.pair, row.sample).where(row.asked_by == refresh.id).order_by(row.pair, row.sample)
    with letters.database.read() as connection:
        return [(r.pair, r.sample) for r in connection.execute(query)]


def with_terms(letters: World, **changes: Any) -> None:
    spec = ScheduleSpec(**letters.schedule.model_dump(include=set(ScheduleSpec.model_fields)))
    changed = spec.model_copy(update={"terms": TERMS.model_copy(update=changes)})
    letters.schedule = change_schedule(letters.database, letters.schedule.id, changed, letters.now)
