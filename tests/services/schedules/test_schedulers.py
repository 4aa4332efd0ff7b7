"""Several schedulers at once, as real processes, and processes killed amid a refresh: nothing twice, nothing lost."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from refresh_bench import START, World, world
from sqlalchemy import select
from workbench import another, work_off

import services.schedules.refreshes as refreshes
from services.deployment import Deployment
from services.schedules import mining
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import Refresh, list_refreshes, list_windows, load_refresh
from services.schedules.tick import tick
from services.sweeper import Sweeper
from services.tables import OutcomeRow

HOURS = 4
PATIENT = {"max_attempts": 50}
"""So many attempts that nothing is taken to be at fault for what a test does to its process."""


def in_child(work: Callable[[], None]) -> int:
    """Do it in a process of its own; returns the child's id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def end_of(child: int) -> int:
    """How a child ended: its exit status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def look_and_work(deployment: Deployment, minutes: int, step: int, ahead: int) -> None:
    """A scheduler and worker whose clock runs `ahead` minutes ahead of the others'."""
    own = another(deployment)
    for minute in range(0, minutes, step):
        tick(own, START + timedelta(minutes=max(0, minute + ahead)))
        work_off(own)


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("configured")
def test_schedulers_at_once_begin_each_window_once(place: Path) -> None:
    with world(place, PATIENT) as letters:
        letters.vote()
        clocks = ((4, 0), (5, 0), (3, 2), (7, -3))
        children = [
            in_child(partial(look_and_work, letters.deployment, 60 * HOURS + 10, step, ahead)) for step, ahead in clocks
        ]
        assert [end_of(child) for child in children] == [0, 0, 0, 0]
        letters.pass_time(minutes=60 * HOURS + 10)
        Sweeper(letters.deployment).sweep()
        letters.run_out()
        windows = list_windows(letters.database, letters.schedule.id)
        assert len(windows) == HOURS
        ended = {w.window: w.status for w in windows}
        assert set(ended.values()) <= {"finished", "skipped", "missed"}
        assert list(ended.values()).count("finished") == 1
        begun = [r.window for r in list_refreshes(letters.database)]
        assert sorted(begun) == sorted({w for w, status in ended.items() if status != "missed"})
        assert letters.events().count("run.finished") == 1


def substance(letters: World, refresh: str) -> Any:
    """What a refresh came to, without times and ids that differ from world to world."""
    found = load_refresh(letters.database, refresh)
    with letters.database.read() as connection:
        mined = connection.execute(select(OutcomeRow.body).where(OutcomeRow.thread == f"{found.mining}-main"))
        outcome = mined.scalar_one()
    steps = [(s.step, s.told) for s in found.steps]
    return found.status, found.old, found.new, found.comparison, found.drift, steps, outcome, letters.events()


def kill_here() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work_until_killed(letters: World, moment: str, step: str) -> None:
    """Work on everything, and die the moment the refresh does this step: before it is written down, or just after."""
    real_move, real_load = refreshes.move_on, refreshes.load_refresh

    def move_on(connection: Any, refresh: Refresh, *more: Any, **columns: Any) -> bool:
        if moment == "before" and refresh.step == step:
            kill_here()
        moved = real_move(connection, refresh, *more, **columns)
        if moment == "amid" and refresh.step == step:
            kill_here()
        return moved

    def load_refresh(*given: Any) -> Refresh:
        found = real_load(*given)
        if moment == "after" and any(s.step == step for s in found.steps):
            kill_here()
        return found

    def create_run(*given: Any) -> str:
        run = real_create(*given)
        if (moment, step) == ("within", "mine"):
            kill_here()
        return run

    real_create = mining.create_run
    mining.create_run = create_run  # type: ignore[assignment]
    for module in USERS:
        for name, instead in (("move_on", move_on), ("load_refresh", load_refresh)):
            if hasattr(sys.modules[module], name):
                setattr(sys.modules[module], name, instead)
    own = another(letters.deployment)
    for _ in range(20):
        tick(own, letters.now)
        Sweeper(own).sweep()
        work_off(own)


USERS = [
    f"services.schedules.{m}"
    for m in ("announcing", "examining", "gathering", "mining", "proposing", "tick", "working")
]
STEPS = ("gather", "judge", "examine", "mine", "propose")
MOMENTS = [(m, s) for s in STEPS for m in ("within", "before", "amid", "after") if m != "within" or s == "mine"]


@pytest.mark.timeout(180)
def test_a_refresh_whose_process_is_killed_at_every_step_ends_as_the_undisturbed_one(place: Path) -> None:
    with world(place, PATIENT) as calm:
        calm.vote()
        expected = substance(calm, calm.refresh(key="k").id)
    with world(place / "again", {**PATIENT, "home": place / "again" / "home"}) as letters:
        letters.vote()
        begun = refresh_now(letters.database, letters.schedule.id, "ada", letters.now, key="k")
        for moment, step in MOMENTS[:-1]:
            child = in_child(partial(work_until_killed, letters, moment, step))
            assert end_of(child) == -signal.SIGKILL, (moment, step)
        Sweeper(letters.deployment).sweep()
        letters.run_out()
        assert substance(letters, begun.id) == expected
