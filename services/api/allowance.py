"""What a key may still take of the models today; looked at before anything that costs something is begun."""

from __future__ import annotations

from services.access.identity import Identity
from services.database import Database
from services.payers import check_daily


def check_allowance(database: Database, caller: Identity) -> None:
    """Go on only if today's allowance of the caller's key is not used up by what it ordered or began.

    Raises:
        AccessDenied: it is; `retry_after` says when the next day begins.
    """
    check_daily(database, caller.key, caller.daily)
