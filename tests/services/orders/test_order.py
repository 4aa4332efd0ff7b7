"""Runs that are ordered: once, cancelled and taken up again, listed in pages, over a real queue."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from letter_parties import letter_dataset
from workbench import SEALED, bench, execute, finish, new_run, outcome, take_job, waiting, work_off

from knowledge_base.errors import NotThere, RunError
from services.deployment import Deployment
from services.orders.order import Customer, cancel, list_orders, load_order, place_order, resume

pytestmark = pytest.mark.usefixtures("configured")

ME = Customer("letters", "me", "key1", "source1")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as made:
        yield made


def ordered(deployment: Deployment, seed: int = 0) -> str:
    run = new_run(deployment.database, letter_dataset(30, seed=seed))
    place_order(deployment, run, ME)
    return run


def test_an_ordered_run_is_worked_on(deployment: Deployment) -> None:
    run = ordered(deployment)
    assert load_order(deployment.database, run).state == "running"
    work_off(deployment)
    found = load_order(deployment.database, run)
    assert (found.state, found.name, found.by, found.source) == ("finished", "letters", "me", "source1")


def test_ordering_a_run_again_gives_the_first_order(deployment: Deployment) -> None:
    run = ordered(deployment)
    again, new = place_order(deployment, run, Customer("other", "you"))
    assert (again.name, again.by, new) == ("letters", "me", False)
    work_off(deployment)
    assert load_order(deployment.database, run).state == "finished"
    assert place_order(deployment, run, ME)[0].state == "finished"
    assert not waiting(deployment)


def test_a_run_that_nobody_ordered_is_not_there(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    with pytest.raises(NotThere, match="there is no run"):
        load_order(deployment.database, run)


def test_a_cancelled_run_asks_for_nothing_more_and_is_taken_up_where_it_stood(deployment: Deployment) -> None:
    undisturbed = new_run(deployment.database)
    finish(deployment, undisturbed)
    expected = outcome(deployment, undisturbed)
    run = ordered(deployment, seed=1)
    for _ in range(3):
        job = take_job(deployment)
        assert job is not None
        execute(deployment, job)
    cancelled = cancel(deployment.database, run, "me")
    assert (cancelled.state, cancelled.fault) == ("cancelled", "cancelled by me")
    assert cancelled.ended_at > 0
    work_off(deployment)
    assert load_order(deployment.database, run).state == "cancelled"
    resume(deployment, run)
    work_off(deployment)
    assert load_order(deployment.database, run).state == "finished"
    assert outcome(deployment, run) != expected


@pytest.mark.parametrize("after", [1, 2, 4, 7])
def test_cancelling_and_resuming_anywhere_changes_nothing_of_the_outcome(
    deployment: Deployment, tmp_path: Path, after: int
) -> None:
    from workbench import alone

    run = ordered(deployment)
    rng = random.Random(after)
    for _ in range(after):
        if (job := take_job(deployment, rng)) is not None:
            execute(deployment, job)
    if load_order(deployment.database, run).state == "running":
        cancel(deployment.database, run, "me")
        resume(deployment, run)
    work_off(deployment)
    assert outcome(deployment, run) == alone(deployment, run)


def test_cancelling_twice_is_cancelling_once(deployment: Deployment) -> None:
    run = ordered(deployment)
    cancel(deployment.database, run, "me")
    assert cancel(deployment.database, run, "you").fault == "cancelled by me"


def test_what_has_finished_can_be_neither_cancelled_nor_resumed(deployment: Deployment) -> None:
    run = ordered(deployment)
    work_off(deployment)
    with pytest.raises(RunError, match="has finished"):
        cancel(deployment.database, run, "me")
    with pytest.raises(RunError, match="has finished"):
        resume(deployment, run)


def test_what_another_run_wants_too_is_still_judged(deployment: Deployment) -> None:
    one = ordered(deployment)
    other = new_run(deployment.database, config=SEALED.model_copy(update={"seed": 5}))
    place_order(deployment, other, ME)
    job = take_job(deployment)
    assert job is not None
    execute(deployment, job)
    cancel(deployment.database, one, "me")
    work_off(deployment)
    assert load_order(deployment.database, other).state == "finished"
    assert load_order(deployment.database, one).state == "cancelled"


def test_orders_are_listed_latest_first_in_pages_and_by_state(deployment: Deployment) -> None:
    runs = [ordered(deployment, seed) for seed in range(5)]
    cancel(deployment.database, runs[2], "me")
    first = list_orders(deployment.database, limit=3)
    rest = list_orders(deployment.database, limit=3, before=(first[-1].created_at, first[-1].run))
    assert [o.run for o in [*first, *rest]] == runs[::-1]
    assert [o.run for o in list_orders(deployment.database, state="cancelled")] == [runs[2]]
    assert len(list_orders(deployment.database, state="running")) == 4
    assert list_orders(deployment.database, name="other") == []
