"""A whole run with every fault of the scripted endpoint on at once, and its workers killed at random.

    python -m benchmarks.bench_faults [--kills 12] [--rate 0.02] [--latency 0.2] [--write]

A world's people, worker and manager stand behind an endpoint that answers 429 (with both forms of Retry-After), 500,
502 and 503, hangs, drops connections amid headers and bodies, cuts replies off, spoils their JSON, wraps it in prose,
invents verdicts, refuses and says nothing, each with the same probability. What came of it is then compared with an
undisturbed run in one process that is given the very same answers and must ask for nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from sqlalchemy import func, select

from agents.chat.endpoint import Call, Reply
from agents.chat.journal import Journalled
from agents.chat.manager import ChatManager
from agents.judge import Question
from agents.judgments import Judgment
from agents.local_run import run_local
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.pairs import Dataset
from benchmarks.page import table, write_section
from benchmarks.scripted.faults import FAULTS, Script, every_fault
from benchmarks.scripted.process import ScriptedEndpoint
from benchmarks.scripted.setup import Setup
from benchmarks.world.people import DESCRIPTION, World
from knowledge_base.errors import RunError
from services.chat_parties import ChatParties
from services.database import Database
from services.embedded_redis import SOCKET
from services.embedded_registry import Registry
from services.mining_thread import load_thread
from services.parties import load_parties
from services.processes import Mark
from services.progress import RunProgress
from services.queue import WORKER_PREFIX
from services.run_config import RunConfig
from services.run_driver import run_to_end
from services.runs import create_run
from services.settings import Settings, load_settings
from services.sql_journal import SqlJournal
from services.tables import CallRow, JudgmentRow, OutcomeRow, WantRow

SEED = 7
FIELDS = ("key", "status", "verdict", "margin", "rationale", "hesitation", "truncated")


@dataclass
class Killer:
    """Kills workers at their work at seeded random moments, each time something was done since the last."""

    settings: Settings
    most: int
    rng: random.Random
    kills: int = 0
    due: float = 0.0
    seen: tuple[int, int] = (0, 0)

    def __call__(self, progress: RunProgress) -> None:
        """As often as progress is told: kill, if it is time."""
        now = time.monotonic()
        self.due = self.due or now + self.rng.uniform(1.0, 4.0)
        done = (progress.answered, progress.paid.calls)
        if self.kills < self.most and now > self.due and done != self.seen and self._strike():
            self.kills, self.seen = self.kills + 1, done
            self.due = now + self.rng.uniform(1.0, 4.0)

    def _strike(self) -> bool:
        [instance] = Registry(self.settings.home).instances()
        workers = instance.children[1:]
        self.rng.shuffle(workers)
        with redis.Redis(unix_socket_path=str(instance.folder / SOCKET)) as connection:
            return any(self._kill(worker, connection) for worker in workers)

    def _kill(self, worker: Mark, connection: redis.Redis) -> bool:
        if not connection.hget(f"{WORKER_PREFIX}{worker}", "current_job"):
            return False
        try:
            os.kill(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


class Recorded:
    """A judge that says what was said, and a model that says nothing new."""

    symmetric = False

    def __init__(self, database: Database, fingerprint: str) -> None:
        self._database, self.fingerprint = database, fingerprint
        self.name = "recorded"

    def can_judge(self, criterion: object) -> bool:
        """Whatever was judged."""
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        """As it stands in the database."""
        keys = {ask.key for ask, _, _ in questions}
        columns = [getattr(JudgmentRow, name) for name in FIELDS]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns)).mappings().all()
        found = {r["key"]: Judgment.model_validate(dict(r)) for r in rows if r["key"] in keys}
        for ask, _, _ in questions:
            yield found[ask.key]

    async def reply(self, call: Call) -> Reply:
        """Never: every reply stands in the journal."""
        raise RunError(f"the undisturbed run asks something new: {call.stage}")


def settings_for(home: Path, url: str) -> Settings:
    """A deployment whose models stand behind the endpoint, impatient enough for a benchmark."""
    return load_settings(
        home=home, workers=2, database_url="", redis_url="", worker_model="openai:scripted", worker_base_url=url,
        in_flight=64, call_tries=8, timeout_seconds=3.0, max_attempts=5, batch_size=64,
    )  # fmt: skip


def run(kills: int, rate: float, latency: float) -> str:
    """The run, the comparison, the counts."""
    script = Script(
        seed=SEED, latency=latency, latency_p99=3 * latency, rates=every_fault(rate), retry_after=0.5, hang=10.0, cap=48
    )
    setup = Setup(answer="benchmarks.world.dialect:world_answer", arguments={"seed": SEED}, script=script)
    world = World(SEED)
    dataset = Dataset(name="faults", description=DESCRIPTION, pairs=tuple(world.pairs(30, "mining")))
    test = Dataset(name="sealed", pairs=tuple(world.pairs(60, "sealed")))
    with TemporaryDirectory() as folder, ScriptedEndpoint(setup) as endpoint:
        settings = settings_for(Path(folder), endpoint.base_url)
        with closing(Database(settings.database).create()) as database:
            made = create_run(database, load_parties(settings, database), dataset, RunConfig(), test)
            killer = Killer(settings, kills, random.Random(SEED))
            start = time.perf_counter()
            run_to_end(made, settings, killer)
            seconds = time.perf_counter() - start
            stats = endpoint.stats()
            equal = _outcome(database, made) == replay(database, settings, made)
            return report(database, stats, killer.kills, rate, seconds, equal)


def replay(database: Database, settings: Settings, run: str) -> str:
    """The outcome of the same thread in one process, given what was answered."""
    parties = load_parties(settings, database)
    assert isinstance(parties, ChatParties)
    thread = load_thread(database, f"{run}-main")
    panel = thread.run.facts.panel
    recorded = Recorded(database, panel.seats[0].judge)
    model = parties.model(settings.manager_endpoint, "MANAGER")
    recorded.name, fingerprint = model.name, recorded.fingerprint
    speaker = _Speaker(recorded, model.name, model.fingerprint)
    manager = ChatManager(
        Journalled(speaker, SqlJournal(database)), parties.index, secret=parties.secret,
        language=settings.language, limit=parties.limit, in_flight=settings.in_flight,
    )  # fmt: skip
    durable = thread.with_manager(manager, database)
    ledger = MemoryLedger([*thread.mining, *thread.sealed])
    mining = Mining(durable.brief, durable.sealed, ledger, manager, durable.policy, panel)
    assert recorded.fingerprint == fingerprint
    return run_local(mining, recorded, thread.lineage).model_dump_json()


@dataclass(frozen=True)
class _Speaker:
    """The recorded model under the name of the one that spoke."""

    recorded: Recorded
    name: str
    fingerprint: str

    async def reply(self, call: Call) -> Reply:
        """See `Recorded.reply`."""
        return await self.recorded.reply(call)


def _outcome(database: Database, run: str) -> str:
    with database.read() as connection:
        return str(connection.execute(select(OutcomeRow.body).where(OutcomeRow.thread == f"{run}-main")).scalar_one())


def report(database: Database, stats: dict[str, object], kills: int, rate: float, seconds: float, equal: bool) -> str:
    """What was lost, doubled and changed."""
    with database.read() as connection:
        wanted = connection.execute(select(func.count()).select_from(WantRow)).scalar_one()
        found = connection.execute(select(JudgmentRow.status, func.count()).group_by(JudgmentRow.status))
        by_status: dict[str, int] = {status: count for status, count in found}  # noqa: C416 - a Row is no tuple to a type checker
        keys = connection.execute(select(func.count(func.distinct(JudgmentRow.key)))).scalar_one()
        recorded = connection.execute(select(func.count()).where(CallRow.ended == "answered")).scalar_one()
    rows = sum(by_status.values())
    answered, doubled = int(str(stats["answered_once"])), int(str(stats["duplicates"]))
    outcomes = stats["outcomes"]
    assert isinstance(outcomes, dict)
    faults = {name: outcomes[name] for name in FAULTS if name in outcomes}
    lines = [
        ["requests, of them faulty", f"{stats['requests']:,}, {sum(faults.values()):,} ({len(faults)} kinds)"],
        ["workers killed at their work", str(kills)],
        ["judgments wanted, stored, still missing", f"{wanted:,}, {rows:,}, {by_status.get('missing', 0)}"],
        ["stored twice", str(rows - keys)],
        ["statuses", ", ".join(f"{n:,} {status}" for status, n in sorted(by_status.items()))],
        ["answered and asked again", f"{doubled} of {answered:,} ({doubled / max(answered, 1):.2%})"],
        ["answered calls on the account", f"{recorded:,}"],
        ["outcome equals the undisturbed run's", "yes, to the byte" if equal else "NO"],
        ["seconds", f"{seconds:.0f}"],
    ]
    return table([f"every fault at {rate:.0%}, kills at random", "found"], lines)


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=12)
    options.add_argument("--rate", type=float, default=0.02)
    options.add_argument("--latency", type=float, default=0.2)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    given = options.parse_args()
    told = run(given.kills, given.rate, given.latency)
    print(told)
    if given.write:
        write_section("faults", "python -m benchmarks.bench_faults --write", told)


if __name__ == "__main__":
    main()
