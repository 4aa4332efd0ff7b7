"""What is due once a run has ended: its criteria set is kept, and whoever waits for it is told. Each exactly once.

A worker that ends a run could do it; killed just then, it would not. So whoever tends the queue looks for what ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, update

from services.criteria_sets.keeping import keep_set
from services.database import Database
from services.deployment import Deployment
from services.labelling.tables import LabellingRow
from services.orders.labelling_order import OrderedLabelling, list_labelling_orders
from services.orders.order import Ordered, State, list_orders
from services.orders.tables import LabellingOrderRow, OrderRow
from services.progress import progress_of
from services.result_reading import result_of
from services.webhooks.outbox import announce

log = logging.getLogger(__name__)


def close_finished(deployment: Deployment) -> int:
    """Close the orders whose work has ended; returns how many. One that cannot be closed does not hold up others."""
    database, closed = deployment.database, 0
    for close in (*_ended_runs(database), *_ended_labellings(database)):
        try:
            close()
            closed += 1
        except Exception:
            log.exception("something has ended and cannot be closed")
    return closed


def _ended_runs(database: Database) -> list[Callable[[], None]]:
    ends: tuple[State, ...] = ("finished", "failed")
    orders = [order for end in ends for order in list_orders(database, state=end, limit=100, unclosed=True)]
    return [partial(_close, database, order) for order in orders]


def _ended_labellings(database: Database) -> list[Callable[[], None]]:
    orders = list_labelling_orders(database, limit=1000, unclosed=True)
    return [partial(_close_labelling, database, order) for order in orders if order.state != "running"]


def _close(database: Database, order: Ordered) -> None:
    if order.state == "failed":
        fault = progress_of(database, order.run).faults
        with database.write() as connection:
            if _closed(connection, order.run, fault=fault):
                announce(connection, "run.failed", {"run": order.run, "name": order.name, "fault": fault})
        return
    result = result_of(database, order.run)
    version = result.criteria_set.version
    told = {"name": order.name, "version": version, "run": order.run}
    keep_set(
        database, result.criteria_set, name=order.name, dataset=order.dataset, run=order.run,
        within=lambda connection: announce(connection, "set.proposed", told),
    )  # fmt: skip
    with database.write() as connection:
        if _closed(connection, order.run, version=version):
            announce(connection, "run.finished", told)


def _closed(connection: Connection, run: str, **columns: Any) -> bool:
    """Mark an order as closed; False if somebody was faster."""
    mine = update(OrderRow).where(OrderRow.run == run, OrderRow.state == "open")
    return connection.execute(mine.values(state="closed", ended_at=time.time(), **columns)).rowcount == 1


def _close_labelling(database: Database, order: OrderedLabelling) -> None:
    """A labelling that has all its labels is finished; one that was given up waits to be taken up."""
    row, work = LabellingOrderRow, LabellingRow
    body = {"labelling": order.labelling, "pairs": order.pairs, "fault": order.fault}
    with database.write() as connection:
        mine = update(row).where(row.labelling == order.labelling, row.state == "open")
        closed = mine.values(state="closed", ended_at=time.time(), fault=order.fault)
        if connection.execute(closed).rowcount != 1:
            return
        if order.state == "finished":
            connection.execute(update(work).where(work.id == order.labelling).values(status="finished"))
        announce(connection, f"labelling.{order.state}", body)
