"""A spent budget ends the asking for one run's mining, and takes nothing from anybody else."""

from __future__ import annotations

import pytest
from batch_desk import CRITERIA, DATASET, Desk
from sqlalchemy import select
from workbench import SMALL, new_run

from services.batches import begin, cause_of, end_asking, outstanding, running_threads
from services.database import Database
from services.tables import JudgmentRow


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_the_end_of_asking_counts_as_missing_for_its_run_and_leaves_judgments_free(desk: Desk) -> None:
    batch, *_ = desk.hand_out()
    desk.answer(begin(desk.database, batch)[:5])
    end_asking(desk.database, desk.run, "no money", "race")
    assert desk.ledger.missing() == 0
    assert desk.ledger.spent()
    assert desk.statuses().count("missing") == 55
    assert outstanding(desk.database, desk.run) == set()
    assert desk.hand_out() == []
    assert desk.attempts([batch]) == [], "whoever asks next gets them in a new batch"
    seen = [j.status for c in CRITERIA for _, j in desk.ledger.judgments(c.hash, [p.hash for p in DATASET.pairs])]
    assert (seen.count("failed"), len(seen)) == (55, 60)


def test_what_was_answered_stands_after_the_end_of_asking(desk: Desk) -> None:
    batch, *_ = desk.hand_out()
    questions = begin(desk.database, batch)
    desk.answer(questions[:5])
    before = [desk.ledger.judgments(c.hash, [p.hash for p in DATASET.pairs]) for c in CRITERIA]
    end_asking(desk.database, desk.run, "no money", "race")
    desk.answer(questions[5:])
    after = [desk.ledger.judgments(c.hash, [p.hash for p in DATASET.pairs]) for c in CRITERIA]
    answered = [[told for told in row if told[1].status != "failed"] for row in after]
    assert answered == before, "an answer that comes late changes no evidence that the thread has read"


def test_another_run_goes_on_with_what_one_can_no_longer_pay(desk: Desk) -> None:
    other = desk.fellow()
    batch, *rest = desk.hand_out()
    end_asking(desk.database, desk.run, "no money", "race")
    assert other.missing() == 60
    assert not other.spent()
    assert sum(len(begin(desk.database, b)) for b in (batch, *rest)) == 60, "its batches are not taken away from it"


def test_whoever_asks_for_what_was_given_up_is_the_one_who_asked(desk: Desk) -> None:
    desk.hand_out()
    end_asking(desk.database, desk.run, "no money", "race")
    other = desk.fellow()
    assert other.missing() == 60
    with desk.database.read() as connection:
        asked_by = set(connection.execute(select(JudgmentRow.asked_by)).scalars())
    assert asked_by == {new_run(desk.database, DATASET, SMALL)}


def test_what_somebody_still_waits_for_stays_his_who_asked_first(desk: Desk) -> None:
    desk.hand_out()
    desk.fellow()
    with desk.database.read() as connection:
        assert set(connection.execute(select(JudgmentRow.asked_by)).scalars()) == {desk.run}


@pytest.mark.parametrize(("stage", "goes_on"), [("race", True), ("manage", True), ("sealed", False)])
def test_held_out_pairs_are_judged_on_while_mining_may_ask_no_more(desk: Desk, stage: str, goes_on: bool) -> None:
    desk.hand_out()
    desk.stand(desk.thread, stage="sealed")
    end_asking(desk.database, desk.run, "no money", stage)
    assert (desk.ledger.missing() == 60) is goes_on
    assert desk.ledger.spent() is not goes_on


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_a_thread_that_has_ended_is_not_told_of_the_end_of_asking(desk: Desk, status: str) -> None:
    desk.stand(desk.thread, status=status)
    end_asking(desk.database, desk.run, "no money", "race")
    assert not desk.ledger.spent()


def test_threads_that_run_are_those_that_have_neither_finished_nor_failed(desk: Desk) -> None:
    run = new_run(desk.database, DATASET, SMALL)
    assert running_threads(desk.database, run) == [f"{run}-fold-{k}" for k in (1, 2, 3)] + [f"{run}-main"]
    desk.stand(f"{run}-main", status="failed")
    desk.stand(f"{run}-fold-2", status="finished")
    assert running_threads(desk.database, run) == [f"{run}-fold-1", f"{run}-fold-3"]
    assert running_threads(desk.database, "another run") == []


def test_the_cause_of_a_batch_is_the_run_and_stage_of_a_thread_that_waits_for_it(desk: Desk) -> None:
    batch, *_ = desk.hand_out()
    assert cause_of(desk.database, batch) == (desk.run, "race")
    desk.stand(desk.thread, stage="sealed")
    assert cause_of(desk.database, batch) == (desk.run, "sealed")


def test_a_batch_that_nobody_waits_for_has_no_cause(desk: Desk) -> None:
    batch, *_ = desk.hand_out()
    assert cause_of(desk.database, "judge-t-none") == ("", "")
    end_asking(desk.database, desk.run, "no money", "race")
    assert cause_of(desk.database, batch) == ("", "")
