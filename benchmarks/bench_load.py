"""The service under load: many runs at once, a steady stream of requests, and a watcher on every run.

    python -m benchmarks.bench_load [--runs 50] [--rate 100] [--seconds 60] [--write]

One API process, one scheduler, two workers, an embedded Redis and an SQLite file, all on this machine, and the client
beside them. Requests are sent at their appointed times whether or not earlier ones were answered, and each latency
counts from the appointed time, so that a stall is not hidden by the requests it holds up. The lag of an event is the
time from a judgment's answer, as the database has it, to the first event that counts it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import psutil
from httpx_sse import aconnect_sse
from sqlalchemy import select

from benchmarks.page import table, write_section
from services.database import Database
from services.embedded_redis import EmbeddedRedis
from services.settings import Settings, load_settings
from services.tables import JudgmentRow

ROOT = Path(__file__).resolve().parents[1]
PAIRS = 40
READS = 0.8
SERVER = "from services.cli import app; app()"


@dataclass
class Seen:
    """What the client saw.

    Attributes:
        latencies: seconds by kind of request; statuses: how many of each.
        events: run -> (moment, judgments counted) of each event; ended: run -> moment of its end.
    """

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    events: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    runs: int
    rate: float
    seconds: float


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Settings]]:
    """The roles as processes; yields the API's address."""
    port = free_port()
    with EmbeddedRedis(folder / "home") as redis:
        settings = load_settings(home=folder / "home", redis_url=redis.url, database_url="", api_port=port)
        Database(settings.database).create().close()
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "services")])
        environment = {**os.environ, **settings.environment(), "PYTHONPATH": paths}
        environment["TOUCHSTONE_PARTIES"] = "letter_parties"
        roles = [["api"], ["scheduler"], ["worker"], ["worker"]]
        with (folder / "log.txt").open("wb") as log:
            processes = [
                subprocess.Popen([sys.executable, "-c", SERVER, *role], env=environment, stdout=log, stderr=log)
                for role in roles
            ]
            try:
                url = f"http://127.0.0.1:{port}"
                _await_ready(url, processes)
                yield url, settings
            finally:
                for process in processes:
                    process.terminate()
                for process in processes:
                    process.wait(30)


async def load(url: str, plan: Plan) -> tuple[Seen, list[str], float]:
    """Order the runs, watch each, and send requests meanwhile; returns what was seen, the runs, and when they began."""
    seen = Seen()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        datasets = [await _dataset(client, seed) for seed in range(plan.runs)]
        begun = time.time()
        runs = list(await asyncio.gather(*(_order(client, dataset, seed) for seed, dataset in enumerate(datasets))))
        watchers = [asyncio.create_task(_watch(client, run, seen)) for run in runs]
        await _requests(client, plan, runs, datasets, seen)
        await asyncio.wait_for(asyncio.gather(*watchers), 600)
    return seen, runs, begun


async def _dataset(client: httpx.AsyncClient, seed: int) -> str:
    made = await client.post("/v1/datasets", json={"name": f"letters-{seed}"})
    dataset: str = made.raise_for_status().json()["id"]
    lines = "\n".join(_line(random.Random(seed * 1000 + i), i) for i in range(PAIRS))
    sent = await client.post(
        f"/v1/datasets/{dataset}/upload", params={"filename": "pairs.jsonl"}, content=lines.encode()
    )
    sent.raise_for_status()
    return dataset


def _line(rng: random.Random, number: int) -> str:
    a, b = (" ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(8)) for _ in "ab")
    better = "a" if a.count("e") >= b.count("e") else "b"
    return f'{{"id": "{number}", "a": "{a}", "b": "{b}", "preferred": "{better}"}}'


async def _order(client: httpx.AsyncClient, dataset: str, seed: int) -> str:
    config = {"policy": "paper", "size": 6, "rounds": 3, "holdout": "sealed", "seed": seed}
    given = {"dataset": dataset, "name": f"line-{seed}", "config": config}
    headers = {"Idempotency-Key": f"load-{seed}"}
    made = await client.post("/v1/runs", json=given, headers=headers)
    return str(made.raise_for_status().json()["run"]["run"])


async def _watch(client: httpx.AsyncClient, run: str, seen: Seen) -> None:
    async with aconnect_sse(client, "GET", f"/v1/runs/{run}/events", timeout=120) as source:
        async for event in source.aiter_sse():
            if event.event in ("progress", "end"):
                body = event.json()
                seen.events[run].append((time.time(), body["answered"]))
            if event.event == "end":
                seen.ended[run] = time.time()
                seen.statuses[f"run {body['state']}"] += 1


async def _requests(
    client: httpx.AsyncClient, plan: Plan, runs: Sequence[str], datasets: Sequence[str], seen: Seen
) -> None:
    rng, start = random.Random(0), time.perf_counter()
    sent: list[asyncio.Task[None]] = []
    for number in range(int(plan.rate * plan.seconds)):
        due = start + number / plan.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        kind, method, path, options = _request(rng, runs, datasets, number)
        sent.append(asyncio.create_task(_send(client, kind, method, path, options, due, seen)))
    await asyncio.gather(*sent)


def _request(
    rng: random.Random, runs: Sequence[str], datasets: Sequence[str], number: int
) -> tuple[str, str, str, Any]:
    run, dataset = rng.choice(runs), rng.choice(datasets)
    if rng.random() >= READS:
        pair = {"a": f"text {number} a", "b": f"text {number} b"}
        return "write", "POST", f"/v1/datasets/{dataset}/pairs", {"json": {"pairs": [pair]}}
    reads = (
        f"/v1/runs/{run}", "/v1/runs?limit=20", f"/v1/runs/{run}/progress", f"/v1/runs/{run}/judgments?limit=20",
        f"/v1/datasets/{dataset}", "/v1/criteria-sets?limit=20",
    )  # fmt: skip
    return "read", "GET", rng.choice(reads), {}


async def _send(
    client: httpx.AsyncClient, kind: str, method: str, path: str, options: Any, due: float, seen: Seen
) -> None:
    try:
        response = await client.request(method, path, **options)
        seen.statuses[f"{kind} {response.status_code}"] += 1
    except httpx.HTTPError as error:
        seen.statuses[f"{kind} {type(error).__name__}"] += 1
    seen.latencies[kind].append(time.perf_counter() - due)


def lags(database: Database, seen: Seen) -> list[float]:
    """Seconds from each judgment's answer to the first event that counts it."""
    found: list[float] = []
    with database.read() as connection:
        for run, events in seen.events.items():
            query = select(JudgmentRow.answered_at).where(JudgmentRow.asked_by == run, JudgmentRow.answered_at > 0)
            answered = sorted(connection.execute(query).scalars())
            counts = [count for _, count in events]
            # Those answered before the first event were not waited for by anybody.
            for number in range(counts[0], min(len(answered), counts[-1])):
                at = bisect_left(counts, number + 1)
                found.append(max(0.0, events[at][0] - answered[number]))
    return found


def report(plan: Plan, seen: Seen, begun: float, lagged: Sequence[float], cpu: float) -> str:
    """The figures as a table."""
    rows = [
        [f"{kind}: latency", f"{len(times):,}", *(_milliseconds(times, q) for q in (50, 95, 99))]
        for kind, times in sorted(seen.latencies.items())
    ]
    rows.append(["event lag", f"{len(lagged):,}", *(_milliseconds(lagged, q) for q in (50, 95, 99))])
    ends = sorted(moment - begun for moment in seen.ended.values())
    statuses = ", ".join(f"{name}: {count:,}" for name, count in sorted(seen.statuses.items()))
    told = [
        table(["what", "n", "p50", "p95", "p99"], rows),
        f"Answers: {statuses}.",
        f"Runs ended after {ends[0]:.1f} s (first), {median(ends):.1f} s (median), {ends[-1]:.1f} s (last); all were "
        f"ordered at once and are of one size. Jain's index of their speeds: {_jain([1 / e for e in ends]):.3f} "
        "(1: all alike).",
        f"Processor time of the client: {cpu:.0f} s.",
    ]
    return "\n\n".join(told)


def _milliseconds(times: Sequence[float], percent: int) -> str:
    return f"{1000 * float(np.percentile(times, percent)):,.0f} ms" if times else "-"


def _jain(speeds: Sequence[float]) -> float:
    """Fairness index (Jain, Chiu and Hawe 1984)."""
    return sum(speeds) ** 2 / (len(speeds) * sum(s * s for s in speeds))


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await_ready(url: str, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(p.poll() is not None for p in processes):
            raise SystemExit("a role ended before the benchmark began")
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the API did not get ready in a minute")


def main() -> None:
    """Measure, print, and write the page if told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    plan = Plan(given.runs, given.rate, given.seconds)
    with TemporaryDirectory() as folder, served(Path(folder)) as (url, settings):
        before = psutil.Process().cpu_times()
        seen, _, begun = asyncio.run(load(url, plan))
        after = psutil.Process().cpu_times()
        database = Database(settings.database)
        lagged = lags(database, seen)
        database.close()
    body = report(plan, seen, begun, lagged, after.user + after.system - before.user - before.system)
    print(body)
    if given.write:
        command = f"python -m benchmarks.bench_load --runs {plan.runs} --rate {plan.rate:g} --seconds {plan.seconds:g}"
        write_section("load", command, body)


if __name__ == "__main__":
    main()
