"""Each run has few batches on the queue at a time; none is lost, and whatever a kill leaves behind a sweep repairs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labelling_bench import created, pairs_file, sweep, work_off_chunks
from letter_parties import letter_dataset
from rq.job import Job
from sqlalchemy import delete, select, update
from workbench import SMALL, another, bench, execute, new_run, outcome, take_job, thread_row, waiting

from services.deployment import Deployment
from services.jobs import advance_thread
from services.queue import ADVANCES, LABELLING, QUEUE, SOON
from services.roles.tables import TurnRow
from services.run_config import RunConfig
from services.sweeper import Sweeper
from services.turns import SMALL as SMALL_WORK
from services.turns import Turns

AHEAD = 2
WORKERS = 2
PLACES = AHEAD * WORKERS


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, workers=WORKERS, batches_ahead=AHEAD, batch_size=10) as opened:
        yield opened


def batches(deployment: Deployment, count: int) -> list[str]:
    return [deployment.queue.new_batch() for _ in range(count)]


def queued(deployment: Deployment, line: str | None = None) -> list[str]:
    return [job.id for job in waiting(deployment) if line in (None, job.origin)]


def done(deployment: Deployment, batch: str) -> None:
    """As if a worker had taken and ended it."""
    job = Job.fetch(batch, connection=deployment.queue.connection, serializer="json")
    deployment.queue.connection.lrem(f"rq:queue:{job.origin}", 1, batch)
    deployment.turns.ended(batch)


def rows(deployment: Deployment) -> dict[str, bool]:
    with deployment.database.read() as connection:
        found = connection.execute(select(TurnRow.batch, TurnRow.queued).order_by(TurnRow.number))
        return {r.batch: r.queued for r in found}


def test_a_run_alone_has_as_many_batches_on_the_queue_as_keep_all_workers_busy(deployment: Deployment) -> None:
    mine = batches(deployment, 30)
    deployment.turns.offer("run", "run-main", mine)
    assert queued(deployment) == mine[:PLACES]


def test_a_batch_that_ends_makes_room_for_the_next_in_order(deployment: Deployment) -> None:
    mine = batches(deployment, 7)
    deployment.turns.offer("run", "run-main", mine)
    for at in range(7):
        assert queued(deployment) == mine[at : at + PLACES]
        done(deployment, mine[at])
    assert rows(deployment) == {}


def test_runs_that_have_work_share_the_queue(deployment: Deployment) -> None:
    large, other = batches(deployment, 100), batches(deployment, 100)
    deployment.turns.offer("large", "large-main", large)
    deployment.turns.offer("other", "other-main", other)
    assert len(queued(deployment)) == PLACES + PLACES // 2
    for _ in range(20):
        done(deployment, queued(deployment)[0])
    left = queued(deployment)
    assert abs(len(set(left) & set(large)) - len(set(left) & set(other))) <= 1


def test_a_run_of_three_batches_is_not_kept_waiting_by_one_of_thousands(deployment: Deployment) -> None:
    deployment.turns.offer("large", "large-main", batches(deployment, 2000))
    mine = batches(deployment, 3)
    deployment.turns.offer("small", "small-main", mine)
    ended = 0
    while set(mine) & set(rows(deployment)):
        done(deployment, queued(deployment)[0])
        ended += 1
    assert ended <= 3 + PLACES


def test_with_many_runs_each_has_at_least_one_batch_on_the_queue(deployment: Deployment) -> None:
    for number in range(20):
        deployment.turns.offer(f"run-{number}", f"run-{number}-main", batches(deployment, 10))
    found = {owner for owner, on in deployment.turns.standing().values() if on}
    assert len(found) == 20
    assert len(queued(deployment)) <= 20 + 2 * PLACES


def test_the_line_goes_by_what_the_work_is_and_how_much(deployment: Deployment) -> None:
    deployment.turns.offer("small", "small-main", batches(deployment, SMALL_WORK))
    deployment.turns.offer("large", "large-main", batches(deployment, SMALL_WORK + 1))
    deployment.turns.offer("file", "file", [f"label-{deployment.queue.transport}-{i}" for i in range(2)])
    deployment.turns.offer("anchors", "anchors", batches(deployment, 40), SOON)
    deployment.queue.advance(["small-main"])
    lines = {job.origin: job.func_name for job in waiting(deployment)}
    assert lines == {
        ADVANCES: "services.jobs.advance",
        SOON: "services.jobs.judge_batch",
        QUEUE: "services.jobs.judge_batch",
        LABELLING: "services.labelling.jobs.label_chunk",
    }
    assert len(queued(deployment, QUEUE)) >= 1


def test_more_workers_get_more_to_do(deployment: Deployment) -> None:
    turns = Turns(deployment.database, deployment.queue, AHEAD, 8)
    turns.offer("run", "run-main", batches(deployment, 100))
    assert len(queued(deployment)) == 8 * AHEAD


def test_what_ends_twice_or_was_never_handed_out_changes_nothing(deployment: Deployment) -> None:
    mine = batches(deployment, 6)
    deployment.turns.offer("run", "run-main", mine)
    done(deployment, mine[0])
    before = rows(deployment)
    deployment.turns.ended(mine[0])
    deployment.turns.ended("judge-x-unknown")
    deployment.turns.offer("run", "run-main", [])
    assert rows(deployment) == before


def test_a_batch_of_another_server_is_no_part_of_this_ones_turns(deployment: Deployment) -> None:
    deployment.turns.offer("run", "run-main", batches(deployment, 10))
    with deployment.database.write() as connection:
        connection.execute(update(TurnRow).values(transport="00000000"))
    mine = batches(deployment, 10)
    deployment.turns.offer("run", "run-main", mine)
    assert [b for b in queued(deployment) if b in mine] == mine[:PLACES]
    assert set(deployment.turns.standing()) == set(mine)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_order_of_ends_every_batch_has_its_turn_once(
    deployment: Deployment, counts: list[int], rng: Any
) -> None:
    deployment.queue.connection.flushall()
    with deployment.database.write() as connection:
        connection.execute(delete(TurnRow))
    handed: set[str] = set()
    for owner, count in enumerate(counts):
        mine = batches(deployment, count)
        handed |= set(mine)
        deployment.turns.offer(f"run-{owner}", f"run-{owner}-main", mine)
    seen: list[str] = []
    while on := queued(deployment):
        assert len(on) <= PLACES * len(counts)
        seen.append(rng.choice(on))
        done(deployment, seen[-1])
    assert sorted(seen) == sorted(handed)
    assert rows(deployment) == {}


def test_a_sweep_fills_a_place_that_a_killed_worker_left_empty(deployment: Deployment) -> None:
    run = new_run(deployment.database, letter_dataset(60), SMALL)
    advance_thread(deployment, f"{run}-main")
    held = [b for b, on in rows(deployment).items() if not on]
    assert held, "some wait for their turn"
    deployment.queue.connection.flushall()
    with deployment.database.write() as connection:
        connection.execute(delete(TurnRow).where(TurnRow.queued))
    Sweeper(deployment).sweep(run)
    assert set(queued(deployment)) & set(held)


def test_a_sweep_leaves_alone_what_waits_for_its_turn(deployment: Deployment) -> None:
    run = new_run(deployment.database, letter_dataset(60), SMALL)
    advance_thread(deployment, f"{run}-main")
    before = rows(deployment)
    for _ in range(3):
        Sweeper(deployment).sweep(run)
        Sweeper(deployment).sweep()
    after = rows(deployment)
    assert {b: on for b, on in after.items() if b in before} == before
    assert {job.origin for job in waiting(deployment)} == {QUEUE, ADVANCES}, "the folds were woken, and nothing else"


def test_a_sweep_forgets_what_ended_without_anybody_saying_so(deployment: Deployment) -> None:
    new_run(deployment.database)
    deployment.turns.offer("gone", "gone-main", batches(deployment, PLACES))
    deployment.queue.connection.flushall()
    Sweeper(deployment).sweep()
    assert rows(deployment) == {}


def test_a_run_goes_through_its_turns_to_its_end_without_any_sweep(deployment: Deployment) -> None:
    run = new_run(deployment.database, letter_dataset(60), RunConfig(policy="paper", size=6, rounds=3, minimum=10))
    deployment.queue.advance([f"{run}-main"])
    most = 0
    while (job := take_job(deployment)) is not None:
        execute(deployment, job)
        most = max(most, len(queued(deployment, QUEUE)) + len(queued(deployment, SOON)))
    assert thread_row(deployment, f"{run}-main").status == "finished"
    assert most <= PLACES
    assert outcome(deployment, run)
    assert rows(deployment) == {}


def test_a_labelling_has_its_turns_as_well(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 120))
    with deployment.database.write() as connection:
        connection.execute(delete(TurnRow))
    own = another(deployment)
    sweep(own, labelling)
    assert work_off_chunks(own) == 120
    assert rows(deployment) == {}


def test_a_thread_with_another_batch_under_way_is_not_counted_through(deployment: Deployment) -> None:
    mine = batches(deployment, 2)
    deployment.turns.offer("run", "run-main", mine)
    assert deployment.turns.waits("run-main")
    done(deployment, mine[0])
    assert deployment.turns.waits("run-main")
    done(deployment, mine[1])
    assert not deployment.turns.waits("run-main")
    assert not deployment.turns.waits("other-main")
