"""Windows: every local time that an expression names comes once, whatever the clocks do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.schedules.windows import due_at, instant_of, read_timetable, window_id

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ZONES = (
    BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns", "Pacific/Apia",
    "Asia/Gaza", "America/Sao_Paulo", "Antarctica/Troll", "Asia/Pyongyang", "America/Caracas", "Pacific/Chatham",
)  # fmt: skip

CHANGES = (
    (BERLIN, "2026-03-29T01:00"), (BERLIN, "2026-10-25T01:00"), (NEW_YORK, "2026-03-08T07:00"),
    (NEW_YORK, "2026-11-01T06:00"), (LORD_HOWE, "2026-04-04T15:00"), (LORD_HOWE, "2026-10-03T15:30"),
    ("Pacific/Apia", "2011-12-30T10:00"), ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"), ("Asia/Pyongyang", "2015-08-14T15:00"),
    ("America/Caracas", "2007-12-09T07:00"), ("Antarctica/Troll", "2026-03-29T01:00"),
)  # fmt: skip
"""Instants at which clocks are changed, in UTC."""

ZONE = st.sampled_from(ZONES)
MOMENT = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
NEAR = st.tuples(st.sampled_from(CHANGES), st.integers(-4 * 3600, 3 * 3600)).map(
    lambda c: (c[0][0], datetime.fromisoformat(c[0][1]).replace(tzinfo=UTC) + timedelta(seconds=c[1]))
)
PLACE = st.one_of(st.tuples(ZONE, MOMENT), NEAR, NEAR)
"""A zone and an instant, mostly near a change of its clocks."""
MINUTE = st.one_of(st.integers(0, 59).map(str), st.sampled_from(["*", "*/5", "*/15", "0,30", "10-20", "59"]))
HOUR = st.one_of(st.integers(0, 23).map(str), st.sampled_from(["*", "*/2", "1-3", "0,23", "2"]))
DAY = st.sampled_from(["*", "*", "*", "1", "15", "29", "31", "l"])
MONTH = st.sampled_from(["*", "*", "*", "3", "10", "2", "3,4,10,11"])
WEEKDAY = st.sampled_from(["*", "*", "*", "sun", "1-5", "6#2"])
DATES = st.one_of(
    st.tuples(DAY, MONTH, st.just("*")).filter(lambda d: d[:2] != ("31", "2")), st.tuples(st.just("*"), MONTH, WEEKDAY)
)
CRON = st.tuples(MINUTE, HOUR, DATES).map(lambda parts: " ".join((parts[0], parts[1], *parts[2])))


def local(zone: str, *moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[misc,arg-type]


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


def windows(cron: str, zone: str, after: datetime, n: int) -> list[datetime]:
    return list(islice(read_timetable(cron, zone).after(after), n))


class TestClocksThatGoForward:
    """A local time that does not exist is due at the first instant after the gap."""

    def test_a_nightly_window_in_the_gap_comes_when_the_gap_ends(self) -> None:
        found = windows("30 2 * * *", BERLIN, utc(2026, 3, 27, 12), 3)
        assert found == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 0), utc(2026, 3, 30, 0, 30)]

    def test_windows_of_one_gap_are_one(self) -> None:
        found = windows("*/10 2 29 3 *", BERLIN, utc(2026, 1, 1), 1)
        assert found == [utc(2026, 3, 29, 1, 0)]
        assert windows("*/10 2 * 3 *", BERLIN, utc(2026, 3, 29), 2)[1] == utc(2026, 3, 30, 0, 0)

    def test_an_hourly_window_loses_no_hour(self) -> None:
        found = windows("0 * * * *", NEW_YORK, local(NEW_YORK, 2026, 3, 8, 0, 30), 4)
        assert [b - a for a, b in pairwise(found)] == [timedelta(hours=1)] * 3
        assert found[1] == utc(2026, 3, 8, 7)

    def test_half_an_hour_is_a_gap_too(self) -> None:
        found = windows("15 2 * * *", LORD_HOWE, utc(2026, 10, 2, 20), 2)
        assert found == [utc(2026, 10, 3, 15, 30), utc(2026, 10, 4, 15, 15)]

    def test_a_day_that_never_was_is_due_as_the_next_one_begins(self) -> None:
        found = windows("0 12 * * *", "Pacific/Apia", utc(2011, 12, 29, 12), 3)
        assert found == [utc(2011, 12, 29, 22), utc(2011, 12, 30, 10), utc(2011, 12, 30, 22)]


class TestClocksThatGoBack:
    """A local time that exists twice is due the first time."""

    def test_a_nightly_window_comes_once(self) -> None:
        found = windows("30 2 * * *", BERLIN, utc(2026, 10, 24, 12), 2)
        assert found == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]

    def test_an_hourly_window_does_not_come_in_the_repeated_hour(self) -> None:
        found = windows("0 * * * *", NEW_YORK, local(NEW_YORK, 2026, 11, 1, 0, 30), 3)
        assert found == [utc(2026, 11, 1, 5), utc(2026, 11, 1, 7), utc(2026, 11, 1, 8)]

    def test_looking_from_within_the_repeated_hour_finds_the_next_one(self) -> None:
        timetable = read_timetable("*/15 1 * * *", NEW_YORK)
        within = local(NEW_YORK, 2026, 11, 1, 1, 5, fold=1)
        assert timetable.next(within) == utc(2026, 11, 2, 6)
        assert timetable.latest(within) == utc(2026, 11, 1, 5, 45)

    def test_half_an_hour_repeated(self) -> None:
        found = windows("*/30 1-2 * * *", LORD_HOWE, local(LORD_HOWE, 2026, 4, 5, 0, 30), 4)
        assert found == [utc(2026, 4, 4, 14), utc(2026, 4, 4, 14, 30), utc(2026, 4, 4, 15, 30), utc(2026, 4, 4, 16)]


@given(CRON, PLACE)
@settings(max_examples=80, deadline=None)
@example("*/15 2 * * *", (BERLIN, utc(2026, 10, 24, 23, 59)))
@example("* 1-2 * * *", (LORD_HOWE, utc(2026, 4, 4, 14, 59)))
def test_windows_come_in_order_each_once_and_in_whole_minutes(cron: str, place: tuple[str, datetime]) -> None:
    zone, start = place
    found = windows(cron, zone, start, 60)
    assert found == sorted(set(found))
    assert all(w > start and w.tzinfo == UTC for w in found)
    assert len({window_id(w) for w in found}) == len(found)
    assert [due_at(window_id(w)) for w in found] == found


@given(CRON, PLACE, st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_every_local_time_that_is_named_has_its_window(cron: str, place: tuple[str, datetime], hours: int) -> None:
    """Minute by minute through the wall clock's times, with croniter asked of each one apart."""
    from croniter import croniter

    zone, start = place
    first = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0)
    named = [t for i in range(hours * 60) if croniter.match(cron, t := first + timedelta(minutes=i))]
    if not named:
        return
    due = {instant_of(t, ZoneInfo(zone)) for t in named}
    found = set(read_timetable(cron, zone).between(min(due) - timedelta(seconds=1), max(due)))
    assert found == due


@given(CRON, PLACE, st.lists(st.integers(0, 200_000), max_size=8))
@settings(max_examples=80, deadline=None)
def test_looking_in_parts_finds_what_one_look_finds(cron: str, place: tuple[str, datetime], steps: list[int]) -> None:
    zone, start = place
    timetable = read_timetable(cron, zone)
    looks = [start, *(start + timedelta(seconds=s) for s in sorted(steps))]
    parts = [w for a, b in pairwise(looks) for w in timetable.between(a, b)]
    assert parts == list(timetable.between(looks[0], looks[-1]))
    assert max(Counter(parts).values(), default=0) <= 1


@given(CRON, PLACE)
@settings(max_examples=120, deadline=None)
@example("* * * * *", (NEW_YORK, utc(2026, 11, 1, 6, 30)))
def test_the_latest_window_is_the_one_before_the_next(cron: str, place: tuple[str, datetime]) -> None:
    zone, now = place
    timetable = read_timetable(cron, zone)
    latest, following = timetable.latest(now), timetable.next(now)
    assert latest is not None
    assert latest <= now
    assert timetable.next(latest) == following
    assert timetable.latest(latest) == latest


@given(PLACE)
@settings(max_examples=200, deadline=None)
def test_a_local_time_that_exists_is_due_when_clocks_first_show_it(place: tuple[str, datetime]) -> None:
    zone, moment = ZoneInfo(place[0]), place[1]
    wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    due = instant_of(wall, zone)
    assert due.astimezone(zone).replace(tzinfo=None, fold=0) == wall
    assert due <= moment


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("* * * *", "4 fields"), ("0 0 * * * *", "6 fields"), ("61 * * * *", "out of range"), ("H * * * *", "minute"),
        ("r(0-5) * * * *", "minute"), ("0 R * * *", "hour"), ("0 0 30 2 *", "never"), ("@reboot", "@daily"),
        ("*/0 * * * *", "step"), ("0 0 31 2 *", "never"), ("0 0 1 * 6#2", "nth"),
        ("-1 * * * *", "negative"), ("", "0 fields"), ("0 0 * * funday", "acceptable"),
        ("0 0 *;1 * *", "day"),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_used_is_refused_with_the_remedy(cron: str, told: str) -> None:
    with pytest.raises(InputError, match="write five fields") as error:
        read_timetable(cron, "UTC")
    assert told in str(error.value)


@pytest.mark.parametrize("cron", ["@daily", "@hourly", "0 9 * * MON-FRI", "0 0 l * *", "0 0 * * 1#1", "*/7 3 1,15 * *"])
def test_what_people_write_is_understood(cron: str) -> None:
    assert read_timetable(cron, BERLIN).next(utc(2026, 1, 1)) is not None


@pytest.mark.parametrize(
    ("zone", "meant"),
    [("europe/berlin", BERLIN), ("America/New York", NEW_YORK), ("../../etc/passwd", ""), ("Mars/Olympus", "")],
)
def test_a_zone_that_is_not_known_is_refused_with_the_one_that_was_meant(zone: str, meant: str) -> None:
    with pytest.raises(InputError, match="IANA") as error:
        read_timetable("@daily", zone)
    assert meant in str(error.value)
