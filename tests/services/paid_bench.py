"""Deployments whose worker and manager are chat models behind a real endpoint, in which a simulated world answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from workbench import bench, work_off

from agents.pairs import Dataset
from benchmarks.scripted.faults import Script
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.setup import Setup
from benchmarks.world.catalogue import knowledge_base
from benchmarks.world.people import DESCRIPTION, World
from knowledge_base.index import Index
from services.budget import Budget
from services.chat_parties import ChatParties
from services.database import Database
from services.deployment import Deployment
from services.run_config import RunConfig
from services.runs import create_run
from services.settings import Settings, load_settings
from services.tables import CallRow, JudgmentRow, ReplyRow

SEED = 1003
MODEL = "openai:scripted"
PAPER = RunConfig(policy="paper", size=4, rounds=2, knowledge_base=False)
"""A small run: its calls are easily counted, and its 18 mining and 6 sealed pairs soon judged."""


@contextmanager
def endpoint(service: Service | None = None, script: Script | None = None) -> Iterator[ThreadedEndpoint]:
    """An endpoint behind which a world answers."""
    # uvicorn tells of clients that go away, which tests make them do.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    answer, arguments = "benchmarks.world.dialect:world_answer", {"seed": SEED}
    setup = Setup(answer, arguments, service or Service(), script or Script())
    with ThreadedEndpoint(setup.engine()) as served:
        yield served


def world_pairs(stream: str, n: int) -> Dataset:
    """Pairs of the world."""
    return Dataset(name=stream, description=DESCRIPTION, pairs=tuple(World(SEED).pairs(n, stream)))


MINED, SEALED = world_pairs("mining", 18), world_pairs("sealed", 6)


def pairs_file(path: Path, dataset: Dataset) -> Path:
    """The pairs as a user would have them."""
    rows = [p.model_dump(include={"id", "prompt", "a", "b", "preferred"}) for p in dataset.pairs]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@lru_cache(maxsize=1)
def small_base() -> Index:
    """A knowledge base of a few entries: embedding the whole catalogue would be most of a test's time."""
    return Index.build(knowledge_base(World(SEED), 8))


class SmallParties(ChatParties):
    """Chat parties over the small knowledge base."""

    @cached_property
    def index(self) -> Index:
        """See `small_base`."""
        return small_base()

    def close(self) -> None:
        """Give back what gates hold in Redis."""
        for gate, _ in self._doors.values():
            if hasattr(gate, "close"):
                gate.close()


def parties(settings: Settings, database: Database) -> SmallParties:
    """As `Settings.parties` names it."""
    return SmallParties(settings, database)


def chat_settings(url: str, **overrides: Any) -> Settings:
    """Settings that name the model at `url` as worker and manager."""
    named: dict[str, Any] = {
        "parties": "paid_bench", "worker_model": MODEL, "worker_base_url": url, "worker_api_key": "none-needed",
        "call_tries": 2, "in_flight": 16,
    }  # fmt: skip
    return load_settings(**named | overrides)


@contextmanager
def paid_bench(place: Path, url: str, **overrides: Any) -> Iterator[Deployment]:
    """An open deployment with its own server and database, without workers, whose models are at `url`."""
    settings = chat_settings(url, **overrides)
    with ExitStack() as stack:
        deployment = stack.enter_context(bench(place, **settings.model_dump(exclude={"redis_url"})))
        parties = SmallParties(deployment.settings, deployment.database)
        stack.callback(parties.close)
        deployment.__dict__["parties"] = parties
        yield deployment


@contextmanager
def reopened(deployment: Deployment, **changed: Any) -> Iterator[Deployment]:
    """The same database and queue as a process with other settings opens them."""
    settings = load_settings(**deployment.settings.model_dump() | changed)
    other = Deployment(settings, Database(settings.database), deployment.queue)
    parties = SmallParties(settings, other.database)
    other.__dict__["parties"] = parties
    try:
        yield other
    finally:
        parties.close()
        other.database.close()


def paid_run(
    deployment: Deployment,
    config: RunConfig = PAPER,
    budget: Budget | None = None,
    test: Dataset | None = SEALED,
) -> str:
    """A run over the world's pairs, tested on others of it unless `test` is None."""
    chosen = config.model_copy(update={"budget": budget or Budget()})
    return create_run(deployment.database, deployment.parties, MINED, chosen, test)


def mine(deployment: Deployment, run: str, names: tuple[str, ...] = ("main",)) -> None:
    """Wake a run's threads and do what is to be done until nothing is."""
    deployment.queue.advance(f"{run}-{name}" for name in names)
    work_off(deployment)


def by_stage(database: Database, run: str) -> dict[str, int]:
    """Calls of a run by (part of the run)/(what they were for), in which only those that were sent count."""
    row = CallRow
    query = select(row.work, row.stage, func.count()).where(row.run == run, row.ended != "cancelled")
    with database.read() as connection:
        return {f"{w}/{s}": n for w, s, n in connection.execute(query.group_by(row.work, row.stage))}


def judgments(database: Database) -> Mapping[str, int]:
    """How many judgments there are of each status."""
    query = select(JudgmentRow.status, func.count()).group_by(JudgmentRow.status)
    with database.read() as connection:
        return {status: n for status, n in connection.execute(query)}  # noqa: C416 - a Row is no tuple to a type checker


def replies(database: Database) -> int:
    """How many replies the journal holds."""
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(ReplyRow)).scalar_one())
