"""Metrics are the same from any process, true to the database and the queue, and there when Redis is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, insert, select, update
from workbench import another, bench, finish, new_run, take_job

from services.deployment import Deployment
from services.queue import WORKER_KEYS
from services.roles.leadership import Leadership
from services.roles.tables import TurnRow
from services.tables import CallRow, JudgmentRow, ThreadRow
from services.telemetry.call_sums import SETTLED_SECONDS, call_sums, sum_up
from services.telemetry.metrics import render_metrics
from services.telemetry.tables import CallSumRow
from services.telemetry.tally import Tally

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=10) as opened:
        yield opened


Found = dict[tuple[str, ...], float]


def read(deployment: Deployment) -> Found:
    """Samples by name and label values, in the order of the labels' names."""
    families = text_string_to_metric_families(render_metrics(deployment).decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def call(deployment: Deployment, *, model: str = "openai:m", at: float = 1.0, cost: float | None = 0.5) -> None:
    row = {
        "run": "r", "work": "mining", "stage": "judge", "model": model, "prompt": 100, "cached": 40, "completion": 10,
        "seconds": 1.0, "ended": "answered", "cost": cost, "at": at,
    }  # fmt: skip
    with deployment.database.write() as connection:
        connection.execute(insert(CallRow).values(**row))


def test_an_idle_deployment_says_so(deployment: Deployment) -> None:
    found = read(deployment)
    assert found["touchstone_redis_up",] == 1
    assert found["touchstone_queue_jobs", "mining"] == 0
    assert found["touchstone_workers",] == 0
    assert found["touchstone_lease_takeovers_total",] == 0


def test_every_process_tells_the_same(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    finish(deployment, run)
    call(deployment)
    assert render_metrics(deployment) == render_metrics(another(deployment))


def test_runs_are_told_by_how_they_stand(deployment: Deployment) -> None:
    runs = [new_run(deployment.database, config=new) for new in _configs(3)]
    finish(deployment, runs[0])
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.run == runs[1]).values(status="failed"))
    found = read(deployment)
    assert {key[1]: value for key, value in found.items() if key[0] == "touchstone_runs"} == {
        "failed": 1, "finished": 1, "running": 1,
    }  # fmt: skip


def _configs(count: int) -> list[object]:
    from workbench import SEALED

    return [SEALED.model_copy(update={"seed": seed}) for seed in range(count)]


def test_answers_are_told_by_judge_and_status(deployment: Deployment) -> None:
    finish(deployment, new_run(deployment.database))
    query = select(JudgmentRow.status, func.count()).group_by(JudgmentRow.status)
    with deployment.database.read() as connection:
        stored = {status: float(n) for status, n in connection.execute(query)}
    found = read(deployment)
    assert {key[2]: v for key, v in found.items() if key[0] == "touchstone_judgments_total"} == stored
    assert {key[1] for key in found if key[0] == "touchstone_judgments_total"} == {"letters/1"}


def test_the_age_of_the_oldest_work_counts_what_waits_for_its_turn_as_well(deployment: Deployment) -> None:
    deployment.turns.offer("run", "run-main", [deployment.queue.new_batch() for _ in range(20)])
    with deployment.database.write() as connection:
        connection.execute(update(TurnRow).where(~TurnRow.queued).values(at=time.time() - 100))
    found = read(deployment)
    assert 100 <= found["touchstone_queue_oldest_seconds", "mining"] < 110
    assert found["touchstone_queue_jobs", "mining"] == 4
    assert found["touchstone_queue_held_batches", "mining"] == 16
    assert found["touchstone_queue_oldest_seconds", "labelling"] == 0


def test_a_job_that_was_taken_waits_no_more(deployment: Deployment) -> None:
    deployment.queue.advance(["x-main"])
    time.sleep(0.2)
    assert read(deployment)["touchstone_queue_oldest_seconds", "advances"] > 0.1
    take_job(deployment)
    assert read(deployment)["touchstone_queue_oldest_seconds", "advances"] == 0


def test_workers_are_counted_as_long_as_redis_has_their_record(deployment: Deployment) -> None:
    connection = deployment.queue.connection
    for name in ("alive", "killed"):
        connection.sadd(WORKER_KEYS, f"rq:worker:{name}")
        connection.hset(f"rq:worker:{name}", "state", "busy")
    assert read(deployment)["touchstone_workers",] == 2
    connection.delete("rq:worker:killed")
    assert read(deployment)["touchstone_workers",] == 1


def test_jobs_are_a_histogram(deployment: Deployment) -> None:
    tally = Tally(deployment.queue.connection)
    for seconds in (0.05, 0.3, 2000):
        tally.job("judge", "done", seconds)
    tally.job("judge", "failed", 0.7)
    found = read(deployment)
    assert found["touchstone_jobs_total", "judge", "done"] == 3
    assert found["touchstone_jobs_total", "judge", "failed"] == 1
    assert [found["touchstone_job_seconds_bucket", "judge", b] for b in ("0.1", "0.5", "1.0", "900.0", "+Inf")] == [
        1, 2, 3, 3, 4,
    ]  # fmt: skip
    assert found["touchstone_job_seconds_sum", "judge"] == pytest.approx(2001.05)


def test_without_redis_the_database_still_tells(deployment: Deployment) -> None:
    finish(deployment, new_run(deployment.database))
    call(deployment)
    away = Deployment(deployment.settings, deployment.database, type(deployment.queue)("unix:///nobody.sock", 60))
    found = read(away)
    assert found["touchstone_redis_up",] == 0
    assert found["touchstone_runs", "finished"] == 1
    assert found["touchstone_calls_total", "answered", "openai:m", "judge"] == 1
    assert not any(key[0].startswith("touchstone_queue") for key in found)


def test_counting_never_fails(deployment: Deployment) -> None:
    away = type(deployment.queue)("unix:///nobody.sock", 60)
    Tally(away.connection).job("judge", "done", 1.0)
    Tally(away.connection).judged([("m", "decided")])


def test_whoever_leads_is_told(deployment: Deployment) -> None:
    leadership = Leadership(deployment.database, "scheduler", 30)
    leadership.seek()
    assert read(deployment)["touchstone_leader", "scheduler"] == 1
    leadership.give_back()
    found = read(deployment)
    assert found["touchstone_leader", "scheduler"] == 0
    assert found["touchstone_leader_changes_total", "scheduler"] == 1


def test_calls_tokens_and_money_add_up_by_model_and_stage(deployment: Deployment) -> None:
    for _ in range(3):
        call(deployment)
    call(deployment, model="openai:free", cost=None)
    found = read(deployment)
    assert found["touchstone_calls_total", "answered", "openai:m", "judge"] == 3
    kinds = {kind: found["touchstone_tokens_total", kind, "openai:m", "judge"] for kind in ("prompt", "cached")}
    assert kinds == {"prompt": 180, "cached": 120}
    assert found["touchstone_tokens_total", "completion", "openai:m", "judge"] == 30
    assert found["touchstone_cost_total", "USD", "openai:m", "judge"] == 1.5
    assert found["touchstone_cost_total", "USD", "openai:free", "judge"] == 0


def test_sums_are_the_same_however_often_and_whenever_they_are_kept_up(deployment: Deployment) -> None:
    now = 1000.0
    for i in range(10):
        call(deployment, at=now - SETTLED_SECONDS - 10 + 2 * i)
        before = call_sums(deployment.database)
        sum_up(deployment.database, now)
        assert call_sums(deployment.database) == before
    assert sum(s.calls for s in call_sums(deployment.database)) == 10
    with deployment.database.read() as connection:
        assert 0 < connection.execute(select(func.sum(CallSumRow.calls))).scalar_one() < 10, "the last are not settled"
    assert sum_up(deployment.database, now + 1000) > 0
    assert sum_up(deployment.database, now + 1000) == 0


def test_a_call_that_is_not_settled_holds_up_those_after_it(deployment: Deployment) -> None:
    """On a server a lower number may become visible after a higher one: it must not be passed over."""
    call(deployment, at=1.0)
    call(deployment, at=500.0)
    call(deployment, at=1.0)
    assert sum_up(deployment.database, 510.0) == 1
    assert sum_up(deployment.database, 600.0) == 2


def test_nothing_to_sum_up_is_fine(deployment: Deployment) -> None:
    assert sum_up(deployment.database) == 0
    assert call_sums(deployment.database) == []
