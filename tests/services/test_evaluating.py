"""An evaluation over the judgment store pays for nothing that was ever answered, and says before what it will ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from letter_parties import LetterParties, letter_criterion, letter_dataset
from paid_bench import SmallParties, chat_settings, endpoint, judgments, mine, paid_bench, paid_run, world_pairs
from sqlalchemy import func, select, update

from agents.assessment import assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.pairs import Dataset
from agents.votes import tally
from benchmarks.scripted.faults import Script
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.world.catalogue import knowledge_base
from benchmarks.world.people import World
from knowledge_base.criterion import Criterion
from knowledge_base.errors import EndpointClosed
from services.call_tally import tally as calls_of
from services.database import Database
from services.evaluating import ASKER, evaluate_stored, expected_calls
from services.evaluation import Evaluation
from services.result_reading import result_of
from services.settings import load_settings
from services.tables import CallRow, JudgmentRow

CRITERIA = knowledge_base(World(1003), 3)
PAIRS = world_pairs("sealed", 8)


def criteria_set(criteria: Sequence[Criterion]) -> CriteriaSet:
    """A set in which they weigh less and less."""
    empty = np.empty(0, dtype=np.int8)
    members = tuple(
        Member(criterion=c, weight=1.0 / (1 + i), mining=assess(tally([c.hash], [], []), empty)[0])
        for i, c in enumerate(criteria)
    )
    lineage = Lineage(dataset="", pairs=3, judge="", manager="m", policy="paper", rounds=1, size=3, seed=0)
    return CriteriaSet(members=members, method="paper", lineage=lineage)


SET = criteria_set(CRITERIA)


class Desk:
    """A database, and parties at an endpoint."""

    def __init__(self, served: ThreadedEndpoint, **settings: Any) -> None:
        self.settings = chat_settings(served.base_url, **settings)
        self.database = Database(self.settings.database).create()
        self.parties = SmallParties(self.settings, self.database)

    def expected(self, chosen: CriteriaSet = SET, pairs: Dataset = PAIRS) -> int:
        return expected_calls(self.database, self.parties, chosen, pairs)

    def evaluate(self, chosen: CriteriaSet = SET, pairs: Dataset = PAIRS) -> Evaluation:
        return evaluate_stored(self.database, self.parties, self.settings, chosen, pairs)


@pytest.fixture
def served() -> Iterator[ThreadedEndpoint]:
    with endpoint(Service(models=())) as found:
        yield found


@pytest.fixture
def desk(place: Path, served: ThreadedEndpoint) -> Iterator[Desk]:
    made = Desk(served)
    yield made
    made.database.close()


def asked(served: ThreadedEndpoint) -> int:
    return int(served.stats()["requests"])


def test_both_orders_of_every_criterion_and_pair_are_the_most_that_can_be_asked(desk: Desk) -> None:
    assert desk.expected() == 2 * len(CRITERIA) * len(PAIRS.pairs)


def test_expecting_asks_nobody(desk: Desk, served: ThreadedEndpoint) -> None:
    desk.expected()
    assert asked(served) == 0
    assert judgments(desk.database) == {}


def test_samples_and_workers_multiply_what_is_expected(place: Path, served: ThreadedEndpoint) -> None:
    several = Desk(served, worker_model="openai:a,openai:b", worker_samples=3)
    assert several.expected() == 2 * 3 * 2 * len(CRITERIA) * len(PAIRS.pairs)
    several.database.close()


def test_a_second_look_is_paid_for_only_where_the_first_came_to_a_decision(
    desk: Desk, served: ThreadedEndpoint
) -> None:
    expected = desk.expected()
    found = desk.evaluate()
    cells = len(CRITERIA) * len(PAIRS.pairs)
    assert cells < asked(served) <= expected
    assert sum(judgments(desk.database).values()) == asked(served)
    assert asked(served) - cells >= sum(c.here.decided for c in found.criteria)


@pytest.mark.usefixtures("configured")
def test_what_is_stored_is_not_asked_again_and_gives_the_same(desk: Desk, served: ThreadedEndpoint) -> None:
    first = desk.evaluate()
    before = asked(served)
    assert desk.evaluate() == first
    assert asked(served) == before


def test_what_is_expected_of_the_rest_is_exact_up_to_second_looks(desk: Desk, served: ThreadedEndpoint) -> None:
    whole = desk.expected()
    desk.evaluate(pairs=PAIRS.model_copy(update={"pairs": PAIRS.pairs[:5]}))
    assert desk.expected() == whole - asked(served)
    desk.evaluate(criteria_set(CRITERIA[:2]))
    assert desk.expected() == whole - asked(served)


def test_another_process_finds_what_one_has_stored(desk: Desk, served: ThreadedEndpoint) -> None:
    first = desk.evaluate()
    before = asked(served)
    other = Desk(served)
    assert other.evaluate() == first
    assert asked(served) == before
    other.database.close()


def test_what_a_run_judged_an_evaluation_of_its_set_does_not_pay_for_again(
    place: Path, served: ThreadedEndpoint
) -> None:
    with paid_bench(place, served.base_url) as deployment:
        run = paid_run(deployment)
        mine(deployment, run)
        result = result_of(deployment.database, run)
        before = asked(served)
        sealed = world_pairs("sealed", 6)
        expected = expected_calls(deployment.database, deployment.parties, result.criteria_set, sealed)
        firsts = 6 * len(result.criteria_set.members)
        assert expected == firsts, "the first looks are stored, the second are not"
        evaluate_stored(deployment.database, deployment.parties, deployment.settings, result.criteria_set, sealed)
        assert 0 < asked(served) - before <= firsts
        assert served.stats()["duplicates"] == 0


def test_calls_are_charged_to_evaluations_and_to_no_run(desk: Desk, served: ThreadedEndpoint) -> None:
    desk.evaluate()
    with desk.database.read() as connection:
        query = select(CallRow.run, CallRow.work, func.count()).group_by(CallRow.run, CallRow.work)
        assert [tuple(row) for row in connection.execute(query)] == [(ASKER, "evaluate", asked(served))]
    assert calls_of(desk.database, ASKER).total.calls == asked(served)


def test_what_failed_is_asked_again_and_then_kept(desk: Desk, served: ThreadedEndpoint) -> None:
    desk.evaluate()
    with desk.database.write() as connection:
        broken = select(JudgmentRow.key).order_by(JudgmentRow.key).limit(4)
        failed = {"status": "failed", "verdict": "abstain", "rationale": "no reply"}
        connection.execute(update(JudgmentRow).where(JudgmentRow.key.in_(broken)).values(**failed))
    before = asked(served)
    assert desk.expected() >= 4
    desk.evaluate()
    assert asked(served) == before + 4
    assert judgments(desk.database).get("failed", 0) == 0
    desk.evaluate()
    assert asked(served) == before + 4, "an answer that came is stored, whoever failed before"


def test_refusals_are_missing_evidence_and_asked_again_by_the_next_command(place: Path) -> None:
    with endpoint(Service(models=()), Script(first=["refusal"])) as shy:
        desk = Desk(shy)
        first = desk.evaluate()
        assert {c.here.missing for c in first.criteria} == {len(PAIRS.pairs)}
        assert desk.expected() == 2 * len(CRITERIA) * len(PAIRS.pairs)
        again = desk.evaluate()
        assert {c.here.missing for c in again.criteria} == {0}
        desk.database.close()


def test_a_closed_endpoint_ends_it_and_what_had_come_is_kept(desk: Desk, served: ThreadedEndpoint) -> None:
    served.engine.service = Service(models=(), quota=7)
    with pytest.raises(EndpointClosed, match="You exceeded your current quota"):
        desk.evaluate()
    assert sum(judgments(desk.database).values()) == 7
    served.engine.service = Service(models=())
    other = Desk(served)
    other.evaluate()
    assert served.stats()["duplicates"] == 0
    other.database.close()


def test_where_nothing_costs_anything_nothing_is_expected_or_stored(place: Path) -> None:
    settings = load_settings()
    database = Database(settings.database).create()
    parties, chosen = LetterParties(), criteria_set([letter_criterion("e")])
    assert expected_calls(database, parties, chosen, letter_dataset(9)) == 0
    found = evaluate_stored(database, parties, settings, chosen, letter_dataset(9))
    assert found.criteria[0].here.asked > 0
    assert judgments(database) == {}
    database.close()
