"""What workers said of each pair, for those who want to see the evidence itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from agents.judgments import Hesitation, Order, Status, Verdict
from services.api.access import Place, Reader
from services.api.fields import Hex, Told
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import documented
from services.api.routes.runs import RunId
from services.orders.known_run import known_run
from services.tables import JudgmentRow, ThreadRow, WantRow

router = APIRouter(tags=["runs"])


class JudgmentTold(Told):
    """One judgment.

    Attributes:
        key: of the judgment store; judge: fingerprint.
        criterion, pair: content hashes; order: in which the texts were shown; sample: 0 for the first answer.
        status, verdict, margin, rationale, hesitation, truncated: see `agents.judgments.Judgment`.
        reused: whether another run had asked for it before.
        answered_at: seconds since the epoch.
    """

    key: str
    judge: str
    criterion: str
    pair: str
    order: Order
    sample: int
    status: Status
    verdict: Verdict
    margin: float
    rationale: str
    hesitation: Hesitation
    truncated: bool
    reused: bool
    answered_at: float


@router.get("/runs/{run}/judgments", summary="Judgments of a run", responses=documented(404))
def judgments(
    run: RunId,
    place: Place,
    caller: Reader,
    criterion: Annotated[Hex | None, Query(description="Only those by this criterion (content hash).")] = None,
    pair: Annotated[Hex | None, Query(description="Only those of this pair (content hash).")] = None,
    status: Annotated[Status | None, Query(description="Only those with this status.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[JudgmentTold]:
    """What workers said, by key. Those that are not answered yet are left out."""
    known_run(place.database, run)
    row, at = JudgmentRow, place_of(after, str)
    wanted = select(WantRow.key).join(ThreadRow, ThreadRow.id == WantRow.thread).where(ThreadRow.run == run)
    names = [name for name in JudgmentTold.model_fields if name != "reused"]
    query = select(*(getattr(row, name) for name in names), row.asked_by).where(
        row.key.in_(wanted), row.status != "missing", row.key > (at[0] if at else "")
    )
    for column, value in ((row.criterion, criterion), (row.pair, pair), (row.status, status)):
        query = query if value is None else query.where(column == value)
    with place.database.read() as connection:
        found = connection.execute(query.order_by(row.key).limit(limit + 1)).mappings().all()
    told = [JudgmentTold(**{n: r[n] for n in names}, reused=r["asked_by"] != run) for r in found]
    return page_of(told, limit, key=lambda j: (j.key,))
