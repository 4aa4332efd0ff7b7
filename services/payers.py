"""Whom calls are charged to: the key that ordered a run or a labelling, or that began a refresh.

A run is decided by its inputs alone, so several may want the very same one: whoever wanted it first is charged. A
refresh is charged with its own judgments and with the run that mines for it; one of a window to whoever made the
schedule.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Subquery, case, func, select, union_all

from services.access.allowance import NO_ALLOWANCE, DailyAllowance, check_day
from services.access.tables import ApiKeyRow
from services.database import Database
from services.orders.tables import LabellingOrderRow, OrderRow
from services.schedules.tables import RefreshRow, ScheduleRow
from services.tables import CallRow


def payers() -> Subquery:
    """Who pays for what: `run` (as calls name it, each once), `key` (its id) and `by` (its name)."""
    each = union_all(_runs(), _labellings(), *_refreshes()).subquery()
    place = func.row_number().over(partition_by=each.c.run, order_by=(each.c.at, each.c.key)).label("place")
    ranked = select(each.c.run, each.c.key, each.c.by, place).subquery()
    return select(ranked.c.run, ranked.c.key, ranked.c.by).where(ranked.c.place == 1).subquery("payers")


def check_daily(database: Database, key: str, daily: DailyAllowance) -> None:
    """Go on only if today's allowance of a key is not used up by what it is charged for.

    Raises:
        AccessDenied: it is; `retry_after` says when the next day begins.
    """
    if daily == NO_ALLOWANCE:
        return
    calls, tokens, cost = used_today(database, key)
    check_day(daily, calls=calls, tokens=tokens, cost=cost, now=time.time())


def daily_of(database: Database, key: str) -> DailyAllowance:
    """What a key (its id) may take in a day; anything where there is no such key."""
    with database.read() as connection:
        found = connection.execute(select(ApiKeyRow.daily).where(ApiKeyRow.id == key)).scalar()
    return DailyAllowance.model_validate_json(found) if found else NO_ALLOWANCE


def used_today(database: Database, key: str) -> tuple[int, int, float]:
    """Calls, tokens and money since midnight, UTC, that a key is charged for."""
    row, whose = CallRow, payers()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    sums = (func.count(), func.sum(row.prompt + row.completion), func.sum(row.cost))
    query = select(*sums).join(whose, whose.c.run == row.run).where(row.at >= midnight, whose.c.key == key)
    with database.read() as connection:
        calls, tokens, cost = connection.execute(query).one()
    return int(calls), int(tokens or 0), float(cost or 0.0)


def _runs() -> Any:
    row = OrderRow
    return select(row.run.label("run"), row.key.label("key"), row.by.label("by"), row.created_at.label("at"))


def _labellings() -> Any:
    row = LabellingOrderRow
    return select(row.labelling, row.key, row.by, row.created_at)


def _refreshes() -> tuple[Any, Any]:
    """Refreshes, and the runs that mine for them."""
    row = RefreshRow
    by = case((row.begun_by != "", row.begun_by), else_=ScheduleRow.created_by)
    own = select(row.id, row.key, by, row.created_at).join(ScheduleRow, ScheduleRow.id == row.schedule)
    # What mines begins after the votes were gathered: an order that is older has paid for the run already.
    mined = select(row.mining, row.key, by, row.gathered_at).join(ScheduleRow, ScheduleRow.id == row.schedule)
    return own, mined.where(row.mining != "")
