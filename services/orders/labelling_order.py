"""Ordering a labelling, listing what was ordered, taking up again what was given up."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, and_, or_, select, update

from agents.criteria_set import CriteriaSet
from agents.early_stop import StopRule
from knowledge_base.errors import NotThere
from services.budget import Budget
from services.database import Database, insert_new
from services.deployment import Deployment
from services.labelling.answer_store import reopen
from services.labelling.register import create_labelling, load_labelling
from services.labelling.sweeping import LabelSweeper
from services.labelling.tables import LabellingRow
from services.labelling.unlabelled import PairsFile
from services.orders.order import Customer
from services.orders.tables import LabellingOrderRow

State = Literal["running", "finished", "failed"]


class OrderedLabelling(BaseModel):
    """A labelling that was ordered.

    Attributes:
        labelling: id; name: of the file; by: name of the key that ordered it.
        state: `running`, or how it ended; fault: why it was given up.
        pairs, done: pairs, and those that have a label.
        asked, reused, saved: judgments made, found, and left out by early stopping.
        created_at, ended_at: seconds since the epoch; 0 while it has not ended.
    """

    model_config = ConfigDict(frozen=True)

    labelling: str
    name: str
    by: str
    state: State
    fault: str
    pairs: int
    done: int
    asked: int
    reused: int
    saved: int
    created_at: float
    ended_at: float


def order_labelling(
    deployment: Deployment, criteria_set: CriteriaSet, file: PairsFile, rule: StopRule, budget: Budget, who: Customer
) -> OrderedLabelling:
    """Have a file of pairs labelled. The same set, pairs, workers and rule make the same labelling.

    Raises:
        FaultyRows: rows of the file are at fault; nothing of it is kept.
        InputError: the file cannot be used, or nobody can judge by these criteria.
    """
    database = deployment.database
    labelling = create_labelling(database, deployment.parties, criteria_set, file, rule)
    row = {
        "labelling": labelling, "by": who.by, "key": who.key, "state": "open", "fault": "", "created_at": time.time(),
        "ended_at": 0.0,
    }  # fmt: skip
    with database.write() as connection:
        insert_new(connection, LabellingOrderRow, [row])
        spent = update(LabellingRow).where(LabellingRow.id == labelling)
        connection.execute(spent.values(budget=budget.model_dump_json()))
    return take_up(deployment, labelling)


def take_up(deployment: Deployment, labelling: str) -> OrderedLabelling:
    """Have what is open of a labelling worked on, and what failed asked again.

    Raises:
        NotThere: no such labelling was ordered.
    """
    database = deployment.database
    load_labelling_order(database, labelling)
    reopen(database, labelling)
    with database.write() as connection:
        mine = update(LabellingOrderRow).where(LabellingOrderRow.labelling == labelling)
        connection.execute(mine.values(state="open", fault="", ended_at=0.0))
    LabelSweeper(deployment, load_labelling(database, labelling)).sweep()
    return load_labelling_order(database, labelling)


def load_labelling_order(database: Database, labelling: str) -> OrderedLabelling:
    """An ordered labelling.

    Raises:
        NotThere: no labelling of this id was ordered.
    """
    with database.read() as connection:
        found = connection.execute(_query().where(LabellingOrderRow.labelling == labelling)).one_or_none()
    if found is None:
        raise NotThere(f"there is no labelling {labelling!r}; GET /v1/labellings lists those that there are")
    return _ordered(found)


def list_labelling_orders(
    database: Database, *, limit: int = 50, before: tuple[float, str] | None = None, unclosed: bool = False
) -> list[OrderedLabelling]:
    """Ordered labellings, the latest first; see `list_orders`."""
    row, query = LabellingOrderRow, _query()
    if before is not None:
        at, labelling = before
        query = query.where(or_(row.created_at < at, and_(row.created_at == at, row.labelling < labelling)))
    if unclosed:
        query = query.where(row.state == "open")
    with database.read() as connection:
        found = connection.execute(query.order_by(row.created_at.desc(), row.labelling.desc()).limit(limit)).all()
    return [_ordered(each) for each in found]


def _query() -> Any:
    row, work = LabellingOrderRow, LabellingRow
    columns = (row.labelling, row.by, row.state, row.created_at, row.ended_at, row.fault)
    parts = (
        work.name,
        work.status,
        work.fault.label("given_up"),
        work.pairs,
        work.done,
        work.asked,
        work.reused,
        work.saved,
    )
    return select(*columns, *parts).join(work, work.id == row.labelling)


def _ordered(row: Row[Any]) -> OrderedLabelling:
    state: State = "failed" if row.status == "failed" else "finished" if row.done >= row.pairs else "running"
    if row.status == "reading":
        state = "running"
    return OrderedLabelling(
        labelling=row.labelling, name=row.name, by=row.by, state=state, fault=row.given_up or row.fault,
        pairs=row.pairs, done=row.done, asked=row.asked, reused=row.reused, saved=row.saved,
        created_at=row.created_at, ended_at=row.ended_at,
    )  # fmt: skip
