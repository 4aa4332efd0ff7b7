"""A schedule from its window to a proposal with worker processes of their own, as a deployment runs it."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from refresh_bench import START, world

from services.run_driver import working
from services.schedules.refreshes import list_refreshes
from services.schedules.tick import tick
from services.settings import load_settings
from services.sweeper import Sweeper


@pytest.mark.timeout(120)
def test_workers_take_a_window_to_its_proposal(place: Path) -> None:
    with world(place) as letters:
        letters.vote()
    settings = load_settings(home=place / "home")
    with working(settings) as site:
        sweeper, until = Sweeper(site.deployment), time.monotonic() + 90
        while time.monotonic() < until:
            tick(site.deployment, START + timedelta(hours=1))
            sweeper.sweep()
            site.workforce.tend(0)
            found = list_refreshes(site.deployment.database)
            if found and found[0].status != "running":
                break
            time.sleep(0.1)
        assert [(r.status, r.step, r.window) for r in found] == [("finished", "done", "20260302T1000Z")]
