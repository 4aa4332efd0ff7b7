"""Runs: ordered, listed, stopped, taken up again, and what they hand over."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from agents.chronicle import RoundRecord
from agents.pairs import Dataset
from knowledge_base.errors import InputError, NotThere, RunError
from services.access.identity import Identity
from services.annotation.dataset import open_dataset
from services.annotation.freezing import freeze
from services.api.access import Place, Reader, Runner
from services.api.allowance import check_allowance
from services.api.etags import fresh
from services.api.fields import Given, Ident, Name, Told
from services.api.noting import note
from services.api.once import OnceOnly
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import Refused, documented
from services.closing import close_run
from services.dataset_store import load_dataset
from services.deployment import Deployment
from services.estimate import Estimate
from services.orders.known_run import known_run
from services.orders.order import Customer, Ordered, State, cancel, list_orders, place_order, resume
from services.orders.quote import Quote, create, quote
from services.report import report_html
from services.result_reading import result_of
from services.run_config import RunConfig
from services.run_result import RunResult
from services.sql_ledger import SqlLedger

router = APIRouter(tags=["runs"])

RunId = Annotated[Ident, Path(description="Id of a run.", examples=["3f9d1c0a5b7e2468"])]


class RunConfigIn(RunConfig):
    """A run's configuration, within what a server takes."""

    policy: Annotated[str, Field(max_length=20, examples=["robust"])] = "robust"
    size: Annotated[int, Field(ge=1, le=200)] | None = None
    rounds: Annotated[int, Field(ge=1, le=20)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    minimum: Annotated[int, Field(ge=2, le=1_000_000)] = 100
    parent: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")] = ""


class RunIn(Given):
    """A run to order.

    Attributes:
        dataset: id or name of an open dataset, as it stands now, or the content hash of a frozen version.
        test: the same, for pairs to report on; then all of `dataset` is mined.
        name: the line of criteria sets that its set goes to.
        config: how to mine.
        accept_cost: go on although the run costs something and no budget limits it.
    """

    dataset: Ident = Field(examples=["web-answers"])
    test: Ident | None = None
    name: Name = Field(examples=["web-quality"])
    config: RunConfigIn = RunConfigIn()
    accept_cost: bool = False


class Quoted(Told):
    """What a run would be.

    Attributes:
        run: the id it has or would have; exists: whether it was made before.
        config: as it would be.
        estimate: what it would take; None where nothing costs anything.
        currency: of the cost.
    """

    run: str
    exists: bool
    config: RunConfig
    estimate: Estimate | None
    currency: str


class OrderedRun(Told):
    """A run that was ordered, and what it is expected to take (None where nothing costs anything)."""

    run: Ordered
    estimate: Estimate | None


@router.post("/runs/estimate", summary="What would a run take?", responses=documented(404))
def estimate(given: RunIn, place: Place, caller: Reader) -> Quoted:
    """Name a run and estimate it; nothing is kept and nothing is paid for."""
    quoted = _quoted(place, given)[0]
    return Quoted(
        run=quoted.run, exists=quoted.exists, config=quoted.config, estimate=quoted.estimate,
        currency=place.settings.currency,
    )  # fmt: skip


@router.post(
    "/runs", summary="Order a run", status_code=201, response_model=OrderedRun, responses=documented(402, 404, 409)
)
def order(given: RunIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """Freeze the dataset as it stands and have it mined. The same inputs make the same run, ordered or not before."""
    return once.answer(lambda: _place(place, given, caller), 201)


@router.get("/runs", summary="Runs, the latest first")
def runs(
    place: Place,
    caller: Reader,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    name: Annotated[Name | None, Query(description="Only those of this line of criteria sets.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[Ordered]:
    """List the runs that were ordered."""
    at = place_of(after, float, str)
    before = (float(at[0]), str(at[1])) if at else None
    found = list_orders(place.database, limit=limit + 1, before=before, state=state, name=name or "")
    return page_of(found, limit, key=lambda r: (r.created_at, r.run))


@router.get("/runs/{run}", summary="One run", responses=documented(404))
def one(run: RunId, place: Place, caller: Reader) -> Ordered:
    """How a run was ordered and how it stands."""
    return known_run(place.database, run)


@router.post("/runs/{run}/cancel", summary="Stop a run", responses=documented(404, 409))
def stop(run: RunId, place: Place, caller: Runner) -> Ordered:
    """Nobody judges for it any more. What was judged stays, and is not paid for again when the run is resumed."""
    stopped = cancel(place.database, run, caller.name)
    note(place, caller, "run.cancelled", run)
    return stopped


@router.post("/runs/{run}/resume", summary="Take up a run again", responses=documented(404, 409))
def again(run: RunId, place: Place, caller: Runner) -> Ordered:
    """Take up a run that failed or was cancelled, where it stood."""
    check_allowance(place.database, caller)
    resumed = resume(place, run)
    note(place, caller, "run.resumed", run)
    return resumed


@router.get("/runs/{run}/rounds", summary="What happened in each round", responses=documented(404))
def rounds(run: RunId, place: Place, caller: Reader) -> list[RoundRecord]:
    """Each finished round of the whole: every criterion's evidence, what was decided of it, and why."""
    known_run(place.database, run)
    return list(SqlLedger(place.database, run, f"{run}-main").records())


@router.get(
    "/runs/{run}/result", summary="What a run hands over", response_model=RunResult, responses=documented(404, 409)
)
def result(run: RunId, place: Place, caller: Reader, request: Request, response: Response) -> Response:
    """The criteria set with its evidence, sealed accuracy, hardest pairs, and what it all took."""
    body = _result(place, run).model_dump_json()
    unchanged = fresh(request, response, hashlib.sha256(body.encode()).hexdigest()[:32])
    kept = {name: response.headers[name] for name in ("etag", "cache-control")}
    return unchanged or Response(body, headers=kept, media_type="application/json")


@router.get(
    "/runs/{run}/report", summary="A run as a page to read", response_class=HTMLResponse,
    responses=documented(404, 409),
)  # fmt: skip
def report(run: RunId, place: Place, caller: Reader) -> HTMLResponse:
    """The report: one page that needs nothing else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src 'unsafe-inline'"
    return HTMLResponse(report_html(_result(place, run)), headers={"Content-Security-Policy": policy})


def dataset_named(place: Deployment, name: str) -> tuple[Dataset, str]:
    """A dataset by content hash, or an open one by id or name as it stands now; and the open one's id.

    Raises:
        NotThere: there is none.
    """
    if len(name) == 64:
        try:
            return load_dataset(place.database, name), ""
        except RunError:
            raise NotThere(f"there is no dataset {name!r}; POST /v1/datasets makes one") from None
    found = open_dataset(place.database, name)
    return freeze(place.database, found.id), found.id


def _quoted(place: Deployment, given: RunIn) -> tuple[Quote, Dataset, Dataset | None, str]:
    dataset, source = dataset_named(place, given.dataset)
    test = dataset_named(place, given.test)[0] if given.test else None
    if not any(pair.preferred != "tie" for pair in dataset.pairs):
        raise InputError(f"dataset {given.dataset!r} has no pair that people decided; add votes first")
    config = RunConfig(**given.config.model_dump())
    return quote(place, dataset, config, test), dataset, test, source


def _place(place: Deployment, given: RunIn, caller: Identity) -> OrderedRun:
    quoted, dataset, test, source = _quoted(place, given)
    if quoted.estimate and not quoted.exists and not given.accept_cost and not quoted.config.budget.limited:
        raise Refused(
            402, "cost",
            f"this run is expected to take {quoted.estimate.calls:,} calls and {quoted.estimate.tokens:,} tokens, and "
            "no budget limits it; give config.budget, or accept_cost true",
        )  # fmt: skip
    if quoted.estimate:
        check_allowance(place.database, caller)
    run = create(place, dataset, quoted, test)
    ordered, new = place_order(place, run, Customer(given.name, caller.name, caller.key, source))
    if new:
        note(place, caller, "run.ordered", run, name=given.name)
    return OrderedRun(run=ordered, estimate=quoted.estimate)


def _result(place: Deployment, run: str) -> RunResult:
    order = known_run(place.database, run)
    if order.state != "finished":
        raise Refused(409, "run", f"run {run} has no result: {_NO_RESULT[order.state].format(run=run, order=order)}")
    close_run(place.database, run)
    return result_of(place.database, run)


_NO_RESULT: dict[State, str] = {
    "running": "it is under way; GET /v1/runs/{run}/events tells when it ends",
    "failed": "it failed ({order.fault}); once that is mended, POST /v1/runs/{run}/resume takes it up",
    "cancelled": "it was {order.fault}; POST /v1/runs/{run}/resume takes it up where it stood",
}
