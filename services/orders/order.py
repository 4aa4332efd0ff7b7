"""Ordering a run, listing what was ordered, stopping and taking up again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, and_, exists, or_, select, update

from knowledge_base.errors import NotThere, RunError
from services.database import Database, insert_new
from services.deployment import Deployment
from services.halting import going_on, halt, take_up
from services.orders.tables import OrderRow
from services.tables import RunRow, ThreadRow

State = Literal["running", "finished", "failed", "cancelled"]


class Ordered(BaseModel):
    """A run that was ordered.

    Attributes:
        run: id; name: the line of criteria sets that its set goes to.
        source: id of the open dataset it was made from; empty if a frozen version was named.
        dataset: content hash of its pairs.
        by: name of the key that ordered it.
        state: `running`, or how it ended.
        version: of the criteria set it gave; empty while there is none.
        fault: why it failed, or who cancelled it.
        created_at, ended_at: seconds since the epoch; 0 while it has not ended.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    name: str
    source: str
    dataset: str
    by: str
    state: State
    version: str
    fault: str
    created_at: float
    ended_at: float


@dataclass(frozen=True)
class Customer:
    """Who orders, and what for."""

    name: str
    by: str
    key: str = ""
    source: str = ""


def place_order(deployment: Deployment, run: str, customer: Customer) -> tuple[Ordered, bool]:
    """Have a created run worked on; returns the order, and whether it is a new one.

    Whoever orders a run a second time gets the first order; one that failed or was cancelled is taken up again.
    """
    row = {
        "run": run, "name": customer.name, "source": customer.source, "by": customer.by, "key": customer.key,
        "state": "open", "version": "", "fault": "", "created_at": time.time(), "ended_at": 0.0,
    }  # fmt: skip
    with deployment.database.write() as connection:
        new = _stands(connection, run) is None
        insert_new(connection, OrderRow, [row])
    found = load_order(deployment.database, run)
    if found.state in ("failed", "cancelled"):
        return resume(deployment, run), new
    if found.state == "running":
        deployment.queue.advance(going_on(deployment.database, [run]))
    return found, new


def load_order(database: Database, run: str) -> Ordered:
    """An ordered run.

    Raises:
        NotThere: no run of this id was ordered.
    """
    with database.read() as connection:
        found = connection.execute(_query().where(OrderRow.run == run)).one_or_none()
    if found is None:
        raise NotThere(f"there is no run {run!r}; GET /v1/runs lists those that there are")
    return _ordered(found)


def list_orders(
    database: Database,
    *,
    limit: int = 50,
    before: tuple[float, str] | None = None,
    state: State | None = None,
    name: str = "",
    unclosed: bool = False,
) -> list[Ordered]:
    """Ordered runs, the latest first.

    Args:
        limit: at most so many.
        before: time and id of the last one of the page before.
        state, name: only those.
        unclosed: only those whose end nobody has seen to yet.
    """
    row, query = OrderRow, _query()
    if before is not None:
        at, run = before
        query = query.where(or_(row.created_at < at, and_(row.created_at == at, row.run < run)))
    if name:
        query = query.where(row.name == name)
    if unclosed:
        query = query.where(row.ended_at == 0.0)
    if state is not None:
        query = query.where(in_state(state))
    with database.read() as connection:
        found = connection.execute(query.order_by(row.created_at.desc(), row.run.desc()).limit(limit)).all()
    return [_ordered(each) for each in found]


def cancel(database: Database, run: str, who: str) -> Ordered:
    """Stop a run; nobody judges for it any more, and what was judged stays. One that was cancelled stays so.

    Raises:
        NotThere: there is no such order.
        RunError: it has finished or failed.
    """
    order = load_order(database, run)
    if order.state in ("finished", "failed"):
        raise RunError(f"run {run} has {order.state}; only one that runs can be cancelled")
    told = f"cancelled by {who}"
    with database.write() as connection:
        if halt(connection, [run], told):
            ended = {"state": "cancelled", "fault": told, "ended_at": time.time()}
            connection.execute(update(OrderRow).where(OrderRow.run == run).values(**ended))
    return load_order(database, run)


def resume(deployment: Deployment, run: str) -> Ordered:
    """Take up a run that failed or was cancelled where it stood.

    Raises:
        NotThere: there is no such order.
        RunError: it has finished.
    """
    database = deployment.database
    order = load_order(database, run)
    if order.state == "finished":
        raise RunError(f"run {run} has finished; there is nothing to resume")
    with database.write() as connection:
        take_up(connection, [run])
        opened = {"state": "open", "fault": "", "ended_at": 0.0}
        connection.execute(update(OrderRow).where(OrderRow.run == run).values(**opened))
    deployment.queue.advance(going_on(database, [run]))
    return load_order(database, run)


def _stands(connection: Connection, run: str) -> str | None:
    return connection.execute(select(OrderRow.run).where(OrderRow.run == run)).scalar()


def _failed() -> Any:
    return exists().where(ThreadRow.run == OrderRow.run, ThreadRow.status == "failed")


def _unfinished() -> Any:
    return exists().where(ThreadRow.run == OrderRow.run, ThreadRow.status != "finished")


def in_state(state: State) -> Any:
    """Condition on an order: it stands so."""
    cancelled = OrderRow.state == "cancelled"
    return {
        "cancelled": cancelled,
        "failed": and_(~cancelled, _failed()),
        "running": and_(~cancelled, ~_failed(), _unfinished()),
        "finished": and_(~cancelled, ~_unfinished()),
    }[state]


def state_of(connection: Connection, run: str) -> State:
    """Where a run's threads stand, whoever ordered it."""
    threads = select(ThreadRow.status).where(ThreadRow.run == run)
    found = set(connection.execute(threads).scalars())
    return "failed" if "failed" in found else "running" if found - {"finished"} else "finished"


def _query() -> Any:
    row = OrderRow
    columns = (row.run, row.name, row.source, row.by, row.state, row.version, row.fault, row.created_at, row.ended_at)
    states = (_failed().label("failed"), _unfinished().label("unfinished"))
    return select(*columns, RunRow.dataset, *states).join(RunRow, RunRow.id == row.run)


def _ordered(row: Row[Any]) -> Ordered:
    unless_cancelled: State = "failed" if row.failed else "running" if row.unfinished else "finished"
    state: State = "cancelled" if row.state == "cancelled" else unless_cancelled
    return Ordered(
        run=row.run, name=row.name, source=row.source, dataset=row.dataset, by=row.by, state=state,
        version=row.version, fault=row.fault, created_at=row.created_at, ended_at=row.ended_at,
    )  # fmt: skip
