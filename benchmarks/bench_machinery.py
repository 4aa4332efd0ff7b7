"""Cost of the machinery: judgments through the queue against the same judge called in a plain loop.

    python -m benchmarks.bench_machinery [--pairs 1000] [--repeats 3] [--write]

The clock starts with workers waiting and every judgment wanted, and stops when the last answer is in the database.
The judge measures and decides for real; in the plain loop it remembers measurements in memory, behind the queue in
the database, so that the difference is all that the machinery costs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from rq import Worker

from agents.judge import Question
from agents.judgments import Ask
from agents.pairs import Dataset, Pair
from agents.signal_judge import SignalJudge
from benchmarks.page import table, write_section
from knowledge_base.criterion import Criterion
from knowledge_base.entries import load_catalogue
from services.batches import hand_out
from services.database import Database
from services.deployment import Deployment, opened
from services.embedded_redis import EmbeddedRedis
from services.run_config import RunConfig
from services.runs import create_run
from services.settings import Settings, load_settings
from services.sql_ledger import SqlLedger, count_missing
from services.workforce import Workforce

CRITERIA = 20
WORDS = [
    "the",
    "of",
    "and",
    "a",
    "plan",
    "because",
    "though",
    "river",
    "12",
    "evidence",
    "should",
    "not",
    "perhaps",
    "bright",
    "stone",
    "moves",
    "clearly",
    "house",
]


def pairs(count: int) -> tuple[Pair, ...]:
    """Seeded nonsense of some 60 words a text: what is measured here is the machinery, not the judge."""
    rng = random.Random(7)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(40, 80))).capitalize() + "." for _ in range(2 * count)]
    return tuple(Pair(id=str(i), a=texts[2 * i], b=texts[2 * i + 1], preferred="a") for i in range(count))


def criteria() -> list[Criterion]:
    """Criteria of the catalogue whose signals need no embedding, by name."""
    slow = ("similarity", "coherence", "drift", "centrality", "diff_", "prompt")
    plain = [c for c in load_catalogue() if c.programmatic and not any(s in c.expression for s in slow)]
    return sorted(plain, key=lambda c: c.name)[:CRITERIA]


def plain_seconds(questions: Sequence[Question]) -> float:
    """The judge in a loop, in this process."""

    async def loop() -> int:
        return len([judgment async for judgment in SignalJudge().answer(questions)])

    start = time.perf_counter()
    assert asyncio.run(loop()) == len(questions)
    return time.perf_counter() - start


def queued_seconds(dataset: Dataset, chosen: Sequence[Criterion], workers: int) -> float:
    """The same through Redis, RQ and the database, with this many worker processes."""
    with TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), workers=workers, database_url="", redis_url="")
        with EmbeddedRedis(settings.home) as server:
            reached = settings.model_copy(update={"redis_url": server.url})
            Database(reached.database).create().close()
            with Workforce(reached, server.folder, server.adopt), opened(reached) as deployment:
                return _timed(deployment, reached, dataset, chosen)


def _timed(deployment: Deployment, settings: Settings, dataset: Dataset, chosen: Sequence[Criterion]) -> float:
    database, queue = deployment.database, deployment.queue
    run = create_run(database, deployment.parties, dataset, RunConfig(minimum=10))
    thread = f"{run}-main"
    ledger = SqlLedger(database, run, thread)
    ledger.remember(chosen)
    ledger.want(asks(dataset, chosen))
    while len(Worker.all(connection=queue.connection)) < settings.workers:
        time.sleep(0.05)
    start = time.perf_counter()
    queue.judge(hand_out(database, thread, settings.batch_size, queue.new_batch))
    while _missing(database, thread):
        time.sleep(0.02)
    return time.perf_counter() - start


def asks(dataset: Dataset, chosen: Sequence[Criterion]) -> list[Ask]:
    """Every criterion on every pair, in one order."""
    judge = SignalJudge().fingerprint
    return [Ask(judge=judge, criterion=c.hash, pair=p.hash) for p in dataset.pairs for c in chosen]


def _missing(database: Database, thread: str) -> int:
    with database.read() as connection:
        return count_missing(connection, thread)


def run(count: int, repeats: int) -> str:
    """Median of several repeats of each way, in turn, so that a noisy moment hits all of them."""
    dataset, chosen = Dataset(name="machinery", pairs=pairs(count)), criteria()
    by_hash, by_pair = {c.hash: c for c in chosen}, {p.hash: p for p in dataset.pairs}
    questions = [(a, by_hash[a.criterion], by_pair[a.pair]) for a in asks(dataset, chosen)]
    seconds: dict[str, list[float]] = {"plain loop": [], "queue, 1 worker": [], "queue, 2 workers": []}
    for _ in range(repeats):
        seconds["plain loop"].append(plain_seconds(questions))
        seconds["queue, 1 worker"].append(queued_seconds(dataset, chosen, 1))
        seconds["queue, 2 workers"].append(queued_seconds(dataset, chosen, 2))
    return report({k: median(v) for k, v in seconds.items()}, len(questions), repeats)


def report(seconds: dict[str, float], judgments: int, repeats: int) -> str:
    """Rates, ratios to the plain loop, and what the queue adds to a judgment's wall time."""
    plain = seconds["plain loop"]
    rows = [[way, *_figures(spent, plain, judgments)] for way, spent in seconds.items()]
    head = [
        f"{judgments:,} judgments, median of {repeats}",
        "judgments / s",
        "time / plain",
        "ms each",
        "added ms each",
    ]
    load = f"Load of the machine at the end: {psutil.getloadavg()[0]:.1f} (1-minute average, this benchmark included)."
    return f"{table(head, rows)}\n\n{load}"


def _figures(spent: float, plain: float, judgments: int) -> list[str]:
    each, added = 1000 * spent / judgments, 1000 * (spent - plain) / judgments
    return [f"{judgments / spent:,.0f}", f"{spent / plain:.2f}", f"{each:.3f}", f"{added:+.3f}"]


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=1000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    chosen = options.parse_args()
    told = run(chosen.pairs, chosen.repeats)
    print(told)
    if chosen.write:
        command = f"python -m benchmarks.bench_machinery --pairs {chosen.pairs} --repeats {chosen.repeats} --write"
        write_section("machinery", command, told)


if __name__ == "__main__":
    main()
