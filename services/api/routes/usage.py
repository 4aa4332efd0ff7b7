"""What calls to models took: by run, model, key and day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.api.access import Place, Reader
from services.api.fields import Ident, Told
from services.usage_report import UsageRow, usage_by

router = APIRouter(tags=["usage"])

By = Literal["run", "model", "key", "day"]


class UsageTold(Told):
    """Sums by what was asked for, and the currency of the costs."""

    rows: list[UsageRow]
    currency: str


@router.get("/usage", summary="Calls, tokens and cost")
def usage(
    place: Place,
    caller: Reader,
    by: Annotated[list[By] | None, Query(description="What to sum by; days are UTC.", max_length=4)] = None,
    since: Annotated[date | None, Query(description="First day.")] = None,
    until: Annotated[date | None, Query(description="Last day.")] = None,
    run: Annotated[Ident | None, Query(description="Only this run.")] = None,
) -> UsageTold:
    """What was asked of models, summed. A cost is missing where one of the calls was to a model without a price."""
    rows = usage_by(place.database, tuple(by or ("day", "model")), since=since, until=until, run=run or "")
    return UsageTold(rows=rows, currency=place.settings.currency)
