"""The windows of a schedule: the instants at which a cron expression comes due in a time zone.

A cron expression speaks of wall clocks. Every local time that it names is one window, whatever the clocks do:

- a local time that does not exist, for the clocks went forward over it, is due at the first instant after the gap;
  several such times of one gap are one window;
- a local time that exists twice, for the clocks went back, is due the first time only.

So a daily window comes once a day all the year round, and an hourly one not twice within the hour that is repeated.
croniter, given a time zone, runs such a window twice (seen with version 7.0.0). Here it only ever counts local times,
which know no gaps, and what those mean is decided by `instant_of`.

Everything is a function of expression, zone and time zone database; no clock is read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from croniter import CroniterBadDateError, CroniterError, croniter

from knowledge_base.errors import InputError

ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")

FIELDS = "minute hour day month weekday"

FORM = "%Y%m%dT%H%MZ"

_FIELD = re.compile(r"[0-9a-zA-Z*,/#-]+")
_CHANCE = re.compile(r"(^|,)[hr]", re.IGNORECASE)
"""croniter's fields of hashes and random numbers: the same expression would not always mean the same windows."""


@dataclass(frozen=True)
class Timetable:
    """A cron expression in a time zone; make one with `read_timetable`.

    Attributes:
        cron: five fields (minute, hour, day, month, weekday) or one of `ALIASES`.
        zone: IANA name, such as `Europe/Berlin`.
    """

    cron: str
    zone: str

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Windows later than an instant (aware), in UTC and ascending."""
        zone = ZoneInfo(self.zone)
        last = instant.astimezone(UTC)
        # Of a time that exists twice, the second is as much at this local time as the first: nothing is left out.
        for local in _locals(self.cron, last.astimezone(zone).replace(tzinfo=None, fold=0)):
            due = instant_of(local, zone)
            if due > last:
                last = due
                yield due

    def next(self, instant: datetime) -> datetime | None:
        """The first window later than an instant; None if it never comes due."""
        return next(self.after(instant), None)

    def latest(self, instant: datetime) -> datetime | None:
        """The last window that is not later than an instant; None if there was none."""
        zone, now = ZoneInfo(self.zone), instant.astimezone(UTC)
        local = now.astimezone(zone)
        # While the clocks repeat an hour, local times ahead of theirs were due the first time round.
        start = local.replace(tzinfo=None, fold=0) + _repeated(local) + timedelta(seconds=1)
        past = (instant_of(t, zone) for t in _locals(self.cron, start, back=True))
        return next((due for due in past if due <= now), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Windows later than `after` and not later than `until`, ascending."""
        for due in self.after(after):
            if due > until:
                return
            yield due


def read_timetable(cron: str, zone: str) -> Timetable:
    """A timetable from what a person wrote.

    Raises:
        InputError: the expression or the zone cannot be used, or the expression never comes due.
    """
    timetable = Timetable(_checked_cron(cron), _checked_zone(zone))
    try:
        first = timetable.next(datetime(2024, 1, 1, tzinfo=UTC))
    except (CroniterError, ValueError) as error:
        raise _bad_cron(cron, str(error)) from None
    if first is None:
        raise _bad_cron(cron, "it never comes due")
    return timetable


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """When a local time (naive) is due, in UTC: see the top of this module."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # In a gap, fold 0 counts with the offset before it and so comes out after it; fold 1 the other way round.
    return _end_of_gap(second, first, zone)


def window_id(due: datetime) -> str:
    """The name of a window within its schedule: its instant in UTC, which no change of clocks makes ambiguous."""
    return due.astimezone(UTC).strftime(FORM)


def due_at(window: str) -> datetime:
    """The instant of a window by its name."""
    return datetime.strptime(window, FORM).replace(tzinfo=UTC)


def _locals(cron: str, start: datetime, *, back: bool = False) -> Iterator[datetime]:
    """Local times (naive) that an expression names, strictly after `start`, or before it."""
    counter = croniter(cron, start)
    step = counter.get_prev if back else counter.get_next
    while True:
        try:
            local: datetime = step(datetime)
        except CroniterBadDateError:
            return
        yield local


def _repeated(local: datetime) -> timedelta:
    """How far the clocks went back, where an aware time stands in the second of two same hours; else nothing."""
    first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    return max(first - second, timedelta()) if local.fold else timedelta()


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two (UTC) from which the later offset counts, to the second."""
    late = after.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        moved = datetime.fromtimestamp(middle, zone).utcoffset() == late
        low, high = (low, middle) if moved else (middle, high)
    return datetime.fromtimestamp(high, UTC)


def _checked_cron(cron: str) -> str:
    fields = cron.split()
    if len(fields) == 1 and fields[0].startswith("@"):
        if fields[0] not in ALIASES:
            raise _bad_cron(cron, f"use one of {', '.join(ALIASES)}")
        return fields[0]
    if len(fields) != len(FIELDS.split()):
        raise _bad_cron(cron, f"it has {len(fields)} fields")
    for name, field in zip(FIELDS.split(), fields, strict=True):
        if not _FIELD.fullmatch(field) or _CHANCE.search(field):
            raise _bad_cron(cron, f"its {name} is {field!r}")
    try:
        croniter(" ".join(fields), datetime(2024, 1, 1))
    except (CroniterError, ValueError) as error:
        raise _bad_cron(cron, str(error)) from None
    return " ".join(fields)


def _bad_cron(cron: str, why: str) -> InputError:
    remedy = f"write five fields ({FIELDS}), such as '30 2 * * *' for each night at half past two"
    return InputError(f"cron is {cron!r} ({why}); {remedy}")


def _checked_zone(zone: str) -> str:
    known = _zones()
    if zone in known:
        return zone
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(zone.casefold().replace(" ", "_"), folded, n=1, cutoff=0.6)
    meant = f"did you mean {folded[near[0]]}? " if near else ""
    raise InputError(f"zone is {zone!r}; {meant}use a name of the IANA database, such as Europe/Berlin or UTC")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
