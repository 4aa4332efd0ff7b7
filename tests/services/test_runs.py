"""A run is named by what decides it, and its pairs are divided as its holdout says."""

from __future__ import annotations

from typing import Any

import pytest
from letter_parties import LetterManager, LetterParties, letter_dataset
from sqlalchemy import select
from workbench import SEALED, SMALL

from agents.agreement import Agreement
from agents.pairs import Dataset, Vote
from knowledge_base.errors import InputError
from services.database import Database
from services.datasets import Reading
from services.mining_thread import StoredThread, load_run, load_thread
from services.run_config import RunConfig
from services.runs import create_run, plan_threads, thread_names
from services.tables import ThreadRow

DATASET = letter_dataset(40)


def create(database: Database, data: Any = DATASET, config: RunConfig = SEALED, **more: Any) -> str:
    return create_run(database, more.pop("parties", LetterParties()), data, config, **more)


def threads(database: Database, run: str) -> dict[str, StoredThread]:
    with database.read() as connection:
        names = connection.execute(select(ThreadRow.name).where(ThreadRow.run == run)).scalars().all()
    return {n: load_thread(database, f"{run}-{n}") for n in thread_names(list(names))}


def test_the_same_inputs_make_the_same_run(database: Database) -> None:
    run = create(database)
    assert create(database) == run
    assert len(threads(database, run)) == 1


class OtherManager(LetterManager):
    """Another version of the manager."""

    fingerprint = "letters/2"


class OtherParties(LetterParties):
    """With that manager."""

    def manager(self) -> LetterManager:
        return OtherManager()


@pytest.mark.parametrize(
    "change",
    [
        {"config": SEALED.model_copy(update={"seed": 1})},
        {"config": SEALED.model_copy(update={"rounds": 2})},
        {"config": SEALED.model_copy(update={"policy": "robust"})},
        {"data": letter_dataset(40, seed=1)},
        {"data": DATASET.model_copy(update={"description": "which has more of a letter"})},
        {"test": letter_dataset(10, seed=9)},
        {"parties": OtherParties()},
    ],
)
def test_whatever_decides_the_result_makes_another_run(database: Database, change: dict[str, Any]) -> None:
    assert create(database, **change) != create(database)


def test_what_decides_nothing_makes_no_other_run(database: Database) -> None:
    assert create(database, DATASET.model_copy(update={"notes": ("seen",)})) == create(database)


def test_a_sealed_share_is_never_mined(database: Database) -> None:
    main = threads(database, create(database))["main"]
    assert main.run.facts.holdout == "sealed"
    assert {p.id for p in main.mining} | {p.id for p in main.sealed} == {p.id for p in DATASET.pairs}
    assert not {p.id for p in main.mining} & {p.id for p in main.sealed}
    assert len(main.sealed) > 5


def test_a_cross_fit_mines_everything_once_and_holds_every_pair_out_once(database: Database) -> None:
    found = threads(database, create(database, config=SMALL))
    assert list(found) == ["main", "fold-1", "fold-2", "fold-3"]
    main = found.pop("main")
    assert (len(main.mining), main.sealed) == (40, ())
    assert sorted(p.id for t in found.values() for p in t.sealed) == sorted(p.id for p in DATASET.pairs)
    for fold in found.values():
        assert not {p.id for p in fold.mining} & {p.id for p in fold.sealed}
    assert "cross-fitted" in main.run.facts.notes[-1]


def test_a_test_file_is_sealed_and_all_of_the_data_is_mined(database: Database) -> None:
    test = letter_dataset(10, seed=9)
    main = threads(database, create(database, test=test))["main"]
    assert main.run.facts.holdout == "test"
    assert main.mining == DATASET.pairs
    assert main.sealed == test.pairs


def test_test_pairs_that_were_mined_are_left_out_and_told(database: Database) -> None:
    test = Dataset(name="test", pairs=(*DATASET.pairs[:3], *letter_dataset(10, seed=9).pairs))
    main = threads(database, create(database, test=test))["main"]
    assert len(main.sealed) == 10
    assert main.run.facts.notes[-1].startswith("3 of 13 test pairs also stand in the mining data")


def test_pairs_that_all_hang_together_leave_nothing_to_hold_out() -> None:
    shared = Dataset(name="one group", pairs=tuple(p.model_copy(update={"group": "g"}) for p in DATASET.pairs))
    plan = plan_threads(shared, SEALED, None)
    assert (plan.holdout, [name for name, _ in plan.threads]) == ("none", ["main"])
    assert "no sealed estimate" in plan.notes[0]


def test_facts_are_kept_with_the_run(database: Database) -> None:
    facts = load_run(database, create(database, DATASET.model_copy(update={"notes": ("two rows merged",)}))).facts
    assert (facts.domain, facts.recognised, facts.judge, facts.manager) == ("answers", True, "letters/1", "letters/1")
    assert (facts.policy, facts.size, facts.rounds, facts.panel.symmetric) == ("paper", 6, 3, True)
    assert facts.notes[0] == "two rows merged"
    assert facts.versions["rq"] == "2.12.0"
    assert facts.agreement is None


def test_a_domain_that_was_given_is_not_guessed(database: Database) -> None:
    facts = load_run(database, create(database, config=SEALED.model_copy(update={"domain": "code"}))).facts
    assert (facts.domain, facts.recognised) == ("code", False)


def test_a_readings_agreement_is_kept_even_where_alpha_is_not_defined(database: Database) -> None:
    nan = float("nan")
    agreed = Agreement(alpha=nan, low=nan, high=nan, level=0.95, raw=1.0, pairs=2, votes=4)
    facts = load_run(database, create(database, Reading(DATASET, "native", agreed))).facts
    assert facts.agreement is not None
    assert (facts.agreement.alpha, facts.agreement.raw, facts.agreement.pairs) == (None, 1.0, 2)


def test_agreement_of_a_bare_dataset_is_measured(database: Database) -> None:
    votes = (Vote(preferred="a", annotator="x"), Vote(preferred="a", annotator="y"))
    voted = Dataset(name="v", pairs=tuple(p.model_copy(update={"votes": votes}) for p in DATASET.pairs))
    facts = load_run(database, create(database, voted)).facts
    assert facts.agreement is not None
    assert facts.agreement.votes == 80


@pytest.mark.parametrize("config", [RunConfig(policy="best")])
def test_a_policy_that_is_not_there_is_refused(database: Database, config: RunConfig) -> None:
    with pytest.raises(InputError, match="policy is 'best'"):
        create(database, config=config)


def test_threads_are_told_in_order() -> None:
    assert thread_names(["fold-10", "fold-2", "main", "fold-1"]) == ["main", "fold-1", "fold-2", "fold-10"]


def test_the_lineage_names_everything_that_decided_the_set(database: Database) -> None:
    main = threads(database, create(database))["main"]
    lineage = main.lineage
    assert (lineage.dataset, lineage.pairs, lineage.seed) == (DATASET.hash, len(main.mining), 0)
    assert (lineage.policy, lineage.size, lineage.rounds) == ("paper", 6, 3)
