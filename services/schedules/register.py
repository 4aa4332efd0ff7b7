"""Schedules as they are kept: created, read, changed. What they lead to is in the modules beside this one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from knowledge_base.errors import Conflict, InputError, NotThere
from services.database import Database
from services.schedules.tables import ScheduleRow
from services.schedules.terms import Terms
from services.schedules.windows import Timetable, read_timetable

MOST_PREVIEWED = 1000

Name = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^\S(.*\S)?$")]


class ScheduleSpec(BaseModel):
    """A schedule as a person asks for it.

    Attributes:
        name: unlike that of any other schedule.
        dataset: id of an open dataset, whose votes grow.
        criteria_set: name of the criteria set whose approved version is examined.
        cron, zone: when; see `services.schedules.windows`.
        terms: how.
        enabled: whether its windows come due.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    dataset: Name
    criteria_set: Name
    cron: Annotated[str, Field(max_length=120)]
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    terms: Terms = Terms()
    enabled: bool = True


class Schedule(ScheduleSpec):
    """A schedule that is kept.

    Attributes:
        id: names it.
        cursor: the instant, in seconds since the epoch, up to which its windows have been noted.
        fault: why they could not be noted the last time; empty if they could.
        created_by, created_at: who and when.
        key: the API key that made it, which its windows are charged to; empty where a command made it.
    """

    id: str
    cursor: float
    fault: str
    created_by: str
    key: str
    created_at: float

    @property
    def timetable(self) -> Timetable:
        """When its windows come."""
        return Timetable(self.cron, self.zone)


def create_schedule(database: Database, spec: ScheduleSpec, who: str, now: datetime, key: str = "") -> Schedule:
    """Keep a new schedule, whose first window is the first one after `now`.

    Args:
        database: where.
        spec: the schedule.
        who: keeps it, by name; key: with which API key, which its windows are charged to.
        now: the time.

    Raises:
        InputError: cron expression, zone or bar cannot be used.
        Conflict: there is a schedule of this name.
    """
    timetable = _checked(spec)
    row = _columns(spec, timetable) | {
        "id": f"schedule-{secrets.token_hex(6)}", "cursor": now.timestamp(), "created_by": who,
        "key": key, "created_at": now.timestamp(),
    }  # fmt: skip
    try:
        with database.write() as connection:
            connection.execute(insert(ScheduleRow).values(**row))
    except IntegrityError:
        raise Conflict(f"schedule {spec.name!r} is there already; change that one, or choose another name") from None
    return load_schedule(database, str(row["id"]))


def change_schedule(
    database: Database,
    schedule: str,
    spec: ScheduleSpec,
    now: datetime,
    agree: Callable[[Schedule], None] = lambda before: None,
) -> Schedule:
    """Have a schedule be as `spec` says. Windows before `now` are not touched, nor is a refresh under way.

    Args:
        database: where.
        schedule: id.
        spec: what it is to be.
        now: the time.
        agree: called with the schedule as it is, which nobody else can change meanwhile; raises what forbids it.

    Raises:
        NotThere: there is no such schedule.
        InputError, Conflict: as `create_schedule`.
        Exception: whatever `agree` raises; nothing is changed then.
    """
    row = _columns(spec, _checked(spec))
    try:
        with database.write() as connection:
            before = _load(connection, schedule)
            agree(before)
            changed = {**row, **_anew(before, row, now)}
            connection.execute(update(ScheduleRow).where(ScheduleRow.id == schedule).values(**changed))
    except IntegrityError:
        raise Conflict(f"schedule {spec.name!r} is there already; choose another name") from None
    return load_schedule(database, schedule)


def _anew(before: Schedule, row: dict[str, Any], now: datetime) -> dict[str, float]:
    """Where a schedule's windows begin anew: what it did not name, or while it was disabled, it has not missed."""
    timed = any(getattr(before, name) != row[name] for name in ("cron", "zone", "enabled"))
    return {"cursor": now.timestamp()} if timed else {}


def load_schedule(database: Database, schedule: str) -> Schedule:
    """A schedule by id.

    Raises:
        NotThere: there is none.
    """
    with database.read() as connection:
        return _load(connection, schedule)


def _load(connection: Connection, schedule: str) -> Schedule:
    found = connection.execute(_query().where(ScheduleRow.id == schedule)).one_or_none()
    if found is None:
        raise NotThere(f"schedule {schedule!r} is not there; list the schedules to find its id")
    return _schedule(found)


def list_schedules(database: Database, after: str = "", limit: int = 50) -> list[Schedule]:
    """Schedules by id, those after `after`, at most `limit`."""
    query = _query().where(ScheduleRow.id > after).order_by(ScheduleRow.id).limit(limit)
    with database.read() as connection:
        return [_schedule(row) for row in connection.execute(query)]


def preview(schedule: ScheduleSpec, n: int, after: datetime) -> list[datetime]:
    """The next `n` windows (at most 1000) after an instant, in UTC, ascending.

    Raises:
        InputError: the expression, the zone or `n` cannot be used.
    """
    if not 1 <= n <= MOST_PREVIEWED:
        raise InputError(f"n is {n}; use 1 to {MOST_PREVIEWED}")
    return list(islice(_checked(schedule).after(after), n))


def _checked(spec: ScheduleSpec) -> Timetable:
    return read_timetable(spec.cron, spec.zone)


def _columns(spec: ScheduleSpec, timetable: Timetable) -> dict[str, Any]:
    return {
        "name": spec.name, "dataset": spec.dataset, "criteria_set": spec.criteria_set, "cron": timetable.cron,
        "zone": timetable.zone, "terms": spec.terms.model_dump_json(), "enabled": spec.enabled, "fault": "",
    }  # fmt: skip


def _query() -> Any:
    columns: Sequence[Any] = list(ScheduleRow.__table__.columns)
    return select(*columns)


def _schedule(row: Any) -> Schedule:
    return Schedule.model_validate({**row._mapping, "terms": Terms.model_validate_json(row.terms)})


def utc(seconds: float) -> datetime:
    """An instant of the tables, aware and in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
