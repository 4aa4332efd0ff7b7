"""A run that starts from a stored set: told apart from one that does not, and only then."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from letter_parties import LetterParties, letter_dataset
from refresh_bench import CONFIG, world
from workbench import finish

from knowledge_base.errors import NotThere
from services.mining_thread import load_thread
from services.run_config import RunConfig
from services.runs import create_run, run_id

FIELDS = (
    "policy", "size", "rounds", "seed", "domain", "sealed_share", "folds", "minimum", "holdout", "knowledge_base",
    "budget",
)  # fmt: skip
"""What decided a run's id before runs had parents, in this order."""


def test_a_run_without_a_parent_has_the_id_that_it_always_had() -> None:
    config, dataset, parties = RunConfig(size=6, rounds=3, policy="paper"), letter_dataset(30), LetterParties()
    fields = {name: config.model_dump()[name] for name in FIELDS}
    decided = [fields, parties.panel().model_dump(), parties.manager().fingerprint, "paper", 6, 3]
    expected = hashlib.sha256(json.dumps([dataset.hash, "", decided]).encode()).hexdigest()[:16]
    assert run_id(parties, dataset, config, None) == expected


def test_a_parent_makes_another_run() -> None:
    dataset, parties = letter_dataset(30), LetterParties()
    configs = [RunConfig(), RunConfig(parent="a"), RunConfig(parent="b")]
    assert len({run_id(parties, dataset, config, None) for config in configs}) == 3


def test_the_parent_stands_in_the_lineage_and_in_the_race(place: Path) -> None:
    with world(place, by_hand="q") as letters:
        config = CONFIG.model_copy(update={"parent": letters.approved.version})
        run = create_run(letters.database, LetterParties(), letter_dataset(40), config)
        finish(letters.deployment, run)
        thread = load_thread(letters.database, f"{run}-main")
        assert thread.lineage.parent == letters.approved.version
        ledger = thread.with_manager(LetterParties().manager(), letters.database).ledger
        assert ("Letters q", "incumbent") in [(e.name, e.origin) for e in ledger.records()[0].entries]


def test_a_parent_that_is_not_stored_is_said(place: Path) -> None:
    with world(place, by_hand="q") as letters:
        run = create_run(letters.database, LetterParties(), letter_dataset(40), RunConfig(parent="nowhere"))
        thread = load_thread(letters.database, f"{run}-main")
        with pytest.raises(NotThere, match="no criteria set 'nowhere'"):
            thread.with_manager(LetterParties().manager(), letters.database)
