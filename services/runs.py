"""Creating a run: its threads, its split, and an id that the same command finds again."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import select

from agents.agreement import Agreement, agreement
from agents.pairs import Dataset
from agents.panel import Panel
from agents.policies import policy_named
from agents.splitting import Fold, split
from services.database import Database, insert_new
from services.dataset_store import save_dataset
from services.datasets import Reading
from services.parties import Parties
from services.run_config import RunConfig
from services.run_facts import AgreementFact, Holdout, RunFacts
from services.tables import RunRow, ThreadRow

VERSIONED = ("touchstone-criteria", "langgraph", "rq", "numpy", "scipy", "scikit-learn", "sentence-transformers")
"""Distributions whose versions are recorded with a run, where installed."""


@dataclass(frozen=True)
class Plan:
    """How a run's pairs are used: positions for each thread, and where the sealed ones are positions in."""

    holdout: Holdout
    threads: tuple[tuple[str, Fold], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Who:
    """Who judges and who manages."""

    panel: Panel
    manager: str

    @classmethod
    def of(cls, parties: Parties) -> Who:
        """Ask the parties."""
        return cls(parties.panel(), parties.manager().fingerprint)


def create_run(
    database: Database,
    parties: Parties,
    data: Reading | Dataset,
    config: RunConfig,
    test: Reading | Dataset | None = None,
) -> str:
    """Create a run, or find the one that the same inputs made before; returns its id.

    Args:
        data: the pairs to mine.
        config: how.
        test: pairs to report on, from a file of their own; then all of `data` is mined.

    Raises:
        InputError: the policy's name, size or rounds cannot be used.
    """
    dataset, tested = _dataset(data), _dataset(test) if test is not None else None
    who = Who.of(parties)
    run = _run_id(dataset, tested, config, who)
    if run_exists(database, run):
        return run
    plan = plan_threads(dataset, config, tested)
    facts = _facts(parties, who, data, config, plan)
    for each in filter(None, (dataset, tested)):
        save_dataset(database, each)
    _insert(database, run, dataset, tested, config, facts, plan)
    return run


def plan_threads(dataset: Dataset, config: RunConfig, test: Dataset | None) -> Plan:
    """Which pairs each thread mines and which it is tested on. `main` is the thread whose set is handed over."""
    everything = tuple(range(len(dataset.pairs)))
    if test is not None:
        return _test_plan(dataset, everything, test)
    if config.holdout == "none":
        return Plan("none", (("main", Fold(everything, ())),), ("no pairs were held out, as asked",))
    made = split(
        dataset.pairs, sealed_share=config.sealed_share, folds=config.folds, minimum=_minimum(dataset, config),
        seed=config.seed,
    )  # fmt: skip
    notes = (made.note,) if made.note else ()
    if made.mode == "sealed":
        return Plan("sealed", (("main", made.folds[0]),), notes)
    folds = tuple((f"fold-{k}", fold) for k, fold in enumerate(made.folds, start=1))
    return Plan(made.mode, (("main", Fold(everything, ())), *folds), notes)


def _minimum(dataset: Dataset, config: RunConfig) -> int:
    """Decided pairs below which the run cross-fits: always or never, where that was asked for."""
    asked = {"crossfit": len(dataset.pairs) + 2, "sealed": 2}
    return asked.get(config.holdout, config.minimum)


def _test_plan(dataset: Dataset, everything: tuple[int, ...], test: Dataset) -> Plan:
    mined = {p.hash for p in dataset.pairs}
    fresh = tuple(i for i, p in enumerate(test.pairs) if p.hash not in mined)
    seen = len(test.pairs) - len(fresh)
    notes = (f"{seen} of {len(test.pairs)} test pairs also stand in the mining data and were left out",) if seen else ()
    return Plan("test", (("main", Fold(everything, fresh)),), notes)


def _dataset(data: Reading | Dataset) -> Dataset:
    return data if isinstance(data, Dataset) else data.dataset


def run_id(parties: Parties, data: Reading | Dataset, config: RunConfig, test: Reading | Dataset | None) -> str:
    """The id that `create_run` would give, whether the run is there yet or not."""
    return _run_id(_dataset(data), _dataset(test) if test is not None else None, config, Who.of(parties))


def run_exists(database: Database, run: str) -> bool:
    """Whether a run of this id was created before."""
    with database.read() as connection:
        return connection.execute(select(RunRow.id).where(RunRow.id == run)).first() is not None


def _facts(parties: Parties, who: Who, data: Reading | Dataset, config: RunConfig, plan: Plan) -> RunFacts:
    dataset = _dataset(data)
    policy = policy_named(config.policy, config.size, config.rounds, free=who.panel.free)
    agreed = agreement([p.votes for p in dataset.pairs]) if isinstance(data, Dataset) else data.agreement
    return RunFacts(
        domain=config.domain or parties.domain(dataset), recognised=config.domain is None, holdout=plan.holdout,
        agreement=_agreement_fact(agreed), notes=(*dataset.notes, *plan.notes), panel=who.panel,
        manager=who.manager, policy=policy.name, size=policy.size, rounds=policy.rounds,
        versions=_versions(),
    )  # fmt: skip


def _agreement_fact(found: Agreement | None) -> AgreementFact | None:
    if found is None:
        return None
    alpha, low, high = (None if math.isnan(x) else x for x in (found.alpha, found.low, found.high))
    return AgreementFact(alpha=alpha, low=low, high=high, raw=found.raw, pairs=found.pairs, votes=found.votes)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _run_id(dataset: Dataset, test: Dataset | None, config: RunConfig, who: Who) -> str:
    """Hash (16 hex digits) of everything that decides the result; the seed is part of the configuration."""
    policy = policy_named(config.policy, config.size, config.rounds, free=who.panel.free)
    decided = [config.decides, who.panel.model_dump(), who.manager, policy.name, policy.size, policy.rounds]
    seen = [dataset.hash, test.hash if test else "", decided]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def _insert(
    database: Database, run: str, dataset: Dataset, test: Dataset | None, config: RunConfig, facts: RunFacts, plan: Plan
) -> None:
    row = {
        "id": run, "dataset": dataset.hash, "test": test.hash if test else "", "config": config.model_dump_json(),
        "facts": facts.model_dump_json(), "created_at": time.time(),
    }  # fmt: skip
    threads = [_thread(run, name, fold, (test or dataset).hash) for name, fold in plan.threads]
    with database.write() as connection:
        insert_new(connection, RunRow, [row])
        insert_new(connection, ThreadRow, threads)


def _thread(run: str, name: str, fold: Fold, sealed_of: str) -> dict[str, str]:
    mining, sealed = (json.dumps(list(positions)) for positions in (fold.mining, fold.held_out))
    return {
        "id": f"{run}-{name}", "run": run, "name": name, "mining": mining, "sealed": sealed, "sealed_of": sealed_of,
    }  # fmt: skip


def thread_names(threads: Sequence[str]) -> list[str]:
    """Thread names in the order of a report: `main`, then folds by number."""
    return sorted(threads, key=lambda name: (name != "main", len(name), name))
