"""A run that people may look at: one that was ordered, or one that mines for a refresh."""

from __future__ import annotations

from sqlalchemy import select

from knowledge_base.errors import NotThere
from services.database import Database
from services.orders.order import Ordered, load_order, state_of
from services.schedules.tables import RefreshRow
from services.tables import RunRow


def known_run(database: Database, run: str) -> Ordered:
    """How a run was ordered and how it stands. One that mines for a refresh is by that refresh.

    Raises:
        NotThere: there is no such run, or nobody here ordered it.
    """
    try:
        return load_order(database, run)
    except NotThere:
        found = _of_refresh(database, run)
        if found is None:
            raise
        return found


def _of_refresh(database: Database, run: str) -> Ordered | None:
    row = RefreshRow
    columns = (row.id, row.criteria_set, row.source, row.new, row.fault, row.status, row.ended_at)
    query = select(*columns, RunRow.dataset, RunRow.created_at).join(RunRow, RunRow.id == row.mining)
    with database.read() as connection:
        found = connection.execute(query.where(row.mining == run).order_by(row.number).limit(1)).one_or_none()
        if found is None:
            return None
        state = "cancelled" if found.status == "cancelled" else state_of(connection, run)
    return Ordered(
        run=run, name=found.criteria_set, source=found.source, dataset=found.dataset, by=f"refresh {found.id}",
        state=state, version=found.new, fault=found.fault, created_at=found.created_at, ended_at=found.ended_at,
    )  # fmt: skip
