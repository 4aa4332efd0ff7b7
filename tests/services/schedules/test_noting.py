"""Windows noted: each once, none lost, whatever the clock does and however many look."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from services.database import Database
from services.schedules.beginning import begin_due
from services.schedules.noting import MOST_AT_ONCE, PUT_BACK, note_windows
from services.schedules.register import ScheduleSpec, create_schedule, load_schedule
from services.schedules.tables import RefreshRow, ScheduleRow, WindowRow
from services.schedules.windows import due_at, window_id

START = datetime(2026, 10, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clockwork:
    """A schedule whose refreshes end the moment they begin, looked at whenever a test likes."""

    def __init__(self, database: Database, cron: str = "0 * * * *", zone: str = "UTC", start: datetime = START) -> None:
        self.database = database
        asked = ScheduleSpec(name="s", dataset="d", criteria_set="c", cron=cron, zone=zone)
        self.id = create_schedule(self.database, asked, "ada", start).id
        self.begun: list[str] = []

    def look(self, now: datetime, *, work: bool = True) -> list[str]:
        schedule = load_schedule(self.database, self.id)
        noted = note_windows(self.database, schedule, now)
        if begun := begin_due(self.database, schedule, now):
            self.begun.append(begun.removeprefix(f"{self.id}-"))
        if work:
            self.end()
        return noted

    def end(self) -> None:
        with self.database.write() as connection:
            connection.execute(update(RefreshRow).values(status="finished", occupies=None))
            running = update(WindowRow).where(WindowRow.status == "running")
            connection.execute(running.values(status="finished"))

    def standing(self) -> dict[str, str]:
        query = select(WindowRow.window, WindowRow.status).order_by(WindowRow.window)
        with self.database.read() as connection:
            return {w: status for w, status in connection.execute(query)}  # noqa: C416 - a Row is no tuple

    def why(self, window: str) -> str:
        with self.database.read() as connection:
            return connection.execute(select(WindowRow.why).where(WindowRow.window == window)).scalar_one()


def test_each_window_is_begun_as_it_comes(database: Database) -> None:
    clock = Clockwork(database)
    for minutes in range(0, 181, 20):
        clock.look(START + timedelta(minutes=minutes))
    assert clock.begun == ["20261024T1300Z", "20261024T1400Z", "20261024T1500Z"]
    assert set(clock.standing().values()) == {"finished"}


def test_nothing_is_due_before_the_first_window_and_looking_again_changes_nothing(database: Database) -> None:
    clock = Clockwork(database)
    assert clock.look(START) == clock.look(START + timedelta(minutes=59)) == []
    assert clock.look(START + HOUR) == ["20261024T1300Z"]
    assert clock.look(START + HOUR) == clock.look(START + HOUR) == []
    assert clock.begun == ["20261024T1300Z"]


def test_of_missed_windows_the_latest_is_run_and_the_others_say_so(database: Database) -> None:
    clock = Clockwork(database)
    clock.look(START + timedelta(hours=3, minutes=10))
    assert clock.standing() == {
        "20261024T1300Z": "missed", "20261024T1400Z": "missed", "20261024T1500Z": "finished",
    }  # fmt: skip
    assert "window 20261024T1500Z stands for it" in clock.why("20261024T1300Z")


def test_after_a_long_sleep_every_window_is_noted_over_several_looks(database: Database) -> None:
    clock = Clockwork(database, "*/5 * * * *")
    now = START + timedelta(days=4)
    clock.look(now)
    assert clock.begun == [window_id(now)]
    assert len(clock.standing()) == MOST_AT_ONCE + 1
    for _ in range(4):
        clock.look(now)
    standing = clock.standing()
    assert len(standing) == 4 * 24 * 12
    assert clock.begun == [window_id(now)]
    assert sum(status == "missed" for status in standing.values()) == len(standing) - 1


def test_a_window_that_comes_amid_a_refresh_waits_and_the_latest_stands_for_all(database: Database) -> None:
    clock = Clockwork(database)
    for hours in (1, 2, 3):
        clock.look(START + hours * HOUR, work=False)
    assert clock.standing() == {
        "20261024T1300Z": "running", "20261024T1400Z": "missed", "20261024T1500Z": "due",
    }  # fmt: skip
    assert "waited for a refresh that was under way" in clock.why("20261024T1400Z")
    clock.end()
    clock.look(START + 3 * HOUR)
    assert clock.begun == ["20261024T1300Z", "20261024T1500Z"]


def test_a_clock_that_is_put_back_runs_nothing_again(database: Database) -> None:
    clock = Clockwork(database)
    for hours in (1, 2, 3):
        clock.look(START + hours * HOUR)
    for minutes in range(0, 240, 10):
        clock.look(START + timedelta(minutes=minutes))
    assert clock.begun == ["20261024T1300Z", "20261024T1400Z", "20261024T1500Z"]


def test_a_clock_that_ran_ahead_and_was_put_right_loses_no_window(database: Database) -> None:
    clock = Clockwork(database)
    clock.look(START + timedelta(hours=10))
    assert clock.begun == ["20261024T2200Z"]
    for minutes in range(0, 12 * 60, 15):
        clock.look(START + timedelta(minutes=minutes))
    hours = [f"20261024T{13 + h}00Z" for h in range(9)]
    assert clock.begun == ["20261024T2200Z", *hours, "20261024T2300Z"]
    assert set(clock.standing().values()) == {"finished"}


def test_clocks_of_two_hosts_that_differ_a_little_do_not_count_as_put_back(database: Database) -> None:
    clock = Clockwork(database)
    clock.look(START + HOUR)
    before = load_schedule(clock.database, clock.id).cursor
    clock.look(START + HOUR - timedelta(seconds=PUT_BACK / 2))
    assert load_schedule(clock.database, clock.id).cursor == before


@pytest.mark.parametrize(
    ("zone", "night", "windows"),
    [
        ("Europe/Berlin", datetime(2026, 10, 24, 21, tzinfo=UTC), ["20261025T0030Z"]),
        ("Europe/Berlin", datetime(2026, 3, 28, 21, tzinfo=UTC), ["20260329T0100Z"]),
        ("America/New_York", datetime(2026, 11, 1, 2, tzinfo=UTC), ["20261101T0730Z"]),
        ("America/New_York", datetime(2026, 3, 8, 2, tzinfo=UTC), ["20260308T0700Z"]),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC), ["20260404T1600Z"]),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 12, tzinfo=UTC), ["20261003T1530Z"]),
    ],
)
def test_the_night_of_a_change_has_one_window(
    database: Database, zone: str, night: datetime, windows: list[str]
) -> None:
    clock = Clockwork(database, "30 2 * * *", zone, night)
    for minutes in range(0, 10 * 60, 5):
        clock.look(night + timedelta(minutes=minutes))
    assert clock.begun == windows


def test_a_scheduler_that_read_the_schedule_too_early_notes_nothing(database: Database) -> None:
    clock = Clockwork(database)
    stale = load_schedule(clock.database, clock.id)
    clock.look(START + 2 * HOUR)
    assert note_windows(clock.database, stale, START + HOUR) == []
    assert clock.standing()["20261024T1300Z"] == "missed"


def test_a_schedule_that_is_switched_off_meanwhile_notes_nothing(database: Database) -> None:
    clock = Clockwork(database)
    stale = load_schedule(clock.database, clock.id)
    with clock.database.write() as connection:
        connection.execute(update(ScheduleRow).values(enabled=False))
    assert note_windows(clock.database, stale, START + HOUR) == []


@given(
    st.lists(st.integers(-12 * 60, 30 * 60), min_size=1, max_size=14),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from(["0 * * * *", "*/20 1-3 * * *", "30 2 * * *"]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=20, deadline=None)
def test_whatever_the_clock_does_no_window_is_run_twice_or_lost(
    jumps: list[int], zone: str, cron: str, rng: random.Random
) -> None:
    """Jumps of the clock in minutes, either way; now and then a refresh takes its time."""
    with TemporaryDirectory() as folder:
        clock = Clockwork(Database(f"sqlite:///{folder}/x.sqlite").create(), cron, zone)
        now = latest = START
        for jump in jumps:
            now = max(START, now + timedelta(minutes=jump))
            latest = max(latest, now)
            clock.look(now, work=rng.random() < 0.7)
        timetable = load_schedule(clock.database, clock.id).timetable
        due = {window_id(w) for w in timetable.between(START, latest)}
        assert set(clock.standing()) == due
        assert len(set(clock.begun)) == len(clock.begun)
        # What was called missed only because the clock was ahead of it still comes.
        clock.end()
        for instant in sorted(map(due_at, due)):
            if instant > now:
                clock.look(instant)
        assert all(status == "finished" for w, status in clock.standing().items() if due_at(w) > now)
        assert len(set(clock.begun)) == len(clock.begun)
        clock.database.close()
