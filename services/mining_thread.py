"""One thread of a run, as it stands in the database, made into what the manager graph works with."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from agents.criteria_set import Lineage
from agents.manager import Brief, Manager
from agents.mining import Mining
from agents.pairs import Dataset, Pair
from agents.policies import policy_named
from knowledge_base.criterion import Criterion
from knowledge_base.errors import RunError
from services.database import Database
from services.dataset_store import load_dataset
from services.run_config import RunConfig
from services.run_facts import RunFacts
from services.sql_ledger import SqlLedger
from services.tables import RunRow, ThreadRow


@dataclass(frozen=True)
class StoredRun:
    """A run's inputs."""

    id: str
    dataset: Dataset
    config: RunConfig
    facts: RunFacts
    seconds: float


@dataclass(frozen=True)
class StoredThread:
    """A thread's pairs; `sealed` come from the test file where there is one."""

    id: str
    name: str
    run: StoredRun
    mining: tuple[Pair, ...]
    sealed: tuple[Pair, ...]

    def with_manager(self, manager: Manager, database: Database) -> Mining:
        """The context of the manager graph."""
        facts, config = self.run.facts, self.run.config
        ledger = SqlLedger(database, self.run.id, self.id)
        policy = policy_named(facts.policy, facts.size, facts.rounds, free=facts.panel.free)
        brief = Brief(
            self.mining, self.run.dataset.description, facts.domain, config.seed, policy.thorough,
            config.knowledge_base, incumbents_of(database, config),
        )  # fmt: skip
        return Mining(brief, self.sealed, ledger, manager, policy, facts.panel)

    @property
    def lineage(self) -> Lineage:
        """What decided the content of this thread's criteria set."""
        facts = self.run.facts
        return Lineage(
            dataset=self.run.dataset.hash, pairs=len(self.mining), judge=facts.judge, manager=facts.manager,
            policy=facts.policy, rounds=facts.rounds, size=facts.size, seed=self.run.config.seed,
            parent=self.run.config.parent,
        )  # fmt: skip


def incumbents_of(database: Database, config: RunConfig) -> tuple[Criterion, ...]:
    """Criteria of the set that a run starts from; none where it starts from none.

    Raises:
        InputError: that set is not stored here.
    """
    if not config.parent:
        return ()
    from services.criteria_sets.reading import load_set

    return load_set(database, config.parent).criteria_set.criteria


def load_run(database: Database, run: str) -> StoredRun:
    """A run by id.

    Raises:
        RunError: there is none.
    """
    row = RunRow
    with database.read() as connection:
        query = select(row.dataset, row.config, row.facts, row.seconds).where(row.id == run)
        found = connection.execute(query).one_or_none()
    if found is None:
        raise RunError(f"run {run!r} is not in this database; check the id, or TOUCHSTONE_HOME")
    config, facts = RunConfig.model_validate_json(found.config), RunFacts.model_validate_json(found.facts)
    return StoredRun(run, load_dataset(database, found.dataset), config, facts, found.seconds)


def load_thread(database: Database, thread: str, run: StoredRun | None = None) -> StoredThread:
    """A thread by id; give its run if it is loaded already.

    Raises:
        RunError: there is none.
    """
    row = ThreadRow
    with database.read() as connection:
        query = select(row.run, row.name, row.mining, row.sealed, row.sealed_of).where(row.id == thread)
        found = connection.execute(query).one_or_none()
    if found is None:
        raise RunError(f"thread {thread!r} is not in this database; sweep the run, or create it again")
    run = run or load_run(database, found.run)
    same = found.sealed_of == run.dataset.hash
    tested = run.dataset if same or found.sealed == "[]" else load_dataset(database, found.sealed_of)
    mining = tuple(run.dataset.pairs[i] for i in json.loads(found.mining))
    sealed = tuple(tested.pairs[i] for i in json.loads(found.sealed))
    return StoredThread(thread, found.name, run, mining, sealed)
