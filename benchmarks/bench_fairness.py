"""Fair shares: runs of very different sizes put to work at once, and when each ends against its fair share.

    python -m benchmarks.bench_fairness [--runs 50] [--workers 2] [--write]

A judge that takes a fixed time a question, so that what is measured is the sharing. The largest runs are handed out
first, the worst case for whoever comes after. A run's ideal end is that under equal sharing of the rate that was
reached (processor sharing); its slowdown is its end divided by that. Jain's index (Jain, Chiu and Hawe, DEC-TR-301,
1984) is over the inverse slowdowns of the runs that are not so small that they go first; 1 where all are served alike.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import cast

from sqlalchemy import func, select

from agents.judge import Judge, Question
from agents.judgments import Ask, Judgment
from agents.manager import Manager
from agents.pairs import Dataset, Pair
from agents.panel import Panel, seat_of
from benchmarks.page import table, write_section
from knowledge_base.criterion import Criterion, Domain, Provenance
from services.batches import hand_out
from services.database import Database
from services.deployment import Deployment, opened
from services.embedded_redis import EmbeddedRedis
from services.lease import take
from services.run_config import RunConfig
from services.runs import create_run
from services.settings import Settings, load_settings
from services.sql_ledger import SqlLedger
from services.tables import JudgmentRow, WantRow
from services.turns import SMALL
from services.workforce import Workforce

BATCH, LARGEST = 20, 64
"""Judgments in a batch, and batches of the largest run."""

QUESTION_SECONDS = 0.0015
LONG = 3600.0
SOURCE = Provenance(kind="mined", source="fairness benchmark", year=2026)
ONLY = Criterion(name="Any", description="The better text comes first.", provenance=SOURCE)


class SteadyJudge:
    """Says A, after a fixed time."""

    symmetric, fingerprint = True, "steady/1"

    def can_judge(self, criterion: Criterion) -> bool:
        """Everything."""
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        """One after the other."""
        for ask, _, _ in questions:
            await asyncio.sleep(QUESTION_SECONDS)
            yield Judgment(key=ask.key, status="decided", verdict="A", margin=1.0)


class SteadyParties:
    """That judge; no manager is ever asked."""

    def workers(self) -> tuple[Judge, ...]:
        """The judge."""
        return (SteadyJudge(),)

    def panel(self) -> Panel:
        """The judge alone."""
        return Panel(seats=tuple(map(seat_of, self.workers())))

    def manager(self) -> Manager:
        """Nobody but a name."""
        return cast(Manager, SimpleNamespace(fingerprint="nobody/1"))

    def domain(self, dataset: Dataset) -> Domain:
        """Any."""
        return "answers"

    def preload(self) -> None:
        """Nothing."""


def parties(settings: Settings, database: Database) -> SteadyParties:
    """As `Settings.parties` names it."""
    return SteadyParties()


def sizes(runs: int) -> list[int]:
    """Batches of each run, log-uniform from 1 to `LARGEST`, the largest first."""
    rng = random.Random(11)
    return sorted((round(LARGEST ** rng.random()) for _ in range(runs)), reverse=True)


def ends(workers: int, batches: Sequence[int], *, shared: bool) -> list[float]:
    """Seconds after which each run had its last answer; all at once on the queue unless `shared`."""
    with TemporaryDirectory() as folder:
        settings = load_settings(
            home=Path(folder), workers=workers, database_url="", redis_url="", parties="benchmarks.bench_fairness",
            batch_size=BATCH,
        )  # fmt: skip
        with EmbeddedRedis(settings.home) as server:
            reached = settings.model_copy(update={"redis_url": server.url})
            database = Database(reached.database).create()
            threads = [_wanted(database, i, count * BATCH) for i, count in enumerate(batches)]
            with Workforce(reached, server.folder, server.adopt), opened(reached) as deployment:
                while deployment.queue.workers() < workers:
                    time.sleep(0.05)
                return _timed(deployment, threads, shared)


def _timed(deployment: Deployment, threads: Sequence[str], shared: bool) -> list[float]:
    handed = {t: hand_out(deployment.database, t, BATCH, deployment.queue.new_batch) for t in threads}
    start = time.time()
    for thread, batches in handed.items():
        if shared:
            deployment.turns.offer(thread, thread, batches)
        else:
            deployment.queue.judge(batches)
    missing = select(func.count()).select_from(JudgmentRow).where(JudgmentRow.status == "missing")
    while _scalar(deployment.database, missing):
        time.sleep(0.2)
    last = select(WantRow.thread, func.max(JudgmentRow.answered_at)).join(JudgmentRow, JudgmentRow.key == WantRow.key)
    with deployment.database.read() as connection:
        found = {thread: at - start for thread, at in connection.execute(last.group_by(WantRow.thread))}
    return [found[t] for t in threads]


def _wanted(database: Database, number: int, judgments: int) -> str:
    """A thread that wants so many judgments of its own, and is not to be advanced when it has them."""
    names = [f"{number} {i}" for i in range(judgments)]
    pairs = tuple(Pair(id=name, a=f"{name} a", b=f"{name} b", preferred="a") for name in names)
    run = create_run(database, SteadyParties(), Dataset(name=str(number), pairs=pairs), RunConfig(holdout="none"))
    thread = f"{run}-main"
    ledger = SqlLedger(database, run, thread)
    ledger.remember([ONLY])
    ledger.want([Ask(judge="steady/1", criterion=ONLY.hash, pair=p.hash) for p in pairs])
    # Whoever would advance it finds it taken.
    assert take(database, thread, LONG) is not None
    return thread


def ideal(batches: Sequence[int], rate: float) -> list[float]:
    """When each run would end if all that are not done shared the rate (batches a second) equally."""
    found = [0.0] * len(batches)
    left, clock, done = len(batches), 0.0, 0
    for index in sorted(range(len(batches)), key=lambda i: batches[i]):
        clock += (batches[index] - done) * left / rate
        done, left = batches[index], left - 1
        found[index] = clock
    return found


def jain(values: Sequence[float]) -> float:
    """Jain's index of fairness, 1/n to 1."""
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def figures(batches: Sequence[int], ended: Sequence[float]) -> list[str]:
    """Seconds in all, median and largest slowdown, that of runs of 1 to 3 batches, and Jain's index."""
    best = ideal(batches, sum(batches) / max(ended))
    slowdowns = [e / b for e, b in zip(ended, best, strict=True)]
    small = [s for s, count in zip(slowdowns, batches, strict=True) if count <= 3]
    large = [1 / s for s, count in zip(slowdowns, batches, strict=True) if count > SMALL]
    told = [max(ended), median(slowdowns), max(slowdowns), max(small), jain(large)]
    return [f"{value:.2f}" for value in told]


def run(runs: int, workers: int) -> str:
    """Both ways, as a table."""
    batches = sizes(runs)
    ways = {"all at once, first in first out": False, "in turns": True}
    rows = [[name, *figures(batches, ends(workers, batches, shared=shared))] for name, shared in ways.items()]
    head = [
        f"{runs} runs of 1 to {max(batches)} batches, {sum(batches)} in all", "seconds in all", "median slowdown",
        "largest slowdown", "largest, runs of 1 to 3 batches", "Jain's index, runs that are not small",
    ]  # fmt: skip
    return table(head, rows)


def _scalar(database: Database, query: object) -> int:
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=50)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    chosen = options.parse_args()
    told = run(chosen.runs, chosen.workers)
    print(told)
    if chosen.write:
        command = f"python -m benchmarks.bench_fairness --runs {chosen.runs} --workers {chosen.workers} --write"
        write_section("fairness", command, told)


if __name__ == "__main__":
    main()
