"""Whether an endpoint is kept busy: judgments through the queue against a plain loop on the provider's own client.

    python -m benchmarks.bench_endpoint [--judgments 4000] [--latency 0.2] [--in-flight 64] [--workers 2] [--write]

A scripted endpoint answers every call after the same time and refuses more than `in-flight` at once. The ideal is calls
x latency / in flight. The clock starts with workers waiting and every judgment wanted, and stops when the last answer
is in the database. The plain loop sends the very same prompts with `AsyncOpenAI` from one process and keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from rq import Worker
from sqlalchemy import func, select, update

from agents.chat.endpoint import Call
from agents.chat.fence import Fence
from agents.chat.prompts import load_prompt
from agents.chat.question import pair_call, view_pair
from agents.chat.text_limit import TextLimit
from agents.pairs import Dataset, Pair
from agents.panel import first_look
from benchmarks.bench_machinery import pairs
from benchmarks.page import table, write_section
from benchmarks.scripted.faults import Script
from benchmarks.scripted.process import ScriptedEndpoint
from benchmarks.scripted.setup import Setup
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
from services.tables import CallRow, JudgmentRow, ThreadRow
from services.workforce import Workforce

CRITERIA = 40
MODEL = "scripted"


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    judgments: int
    latency: float
    in_flight: int
    workers: int

    @property
    def ideal(self) -> float:
        """Seconds with every place taken all the time."""
        return self.judgments * self.latency / self.in_flight


@dataclass(frozen=True)
class Found:
    """Seconds on the wall, seconds of processor time over all our processes, calls that the endpoint answered."""

    wall: float
    cpu: float
    calls: int


def settings_for(home: Path, url: str, plan: Plan) -> Settings:
    """A deployment whose workers and manager stand behind the scripted endpoint."""
    return load_settings(
        home=home, workers=plan.workers, database_url="", redis_url="", worker_model=f"openai:{MODEL}",
        worker_base_url=url, manager_model=f"openai:{MODEL}", manager_base_url=url, in_flight=plan.in_flight,
        worker_parameters='{"temperature": 0}',
    )  # fmt: skip


@contextmanager
def standing(home: Path, url: str, plan: Plan) -> Iterator[tuple[Deployment, Workforce]]:
    """A deployment with its workers started."""
    settings = settings_for(home, url, plan)
    with EmbeddedRedis(settings.home) as server:
        reached = settings.model_copy(update={"redis_url": server.url})
        Database(reached.database).create().close()
        with Workforce(reached, server.folder, server.adopt) as workforce, opened(reached) as deployment:
            while len(Worker.all(connection=deployment.queue.connection)) < plan.workers:
                time.sleep(0.05)
            yield deployment, workforce


def want(deployment: Deployment, dataset: Dataset, chosen: Sequence[Criterion]) -> str:
    """A thread that wants every criterion on every pair in one order; returns its id."""
    run = create_run(deployment.database, deployment.parties, dataset, RunConfig(holdout="none"))
    thread = f"{run}-main"
    ledger = SqlLedger(deployment.database, run, thread)
    ledger.remember(chosen)
    panel = deployment.parties.panel()
    ledger.want(
        [a for p in dataset.pairs for c in chosen for a in panel.asks(c.hash, p.hash, (first_look(p.hash, False),))]
    )
    # Nobody is to go on with the run: its manager's calls would compete with what is measured.
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == thread).values(status="finished"))
    return thread


def queued(url: str, plan: Plan, chosen: Sequence[Criterion]) -> Found:
    """Through Redis, RQ, LangChain and the database."""
    dataset = Dataset(name="endpoint", pairs=pairs(plan.judgments // len(chosen)))
    with TemporaryDirectory() as folder, standing(Path(folder), url, plan) as (deployment, workforce):
        thread = want(deployment, dataset, chosen)
        before, start = _cpu(workforce.pids), time.perf_counter()
        batches = hand_out(
            deployment.database, thread, deployment.batch_size, deployment.queue.new_batch, deployment.parts
        )
        deployment.queue.judge(batches)
        while _missing(deployment.database, thread):
            time.sleep(0.05)
        wall = time.perf_counter() - start
        cpu = _cpu(workforce.pids) - before
        time.sleep(1.0)
        _expect_answers(deployment.database, plan)
        return Found(wall, cpu, _calls(deployment.database))


def _expect_answers(database: Database, plan: Plan) -> None:
    evidence = select(func.count()).where(JudgmentRow.status.in_(["decided", "abstained"]))
    with database.read() as connection:
        found = connection.execute(evidence).scalar_one()
    if found != plan.judgments:
        raise SystemExit(f"{found} of {plan.judgments} judgments are evidence; the figures would mean nothing")


def _calls(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(CallRow)).scalar_one())


def _missing(database: Database, thread: str) -> int:
    with database.read() as connection:
        return count_missing(connection, thread)


def _cpu(pids: Sequence[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(t.user + t.system for t in times))


def plain(url: str, plan: Plan, chosen: Sequence[Criterion]) -> Found:
    """A semaphore and the provider's client, in this process."""
    made = pairs(plan.judgments // len(chosen))
    calls = [asked(p, c) for p in made for c in chosen]
    own = psutil.Process()
    before, start = own.cpu_times(), time.perf_counter()
    asyncio.run(_plain(url, plan, calls))
    wall, after = time.perf_counter() - start, own.cpu_times()
    return Found(wall, after.user + after.system - before.user - before.system, len(calls))


def asked(pair: Pair, criterion: Criterion) -> Call:
    """The prompt that a worker sends."""
    view = view_pair(pair, first_look(pair.hash, False), Fence(b"endpoint", pair.hash), TextLimit(), "en")
    return pair_call(load_prompt("judge", "en"), view, criterion, 0)


async def _plain(url: str, plan: Plan, calls: Sequence[Call]) -> None:
    from openai import AsyncOpenAI

    places = asyncio.Semaphore(plan.in_flight)
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def one(call: Call) -> None:
            messages: Any = [{"role": m.role, "content": m.content} for m in call.messages]
            schema: Any = {"type": "json_schema", "json_schema": {"name": call.schema["title"], "schema": call.schema}}
            async with places:
                await client.chat.completions.create(
                    model=MODEL, messages=messages, response_format=schema, temperature=0
                )

        await asyncio.gather(*map(one, calls))


def run(plan: Plan, repeats: int) -> str:
    """Both ways in turn, the best of `repeats` each: noise of the machine only ever adds time."""
    chosen = sorted(load_catalogue(), key=lambda c: c.name)[:CRITERIA]
    found: dict[str, list[Found]] = {"plain asyncio loop, provider's client": [], "Touchstone's queue": []}
    setup = Setup(script=Script(latency=plan.latency, cap=plan.in_flight))
    for _ in range(repeats):
        with ScriptedEndpoint(setup) as endpoint:
            found["plain asyncio loop, provider's client"].append(plain(endpoint.base_url, plan, chosen))
        with ScriptedEndpoint(setup) as endpoint:
            found["Touchstone's queue"].append(queued(endpoint.base_url, plan, chosen))
            _expect_no_excess(endpoint.stats())
    return report(plan, {way: min(tries, key=lambda f: f.wall) for way, tries in found.items()}, repeats)


def _expect_no_excess(stats: dict[str, Any]) -> None:
    if stats["outcomes"].keys() - {"answered"}:
        raise SystemExit(f"the endpoint turned calls away: {stats}")


def report(plan: Plan, found: dict[str, Found], repeats: int) -> str:
    """Wall time against the ideal, and processor time a call."""
    head = [
        f"{plan.judgments:,} judgments, {plan.latency * 1000:.0f} ms, {plan.in_flight} in flight, best of {repeats}",
        "wall s", "of the ideal", "calls", "CPU ms a call",
    ]  # fmt: skip
    rows = [["ideal", f"{plan.ideal:.2f}", "1.00", f"{plan.judgments:,}", "-"]]
    for way, one in found.items():
        ratio, each = one.wall / plan.ideal, 1000 * one.cpu / one.calls
        rows.append([way, f"{one.wall:.2f}", f"{ratio:.2f}", f"{one.calls:,}", f"{each:.2f}"])
    return table(head, rows)


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--judgments", type=int, default=4000)
    options.add_argument("--latency", type=float, default=0.2)
    options.add_argument("--in-flight", type=int, default=64)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--repeats", type=int, default=2)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    chosen = options.parse_args()
    plan = Plan(chosen.judgments, chosen.latency, chosen.in_flight, chosen.workers)
    told = run(plan, chosen.repeats)
    print(told)
    if chosen.write:
        write_section("endpoint", "python -m benchmarks.bench_endpoint --write", told)


if __name__ == "__main__":
    main()
