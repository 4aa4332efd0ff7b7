"""Labelling: many pairs labelled by a criteria set."""

from __future__ import annotations

import tempfile
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from agents.early_stop import Kind, StopRule
from knowledge_base.errors import RunError
from services.api.access import Place, Reader, Runner
from services.api.allowance import check_allowance
from services.api.chosen_set import chosen_set
from services.api.fields import Ident, Name
from services.api.noting import note
from services.api.once import OnceForFile
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import Refused, documented
from services.api.uploads import FileName, received
from services.budget import Budget
from services.deployment import Deployment
from services.labelling.output import Outputs, summary_of, write_outputs
from services.labelling.register import load_labelling
from services.labelling.summary import LabelSummary
from services.labelling.unlabelled import PairsFile
from services.orders.labelling_order import (
    OrderedLabelling,
    list_labelling_orders,
    load_labelling_order,
    order_labelling,
    take_up,
)
from services.orders.order import Customer

router = APIRouter(tags=["labelling"])

LabellingId = Annotated[Ident, Path(description="Id of a labelling.", examples=["9b2f4c6d8e0a1357"])]
Format = Literal["parquet", "jsonl", "trl"]


@router.post(
    "/labellings/upload", summary="Have pairs labelled", status_code=201, response_model=OrderedLabelling,
    responses=documented(402, 404, 409, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def order(
    request: Request,
    place: Place,
    caller: Runner,
    once: OnceForFile,
    filename: FileName,
    name: Annotated[Name, Query(description="The line of criteria sets to judge by.")],
    version: Annotated[Ident | None, Query(description="A version of it; else the approved one.")] = None,
    stop: Annotated[Kind, Query(description="When to stop asking about a pair.")] = "exact",
    error: Annotated[float, Query(gt=0, lt=0.5, description="Of `likely`: share of labels that may differ.")] = 0.02,
    budget_calls: Annotated[int | None, Query(ge=1, le=10**12)] = None,
    budget_tokens: Annotated[int | None, Query(ge=1, le=10**15)] = None,
    budget_cost: Annotated[float | None, Query(gt=0, le=10**9)] = None,
    accept_cost: Annotated[bool, Query(description="Go on although no budget limits what it costs.")] = False,
) -> Response:
    """Send a JSONL, CSV or Parquet file of pairs as the body; see docs/data-formats.md."""
    budget = Budget(calls=budget_calls, tokens=budget_tokens, cost=budget_cost)
    customer = Customer(filename, caller.name, caller.key)
    async with received(request, filename, place.settings.spool) as (path, digest):
        once.include(digest)

        def work() -> OrderedLabelling:
            found = chosen_set(place, name, version)
            _check_cost(place, budget, accepted=accept_cost)
            check_allowance(place.database, caller)
            rule = _rule(place, stop, error)
            ordered = order_labelling(place, found.criteria_set, PairsFile(path), rule, budget, customer)
            note(place, caller, "labelling.ordered", ordered.labelling, name=name, version=found.version)
            return ordered

        return await run_in_threadpool(once.answer, work, 201)


@router.get("/labellings", summary="Labellings, the latest first")
def labellings(place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[OrderedLabelling]:
    """List the labellings that were ordered."""
    at = place_of(after, float, str)
    before = (float(at[0]), str(at[1])) if at else None
    found = list_labelling_orders(place.database, limit=limit + 1, before=before)
    return page_of(found, limit, key=lambda r: (r.created_at, r.labelling))


@router.get("/labellings/{labelling}", summary="One labelling", responses=documented(404))
def one(labelling: LabellingId, place: Place, caller: Reader) -> OrderedLabelling:
    """How a labelling was ordered and where it stands."""
    return load_labelling_order(place.database, labelling)


@router.post("/labellings/{labelling}/resume", summary="Take up a labelling again", responses=documented(404))
def again(labelling: LabellingId, place: Place, caller: Runner) -> OrderedLabelling:
    """Ask again for what failed, where it stood."""
    check_allowance(place.database, caller)
    taken_up = take_up(place, labelling)
    note(place, caller, "labelling.resumed", labelling)
    return taken_up


@router.get(
    "/labellings/{labelling}/labels", summary="The labels of a labelling", response_class=FileResponse,
    responses=documented(404, 409),
)  # fmt: skip
def labels(
    labelling: LabellingId,
    place: Place,
    caller: Reader,
    format: Annotated[Format, Query(description="`trl` is preference data as JSON lines, without ties.")] = "parquet",
    least_margin: Annotated[float, Query(ge=0, le=1, description="Of `trl`: pairs below are left out.")] = 0.0,
) -> FileResponse:
    """Soft label, margin and answers of every pair, as a file."""
    _finished(place, labelling)
    folder = tempfile.TemporaryDirectory(prefix="touchstone-labels-")
    outputs = _outputs(FilePath(folder.name), format, least_margin)
    write_outputs(place.database, load_labelling(place.database, labelling), outputs)
    sent = outputs.trl or outputs.labels
    return FileResponse(sent, filename=f"{labelling}-{sent.name}", background=BackgroundTask(folder.cleanup))


@router.get("/labellings/{labelling}/summary", summary="What a labelling came to", responses=documented(404, 409))
def summary(labelling: LabellingId, place: Place, caller: Reader) -> LabelSummary:
    """Each criterion's part in it, what was asked and what was spared."""
    _finished(place, labelling)
    return summary_of(place.database, load_labelling(place.database, labelling))


def _finished(place: Deployment, labelling: str) -> None:
    ordered = load_labelling_order(place.database, labelling)
    if ordered.state != "finished":
        told = f"labelling {labelling} has {ordered.done:,} of {ordered.pairs:,} labels"
        raise RunError(f"{told}; ask again when it has all")


def _outputs(folder: FilePath, format: Format, least_margin: float) -> Outputs:
    if format == "trl":
        return Outputs(folder / "labels.jsonl", folder / "trl.jsonl", least_margin)
    return Outputs(folder / f"labels.{format}")


def _check_cost(place: Deployment, budget: Budget, *, accepted: bool) -> None:
    if place.parties.panel().free or budget.limited or place.settings.budget.limited or accepted:
        return
    raise Refused(402, "cost", "these labels cost calls and no budget limits them; give a budget, or accept_cost=true")


def _rule(place: Deployment, stop: Kind, error: float) -> StopRule:
    block = 1 if place.parties.panel().free else place.settings.criteria_per_call
    return StopRule(kind=stop, block=block, **({"error": error} if stop == "likely" else {}))
