"""Schedules, their windows, and refreshes with their drift reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from agents.drift import Cause
from services.access.identity import Identity
from services.annotation.dataset import open_dataset
from services.api.access import Approver, Place, Reader, Runner
from services.api.fields import Given, Ident, Name, Storable
from services.api.noting import note
from services.api.once import OnceOnly
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import documented
from services.deployment import Deployment
from services.schedules.acknowledging import acknowledge_drift
from services.schedules.beginning import refresh_now
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
    """

    name: Annotated[str, Field(min_length=1, max_length=96, pattern=r"^\S(.*\S)?$", examples=["weekly"]), Storable]
    dataset: Ident = Field(examples=["web-answers"])
    criteria_set: Name = Field(examples=["web-quality"])
    cron: Annotated[str, Field(max_length=120, examples=["0 6 * * 1"]), Storable]
    zone: Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), Storable] = "UTC"


class RefreshIn(Given):
    """A refresh to begin now; `forced`: however few new votes there are."""

    forced: bool = True


@router.get("/schedules", summary="All schedules")
def schedules(place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[Schedule]:
    """List the schedules."""
    at = place_of(after, str)
    return page_of(list_schedules(place.database, at[0] if at else "", limit + 1), limit, key=lambda s: (s.id,))


@router.post(
    "/schedules", summary="Keep a schedule", status_code=201, response_model=Schedule, responses=documented(404, 409)
)
def keep(given: ScheduleIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """Its first window is the first one from now."""

    def work() -> Schedule:
        kept = create_schedule(place.database, _spec(place, given), caller.name, datetime.now(UTC))
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


@router.put("/schedules/{schedule}", summary="Change a schedule", responses=documented(404, 409))
def change(schedule: ScheduleId, given: ScheduleIn, place: Place, caller: Runner) -> Schedule:
    """A refresh under way keeps to the terms that it began with."""
    changed = change_schedule(place.database, schedule, _spec(place, given), datetime.now(UTC))
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
    responses=documented(404, 409),
)  # fmt: skip
def begin(schedule: ScheduleId, given: RefreshIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """Begin a refresh outside of any window."""

    def work() -> Refresh:
        begun = refresh_now(place.database, schedule, caller.name, datetime.now(UTC), forced=given.forced)
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


@router.post("/refreshes/{refresh}/resume", summary="Take up a refresh again", responses=documented(404, 409))
def again(refresh: RefreshId, place: Place, caller: Runner) -> Refresh:
    """Take up a refresh that failed, where it stood."""
    return _after(place, caller, "refresh.resumed", resume_refresh(place, refresh, datetime.now(UTC)))


def _after(place: Deployment, caller: Identity, action: str, done: Refresh) -> Refresh:
    note(place, caller, action, done.id)
    return done


def _spec(place: Deployment, given: ScheduleIn) -> ScheduleSpec:
    dataset = open_dataset(place.database, given.dataset).id
    return ScheduleSpec(**{**given.model_dump(), "dataset": dataset, "terms": given.terms})
