"""What a key may take of the models in a day, and whether it has. The usage itself is recorded with the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from knowledge_base.errors import AccessDenied


class DailyAllowance(BaseModel):
    """Calls, tokens and money of a day, by the clock of UTC; None: any number.

    Attributes:
        calls: requests to models.
        tokens: of prompts and replies.
        cost: money, in the currency of the prices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


NO_ALLOWANCE = DailyAllowance()
"""Anything goes."""


def check_day(allowed: DailyAllowance, *, calls: int, tokens: int, cost: float, now: float) -> None:
    """Go on only if what was used today leaves something.

    Args:
        allowed: of the key.
        calls, tokens, cost: used by the key since midnight, UTC.
        now: seconds since the epoch.

    Raises:
        AccessDenied: a part is used up; `reason` is `limited` and `retry_after` the seconds until midnight, UTC.
    """
    used = {"calls": calls, "tokens": tokens, "cost": cost}
    for name, amount in used.items():
        most = getattr(allowed, name)
        if most is not None and amount >= most:
            raise AccessDenied(
                f"the key's daily {name} of {most:g} are used up ({amount:g}); ask again after midnight UTC",
                reason="limited",
                retry_after=_until_midnight(now),
            )


def _until_midnight(now: float) -> float:
    moment = datetime.fromtimestamp(now, UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - moment).total_seconds()
