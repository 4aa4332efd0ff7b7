"""What a key may still take of the models today; looked at before anything that costs something is begun."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import func, or_, select

from services.access.allowance import DailyAllowance, check_day
from services.access.identity import Identity
from services.database import Database
from services.orders.tables import LabellingOrderRow, OrderRow
from services.tables import CallRow


def check_allowance(database: Database, caller: Identity) -> None:
    """Go on only if today's allowance of the caller's key is not used up by what it ordered.

    Raises:
        AccessDenied: it is; `retry_after` says when the next day begins.
    """
    if caller.daily == DailyAllowance():
        return
    calls, tokens, cost = _used(database, caller.key)
    check_day(caller.daily, calls=calls, tokens=tokens, cost=cost, now=time.time())


def _used(database: Database, key: str) -> tuple[int, int, float]:
    """Calls, tokens and money since midnight, UTC, of runs and labellings that the key ordered."""
    row = CallRow
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    runs = select(OrderRow.run).where(OrderRow.key == key)
    labellings = select(LabellingOrderRow.labelling).where(LabellingOrderRow.key == key)
    sums = (func.count(), func.sum(row.prompt + row.completion), func.sum(row.cost))
    query = select(*sums).where(row.at >= midnight, or_(row.run.in_(runs), row.run.in_(labellings)))
    with database.read() as connection:
        calls, tokens, cost = connection.execute(query).one()
    return int(calls), int(tokens or 0), float(cost or 0.0)
