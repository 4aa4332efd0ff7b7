"""What is due once a run has ended: its criteria set is kept, and whoever waits for it is told. Each exactly once.

A worker that ends a run could do it; killed just then, it would not. So whoever tends the queue looks for what ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, update

from knowledge_base.errors import NotThere
from services.criteria_sets.keeping import keep_set
from services.database import Database
from services.deployment import Deployment
from services.labelling.tables import LabellingRow
from services.orders.labelling_order import OrderedLabelling, list_labelling_orders
from services.orders.order import Ordered, State, in_state, list_orders, load_order
from services.orders.tables import LabellingOrderRow, OrderRow
from services.progress import progress_of
from services.result_reading import result_of
from services.tables import RunRow
from services.webhooks.outbox import announce

log = logging.getLogger(__name__)

ENDS: tuple[State, ...] = ("finished", "failed")


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


def close_run(database: Database, run: str) -> None:
    """Close an order if its run has ended; for whoever is about to tell people of its end, and need not wait.

    What cannot be closed is logged, and left to `close_finished`.
    """
    try:
        order = load_order(database, run)
        if order.state in ENDS and not order.ended_at:
            _close(database, order)
    except NotThere:
        return
    except Exception:
        log.exception("run %s has ended and cannot be closed", run)


def is_closed(database: Database, run: str) -> bool:
    """Whether nothing is due any more for a run, or nothing ever was, as nobody ordered it."""
    try:
        return load_order(database, run).ended_at > 0
    except NotThere:
        return True


def _ended_runs(database: Database) -> list[Callable[[], None]]:
    orders = [order for end in ENDS for order in list_orders(database, state=end, limit=100, unclosed=True)]
    return [partial(_close, database, order) for order in orders]


def _ended_labellings(database: Database) -> list[Callable[[], None]]:
    orders = list_labelling_orders(database, limit=1000, unclosed=True)
    return [partial(_close_labelling, database, order) for order in orders if order.state != "running"]


def _close(database: Database, order: Ordered) -> None:
    if order.state == "failed":
        fault = progress_of(database, order.run).faults
        with database.write() as connection:
            if _closed(connection, order, fault=fault):
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
        if _closed(connection, order, version=version):
            announce(connection, "run.finished", told)


def _closed(connection: Connection, order: Ordered, **columns: Any) -> bool:
    """Mark an order as closed; False if somebody was faster, or its run was taken up since it was looked at."""
    now = time.time()
    mine = update(OrderRow).where(OrderRow.run == order.run, OrderRow.state == "open", in_state(order.state))
    if connection.execute(mine.values(state="closed", ended_at=now, **columns)).rowcount != 1:
        return False
    # A command adds up the time that it waited for a run; for one that was ordered, nobody did.
    waited = update(RunRow).where(RunRow.id == order.run, RunRow.seconds == 0.0)
    connection.execute(waited.values(seconds=now - order.created_at))
    return True


def _close_labelling(database: Database, order: OrderedLabelling) -> None:
    """A labelling that has all its labels is finished; one that was given up waits to be taken up."""
    row, work = LabellingOrderRow, LabellingRow
    body = {"labelling": order.labelling, "pairs": order.pairs, "fault": order.fault}
    with database.write() as connection:
        stands = exists().where(work.id == row.labelling, _ended(order.state))
        mine = update(row).where(row.labelling == order.labelling, row.state == "open", stands)
        closed = mine.values(state="closed", ended_at=time.time(), fault=order.fault)
        if connection.execute(closed).rowcount != 1:
            return
        if order.state == "finished":
            connection.execute(update(work).where(work.id == order.labelling).values(status="finished"))
        announce(connection, f"labelling.{order.state}", body)


def _ended(state: str) -> ColumnElement[bool]:
    """Condition on a labelling: it still has ended so; it may have been taken up since it was looked at."""
    work = LabellingRow
    done = and_(work.status.not_in(("failed", "reading")), work.done >= work.pairs)
    return done if state == "finished" else work.status == "failed"
