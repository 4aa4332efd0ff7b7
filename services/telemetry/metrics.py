"""Metrics for Prometheus, worked out when they are asked for from the database and Redis, so that any process of the
deployment tells the same.

What is counted from the database survives everything; what is counted in Redis (jobs, answers, duties) begins at 0 when
Redis is emptied, as a counter may.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import case, func, select

from services.database import Database
from services.deployment import Deployment
from services.labelling.tables import LabellingRow
from services.queue import LINES
from services.roles.tables import LeaderRow, TurnRow
from services.tables import ThreadRow
from services.telemetry.call_sums import call_sums
from services.telemetry.tally import SECONDS, Labels
from services.webhooks.tables import DeliveryRow

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

NAMES = dict(zip(LINES, ("advances", "soon", "mining", "labelling"), strict=True))
"""What metrics call the lines of the queue."""


def render_metrics(deployment: Deployment) -> bytes:
    """All metrics in the text format of Prometheus; without those of Redis where it does not answer."""
    registry = CollectorRegistry()
    registry.register(_Reading(deployment))
    return generate_latest(registry)


class _Reading(Collector):
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def collect(self) -> Iterator[Metric]:
        deployment = self._deployment
        yield from _runs(deployment.database)
        yield from _spent(deployment.database, deployment.settings.currency)
        yield from _leaders(deployment.database)
        yield from _deliveries(deployment.database)
        try:
            yield from _queue(deployment)
            yield from _counts(dict(deployment.tally.read()))
            answers = 1
        except RedisError:
            answers = 0
        yield _gauge("touchstone_redis_up", "Whether Redis answers.", {(): answers})

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is, is known when it is asked for."""
        return []


def _queue(deployment: Deployment) -> Iterator[Metric]:
    waiting, held = deployment.queue.waiting(), _held(deployment.database)
    jobs = {(NAMES[line],): float(found.jobs) for line, found in waiting.items()}
    yield _gauge("touchstone_queue_jobs", "Jobs on the queue that nobody has taken.", jobs, "line")
    batches = {(NAMES[line],): float(held.get(line, (0, 0.0))[0]) for line in LINES}
    yield _gauge("touchstone_queue_held_batches", "Batches in the database that wait for their turn.", batches, "line")
    ages = {(NAMES[line],): max(found.seconds, held.get(line, (0, 0.0))[1]) for line, found in waiting.items()}
    told = "Seconds for which the oldest job or batch has waited: what to scale workers by."
    yield _gauge("touchstone_queue_oldest_seconds", told, ages, "line")
    yield _gauge("touchstone_workers", "Workers that take jobs.", {(): deployment.queue.workers()})


def _held(database: Database) -> dict[str, tuple[int, float]]:
    """Line -> batches that wait for their turn, and for how many seconds the oldest has."""
    row = TurnRow
    query = select(row.line, func.count(), func.min(row.at)).where(~row.queued).group_by(row.line)
    with database.read() as connection:
        return {line: (count, max(0.0, time.time() - since)) for line, count, since in connection.execute(query)}


def _runs(database: Database) -> Iterator[Metric]:
    ended = func.sum(case((ThreadRow.status == "failed", 1), else_=0))
    going = func.sum(case((ThreadRow.status.in_(("running", "waiting")), 1), else_=0))
    runs = select(ended.label("failed"), going.label("going")).group_by(ThreadRow.run).subquery()
    status = case((runs.c.failed > 0, "failed"), (runs.c.going > 0, "running"), else_="finished")
    labellings = select(LabellingRow.status, func.count()).group_by(LabellingRow.status)
    with database.read() as connection:
        found = _by_label(connection.execute(select(status, func.count()).group_by(status)))
        labelled = _by_label(connection.execute(labellings))
    yield _gauge("touchstone_runs", "Runs (refreshes included), by how they stand.", found, "status")
    yield _gauge("touchstone_labellings", "Labellings, by how they stand.", labelled, "status")


def _spent(database: Database, currency: str) -> Iterator[Metric]:
    calls: dict[Labels, float] = {}
    tokens: dict[Labels, float] = {}
    cost: dict[Labels, float] = {}
    for found in call_sums(database):
        calls[found.model, found.stage, found.ended] = found.calls
        # Those of the prompt that were cached are told apart, so that all kinds add up to what was used.
        kinds = {"prompt": found.prompt - found.cached, "cached": found.cached, "completion": found.completion}
        for kind, count in kinds.items():
            at = (found.model, found.stage, kind)
            tokens[at] = tokens.get(at, 0) + count
        paid = (found.model, found.stage, currency)
        cost[paid] = cost.get(paid, 0.0) + found.cost
    yield _counter("touchstone_calls", "Calls to models.", calls, "model", "stage", "ended")
    yield _counter("touchstone_tokens", "Tokens that calls took.", tokens, "model", "stage", "kind")
    yield _counter("touchstone_cost", "What calls cost, by the prices set.", cost, "model", "stage", "currency")


def _leaders(database: Database) -> Iterator[Metric]:
    row = LeaderRow
    with database.read() as connection:
        found = connection.execute(select(row.duty, row.owner, row.until, row.taken).where(row.taken > 0)).all()
    now = time.time()
    leads = {(r.duty,): float(bool(r.owner) and r.until > now) for r in found}
    yield _gauge("touchstone_leader", "Whether some process leads in a duty.", leads, "duty")
    changes = {(r.duty,): float(r.taken) for r in found}
    yield _counter("touchstone_leader_changes", "Times that a duty went to a process.", changes, "duty")


def _deliveries(database: Database) -> Iterator[Metric]:
    row = DeliveryRow
    with database.read() as connection:
        found = _by_label(connection.execute(select(row.status, func.count()).group_by(row.status)))
    yield _gauge("touchstone_webhook_deliveries", "Webhooks, by what became of them.", found, "status")


def _counts(found: Mapping[Labels, float]) -> Iterator[Metric]:
    jobs = _part(found, "jobs")
    yield _counter("touchstone_jobs", "Jobs that have ended.", jobs, "kind", "outcome")
    yield _histogram(_part(found, "within"), _part(found, "seconds"))
    judged = _part(found, "judged")
    yield _counter("touchstone_judgments", "Judgments that were made.", judged, "judge", "status")
    leases = "Leases of threads taken over from a process that died or was not heard of."
    yield _counter("touchstone_lease_takeovers", leases, _part(found, "take-overs") or {(): 0.0})
    duties = _part(found, "duties")
    yield _counter("touchstone_duties", "Looks that the scheduler took.", duties, "duty", "outcome")
    seconds = _part(found, "duty seconds")
    yield _counter("touchstone_duty_seconds", "Seconds that the scheduler's looks took.", seconds, "duty")


def _part(found: Mapping[Labels, float], name: str) -> dict[Labels, float]:
    return {labels[1:]: value for labels, value in found.items() if labels[0] == name}


def _histogram(within: Mapping[Labels, float], sums: Mapping[Labels, float]) -> Metric:
    family = HistogramMetricFamily("touchstone_job_seconds", "Seconds that jobs took.", labels=["kind"])
    for (kind,), total in sorted(sums.items()):
        count, buckets = 0.0, []
        for bound in (*map(str, SECONDS), "+Inf"):
            count += within.get((kind, bound), 0.0)
            buckets.append((bound, count))
        family.add_metric([kind], buckets=buckets, sum_value=total)
    return family


def _by_label(rows: Iterable[Any]) -> dict[Labels, float]:
    return {(str(name),): float(count) for name, count in rows}


def _gauge(name: str, told: str, values: Mapping[Any, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family


def _counter(name: str, told: str, values: Mapping[Any, float], *labels: str) -> Metric:
    family = CounterMetricFamily(name, told, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family
