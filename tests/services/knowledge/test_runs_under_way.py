"""What is approved while a run is under way changes nothing of that run, and everything of the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterManager, LetterParties, letter_criterion, letter_dataset
from workbench import SEALED, another, bench, execute, outcome, take_job, with_parties, work_off

from agents.judge import Judge
from agents.local_run import run_local
from agents.manager import Manager, Proposal
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.panel import Panel
from knowledge_base.entries import criteria_digest
from knowledge_base.index import Index
from services.deployment import Deployment
from services.knowledge.adding import add
from services.knowledge.approving import approve
from services.mining_thread import load_thread
from services.parties import EmbeddedParties
from services.runs import create_run
from services.settings import load_settings

DATASET = letter_dataset(30)


class LearnedManager(LetterManager):
    """Proposes the letters of its knowledge base before any other."""

    def __init__(self, index: Index) -> None:
        self.letters = sorted(c.name for c in index.criteria if c.name.startswith("Letters "))
        self.fingerprint = f"learned/{criteria_digest(index.criteria)[:12]}"

    def _fresh(self, seed: int, used: Sequence[str] | set[str] | tuple[()], n: int) -> list[Proposal]:
        known = [letter_criterion(name.removeprefix("Letters ")) for name in self.letters if name not in used]
        return [*(Proposal(c, "knowledge base", "known") for c in known), *super()._fresh(seed, used, n)][:n]


class LearnedParties(EmbeddedParties):
    """Letters are judged, over the knowledge base of the deployment."""

    @cached_property
    def _letters(self) -> LetterParties:
        return LetterParties()

    def workers(self) -> tuple[Judge, ...]:
        return self._letters.workers()

    def panel(self) -> Panel:
        return self._letters.panel()

    def domain(self, dataset: Any) -> Any:
        return "answers"

    def _new_manager(self, index: Index) -> Manager:
        return LearnedManager(index)


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield learned(opened)


def learned(deployment: Deployment) -> Deployment:
    parties: Any = LearnedParties(load_settings(), deployment.database)
    return with_parties(deployment, parties)


def learn(deployment: Deployment, letters: str) -> None:
    home = deployment.settings.home
    approve(deployment.database, add(deployment.database, home, letter_criterion(letters), "ann").entry.digest, "bo")


def alone(deployment: Deployment, run: str, index: Index) -> str:
    """The outcome of a run in one process with this knowledge base."""
    thread, manager = load_thread(deployment.database, f"{run}-main"), LearnedManager(index)
    durable = thread.with_manager(manager, deployment.database)
    ledger = MemoryLedger([*thread.mining, *thread.sealed])
    mining = Mining(durable.brief, durable.sealed, ledger, manager, durable.policy, durable.panel)
    return run_local(mining, LetterJudge(), thread.lineage).model_dump_json()


def begun(deployment: Deployment) -> str:
    run = create_run(deployment.database, deployment.parties, DATASET, SEALED)
    deployment.queue.advance([f"{run}-main"])
    return run


def test_a_run_ends_as_it_would_have_whatever_is_approved_while_it_is_under_way(deployment: Deployment) -> None:
    learn(deployment, "q")
    parties: Any = deployment.parties
    began = parties.index
    run = begun(deployment)
    for letters in ("ee", "et", "ta"):
        job = take_job(deployment)
        assert job is not None
        execute(deployment, job)
        learn(deployment, letters)
    # Another process takes over, which has never seen the base that the run began with.
    work_off(learned(another(deployment)))
    assert outcome(deployment, run) == alone(deployment, run, began)
    assert outcome(deployment, run) != alone(deployment, run, parties.index), "or this test would show nothing"


def test_the_next_run_draws_on_what_was_approved(deployment: Deployment) -> None:
    first = begun(deployment)
    learn(deployment, "ee")
    second = begun(deployment)
    assert first != second
    work_off(deployment)
    parties: Any = deployment.parties
    assert outcome(deployment, second) == alone(deployment, second, parties.index)
    assert outcome(deployment, second) != outcome(deployment, first)
