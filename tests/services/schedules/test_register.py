"""Schedules kept, changed and previewed; what cannot be used is refused with the remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from knowledge_base.errors import Conflict, InputError, NotThere
from services.budget import Budget
from services.database import Database
from services.schedules.register import (
    ScheduleSpec,
    change_schedule,
    create_schedule,
    list_schedules,
    load_schedule,
    preview,
)
from services.schedules.terms import Bar, Terms

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)


def spec(name: str = "nightly", **more: object) -> ScheduleSpec:
    given: dict[str, object] = {
        "name": name,
        "dataset": "d0",
        "criteria_set": "letters",
        "cron": "30 2 * * *",
        "zone": "Europe/Berlin",
    }
    return ScheduleSpec.model_validate(given | more)


def test_a_schedule_comes_back_as_it_was_asked_for(database: Database) -> None:
    terms = Terms(minimum=7, anchors=3, budget=Budget(calls=9), bar=Bar(pairs=50, margin=0.02), remine="drift")
    made = create_schedule(database, spec(terms=terms), "ada", NOW)
    assert load_schedule(database, made.id) == made
    assert (made.terms, made.created_by) == (terms, "ada")
    assert made.created_at == made.cursor == NOW.timestamp()
    assert list_schedules(database) == [made]


def test_a_name_is_given_once(database: Database) -> None:
    create_schedule(database, spec(), "ada", NOW)
    with pytest.raises(Conflict, match="'nightly' is there already"):
        create_schedule(database, spec(cron="@daily"), "bob", NOW)
    other = create_schedule(database, spec("weekly"), "ada", NOW)
    with pytest.raises(Conflict, match="choose another name"):
        change_schedule(database, other.id, spec(), NOW)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"cron": "30 2 * *"}, "4 fields"), ({"zone": "Berlin"}, "Europe/"), ({"cron": "0 0 31 4 *"}, "never comes")],
)
def test_what_never_could_be_due_is_refused(database: Database, wrong: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        create_schedule(database, spec(**wrong), "ada", NOW)
    assert list_schedules(database) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " padded"}, {"name": ""}, {"terms": {"minimum": 0}}, {"terms": {"anchors": 2001}},
        {"terms": {"sealed_share": 1.0}}, {"terms": {"bar": {"pairs": 10}}}, {"terms": {"bar": {"margin": 0.3}}},
        {"terms": {"bar": {"margin": float("nan")}}}, {"terms": {"remine": "never"}}, {"colour": "red"},
        {"terms": {"budget": {"calls": 0}}}, {"cron": "0 " * 100},
    ],
)  # fmt: skip
def test_terms_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        spec(**wrong)


def test_what_is_not_there_is_said(database: Database) -> None:
    with pytest.raises(NotThere, match="'schedule-x' is not there"):
        load_schedule(database, "schedule-x")


def test_a_preview_follows_the_clocks_of_the_zone() -> None:
    found = preview(spec(), 3, NOW)
    assert [w.isoformat() for w in found] == [
        "2026-03-28T01:30:00+00:00", "2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00",
    ]  # fmt: skip
    with pytest.raises(InputError, match="use 1 to 1000"):
        preview(spec(), 0, NOW)


def test_a_schedule_that_was_off_or_had_other_times_has_missed_nothing(database: Database) -> None:
    made = create_schedule(database, spec(enabled=False), "ada", NOW)
    later = NOW + timedelta(days=30)
    assert change_schedule(database, made.id, spec(enabled=True), later).cursor == later.timestamp()
    latest = later + timedelta(days=1)
    assert change_schedule(database, made.id, spec(cron="@hourly"), latest).cursor == latest.timestamp()


def test_other_changes_leave_the_windows_alone(database: Database) -> None:
    made = create_schedule(database, spec(), "ada", NOW)
    changed = change_schedule(database, made.id, spec(terms=Terms(minimum=99)), NOW + timedelta(days=2))
    assert (changed.cursor, changed.terms.minimum, changed.created_by) == (made.cursor, 99, "ada")


def test_pages_of_schedules_leave_none_out(database: Database) -> None:
    made = {create_schedule(database, spec(f"s{i}"), "ada", NOW).id for i in range(7)}
    found: list[str] = []
    while page := list_schedules(database, found[-1] if found else "", 3):
        found += [s.id for s in page]
    assert found == sorted(made)
