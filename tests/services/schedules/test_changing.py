"""A schedule that is changed while its refresh goes on: the refresh keeps to what it began with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from letter_parties import letter_dataset
from refresh_bench import START, TERMS, World, vote_on
from workbench import execute, take_job

from knowledge_base.errors import Conflict, NotThere
from services.annotation.dataset import Sampling, create_dataset
from services.criteria_sets.reading import list_sets, load_set
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import list_refreshes, load_refresh
from services.schedules.register import Schedule, ScheduleSpec, change_schedule, create_schedule, load_schedule


def elsewhere(letters: World) -> ScheduleSpec:
    """The schedule for another dataset and another line."""
    other = create_dataset(letters.database, "others", "Which text is better?", secret="s", sampling=Sampling())
    vote_on(letters.database, other.id, letter_dataset(30, seed=50))
    spec = ScheduleSpec(**letters.schedule.model_dump(include=set(ScheduleSpec.model_fields)))
    return spec.model_copy(update={"dataset": other.id, "criteria_set": "another line"})


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("jobs", [0, 1])
def test_a_refresh_under_way_ends_on_the_dataset_and_line_that_it_began_with(letters: World, jobs: int) -> None:
    letters.vote()
    begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
    for _ in range(jobs):
        letters.look()
        job = take_job(letters.deployment)
        assert job is not None
        execute(letters.deployment, job)
    changed = change_schedule(letters.database, letters.schedule.id, elsewhere(letters), letters.now)
    letters.run_out()
    ended = load_refresh(letters.database, begun.id)
    assert (ended.status, ended.source, ended.criteria_set) == ("finished", letters.dataset, "letters")
    new = load_set(letters.database, ended.new, "letters")
    assert (new.dataset, new.parent) == (letters.dataset, letters.approved.version)
    assert list_sets(letters.database, "another line") == ()
    assert changed.criteria_set == "another line"


def test_the_next_refresh_is_of_what_the_schedule_then_says(letters: World) -> None:
    changed = change_schedule(letters.database, letters.schedule.id, elsewhere(letters), letters.now)
    found = letters.refresh()
    assert (found.source, found.criteria_set) == (changed.dataset, "another line")
    assert (found.status, found.fault) == ("skipped", "")


def test_one_that_fails_after_a_change_is_told_of_under_its_own_line(letters: World) -> None:
    letters.vote()
    begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
    letters.look()
    change_schedule(letters.database, letters.schedule.id, elsewhere(letters), letters.now)
    letters.break_thread(begun.thread, "the endpoint is closed")
    letters.look()
    [found] = list_refreshes(letters.database, letters.schedule.id)
    assert (found.status, found.criteria_set) == ("failed", "letters")


def test_whoever_changes_a_schedule_sees_it_as_it_is_and_may_forbid_the_change(letters: World) -> None:
    seen: list[Schedule] = []

    def forbid(before: Schedule) -> None:
        seen.append(before)
        raise Conflict("not like this")

    spec = elsewhere(letters)
    with pytest.raises(Conflict, match="not like this"):
        change_schedule(letters.database, letters.schedule.id, spec, letters.now, forbid)
    assert seen == [letters.schedule] == [load_schedule(letters.database, letters.schedule.id)]
    with pytest.raises(NotThere):
        change_schedule(letters.database, "nowhere", spec, letters.now, forbid)


def test_windows_begin_anew_only_where_the_times_are_changed(letters: World) -> None:
    later, spec = datetime(2026, 3, 2, 12, 30, tzinfo=UTC), elsewhere(letters)
    kept = create_schedule(letters.database, spec.model_copy(update={"name": "a", "terms": TERMS}), "ada", START)
    same = change_schedule(letters.database, kept.id, spec.model_copy(update={"name": "b"}), later)
    assert same.cursor == START.timestamp()
    moved = change_schedule(letters.database, kept.id, spec.model_copy(update={"name": "b", "cron": "@daily"}), later)
    assert moved.cursor == later.timestamp()
