"""Schedules, their windows, and refreshes with their drift reports."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from agents.drift import Cause
from services.access.identity import Identity, require
from services.annotation.dataset import open_dataset
from services.api.access import Approver, Place, Reader, Runner
from services.api.allowance import check_allowance
from services.api.fields import Given, Ident, Name, Storable
from services.api.noting import note
from services.api.once import OnceOnly
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import Refused, documented
from services.budget import Budget
from services.deployment import Deployment
from services.schedules.acknowledging import acknowledge_drift
from services.schedules.beginning import begun_before, refresh_now
from services.schedules.refreshes import Refresh, RefreshStatus, Window, list_refreshes, list_windows, load_refresh
from services.schedules.register import (
    Schedule,
    ScheduleSpec,
    change_schedule,
    create_schedule,
    list_schedules,
    load_schedule,
    preview,
)
from services.schedules.stopping import cancel_refresh, resume_refresh

router = APIRouter(tags=["schedules"])

ScheduleId = Annotated[Ident, Path(description="Id of a schedule.", examples=["schedule-4f1d2c3b5a69"])]
RefreshId = Annotated[Ident, Path(description="Id of a refresh.")]


class ScheduleIn(ScheduleSpec):
    """A schedule to keep.

    Attributes:
        name: unlike that of any other.
        dataset: id or name of an open dataset, whose votes grow.
        criteria_set: the line whose approved version is examined.
        cron, zone: when, such as `0 6 * * 1` in `Europe/Berlin`.
        terms: how.
        enabled: whether its windows come due.
        accept_cost: go on although refreshes cost something and no budget limits them.
    """

    name: Annotated[str, Field(min_length=1, max_length=96, pattern=r"^\S(.*\S)?$", examples=["weekly"]), Storable]
    dataset: Ident = Field(examples=["web-answers"])
    criteria_set: Name = Field(examples=["web-quality"])
    cron: Annotated[str, Field(max_length=120, examples=["0 6 * * 1"]), Storable]
    zone: Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), Storable] = "UTC"
    accept_cost: bool = False


class RefreshIn(Given):
    """A refresh to begin now.

    Attributes:
        forced: however few new votes there are.
        accept_cost: go on although it costs something and the schedule's budget does not limit it.
    """

    forced: bool = True
    accept_cost: bool = False


@router.get("/schedules", summary="All schedules")
def schedules(place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[Schedule]:
    """List the schedules."""
    at = place_of(after, str)
    return page_of(list_schedules(place.database, at[0] if at else "", limit + 1), limit, key=lambda s: (s.id,))


@router.post(
    "/schedules", summary="Keep a schedule", status_code=201, response_model=Schedule,
    responses=documented(402, 403, 404, 409, 429),
)  # fmt: skip
def keep(given: ScheduleIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """Its first window is the first one from now. With a bar in its terms it needs the scope `approve` as well."""

    def work() -> Schedule:
        if given.terms.bar is not None:
            require(caller, "approve")
        _check_cost(place, given.terms.budget, accepted=given.accept_cost)
        check_allowance(place.database, caller)
        kept = create_schedule(place.database, _spec(place, given), caller.name, datetime.now(UTC), caller.key)
        note(place, caller, "schedule.created", kept.id, name=given.name)
        return kept

    return once.answer(work, 201)


@router.post("/schedules/preview", summary="When would it come due?", responses=documented(404))
def foresee(
    given: ScheduleIn, place: Place, caller: Reader, n: Annotated[int, Query(ge=1, le=100)] = 10
) -> list[datetime]:
    """The next windows, in UTC; nothing is kept."""
    return preview(_spec(place, given), n, datetime.now(UTC))


@router.get("/schedules/{schedule}", summary="One schedule", responses=documented(404))
def one(schedule: ScheduleId, place: Place, caller: Reader) -> Schedule:
    """A schedule as it stands."""
    return load_schedule(place.database, schedule)


@router.put("/schedules/{schedule}", summary="Change a schedule", responses=documented(402, 403, 404, 409))
def change(schedule: ScheduleId, given: ScheduleIn, place: Place, caller: Runner) -> Schedule:
    """A refresh under way keeps to the terms, the dataset and the line that it began with.

    Whoever changes the bar, or what a schedule with a bar looks at, needs the scope `approve` as well.
    """
    spec = _spec(place, given)

    def agree(before: Schedule) -> None:
        if _decides_otherwise(before, spec):
            require(caller, "approve")
        if not (before.enabled and not before.terms.budget.limited):
            _check_cost(place, spec.terms.budget, accepted=given.accept_cost or not spec.enabled)

    changed = change_schedule(place.database, schedule, spec, datetime.now(UTC), agree)
    note(place, caller, "schedule.changed", schedule)
    return changed


@router.get("/schedules/{schedule}/windows", summary="Its windows, the latest first", responses=documented(404))
def windows(schedule: ScheduleId, place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[Window]:
    """Every window that has come due, and what became of it: none is dropped in silence."""
    load_schedule(place.database, schedule)
    at = place_of(after, str)
    found = list_windows(place.database, schedule, at[0] if at else "", limit + 1)
    return page_of(found, limit, key=lambda w: (w.window,))


@router.post(
    "/schedules/{schedule}/refreshes", summary="Examine the set now", status_code=201, response_model=Refresh,
    responses=documented(402, 404, 409, 429),
)  # fmt: skip
def begin(
    schedule: ScheduleId, given: RefreshIn, place: Place, caller: Runner, once: OnceOnly, request: Request
) -> Response:
    """Begin a refresh outside of any window. The same Idempotency-Key never begins a second one."""
    key = _own_key(caller, request.headers.get("Idempotency-Key", ""))

    def work() -> Refresh:
        # A server that died amid the request may have begun it, and not have kept the answer.
        if before := begun_before(place.database, schedule, key):
            return before
        budget = load_schedule(place.database, schedule).terms.budget
        _check_cost(place, budget, accepted=given.accept_cost)
        check_allowance(place.database, caller)
        who, now = caller.name, datetime.now(UTC)
        begun = refresh_now(place.database, schedule, who, now, forced=given.forced, key=key, payer=caller.key)
        note(place, caller, "refresh.begun", begun.id)
        return begun

    return once.answer(work, 201)


@router.post("/schedules/{schedule}/acknowledge", summary="Put alarms of drift to rest", responses=documented(404, 409))
def acknowledge(schedule: ScheduleId, place: Place, caller: Approver) -> list[Cause]:
    """Begin the evidence about the approved version anew, against the same standard; tells the alarms put to rest."""
    rested = acknowledge_drift(place.database, schedule)
    note(place, caller, "drift.acknowledged", schedule, causes=list(rested))
    return list(rested)


@router.get("/refreshes", summary="Refreshes and their drift reports, the latest first")
def refreshes(
    place: Place,
    caller: Reader,
    schedule: Annotated[Ident | None, Query(description="Only of this schedule.")] = None,
    status: Annotated[RefreshStatus | None, Query(description="Only those.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[Refresh]:
    """What each refresh looked at, found, and proposed."""
    at = place_of(after, int)
    found = list_refreshes(place.database, schedule or "", at[0] if at else 0, limit + 1, status)
    return page_of(found, limit, key=lambda r: (r.number,))


@router.get("/refreshes/{refresh}", summary="One refresh", responses=documented(404))
def refresh(refresh: RefreshId, place: Place, caller: Reader) -> Refresh:
    """A refresh with its drift report and the comparison of old and new."""
    return load_refresh(place.database, refresh)


@router.post("/refreshes/{refresh}/cancel", summary="Stop a refresh", responses=documented(404, 409))
def stop(refresh: RefreshId, place: Place, caller: Runner) -> Refresh:
    """What it judged stays."""
    return _after(place, caller, "refresh.cancelled", cancel_refresh(place, refresh, caller.name, datetime.now(UTC)))


@router.post("/refreshes/{refresh}/resume", summary="Take up a refresh again", responses=documented(404, 409, 429))
def again(refresh: RefreshId, place: Place, caller: Runner) -> Refresh:
    """Take up a refresh that failed or was cancelled, where it stood."""
    check_allowance(place.database, caller)
    return _after(place, caller, "refresh.resumed", resume_refresh(place, refresh, datetime.now(UTC)))


def _after(place: Deployment, caller: Identity, action: str, done: Refresh) -> Refresh:
    note(place, caller, action, done.id)
    return done


def _spec(place: Deployment, given: ScheduleIn) -> ScheduleSpec:
    dataset = open_dataset(place.database, given.dataset).id
    return ScheduleSpec(**{**given.model_dump(exclude={"accept_cost"}), "dataset": dataset, "terms": given.terms})


def _decides_otherwise(before: Schedule, spec: ScheduleSpec) -> bool:
    """Whether a change has a schedule approve versions that nobody let it approve."""
    if spec.terms.bar is None and before.terms.bar is None:
        return False
    seen = ("dataset", "criteria_set", "terms")
    return any(getattr(before, name) != getattr(spec, name) for name in seen)


def _check_cost(place: Deployment, budget: Budget, *, accepted: bool) -> None:
    free = place.parties.panel().free and not place.settings.manager_model
    if free or budget.limited or place.settings.budget.limited or accepted:
        return
    raise Refused(402, "cost", "refreshes cost calls and no budget limits them; give terms.budget, or accept_cost true")


def _own_key(caller: Identity, token: str) -> str:
    """A caller's idempotency key as a short word unlike that of any other caller; empty without one."""
    return hashlib.sha256(f"{caller.key}\n{token}".encode()).hexdigest()[:40] if token else ""
