"""Progress is told in pairs and judgments, with the pace and the time left once there is a pace."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from services.labelling import watch
from services.labelling.progress import LabelProgress
from services.labelling.watch import LiveWatcher, LogWatcher, Pace, SilentWatcher, clock, watcher


def progress(done: int, pairs: int = 1000, asked: int = 0) -> LabelProgress:
    return LabelProgress(
        status="running", fault="", pairs=pairs, done=done, asked=asked, reused=20, saved=30, seconds=0.0
    )


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test turns by hand."""
    now = [100.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    return now


def test_the_pace_is_of_this_command_alone(time: list[float]) -> None:
    pace = Pace()
    assert pace.told(progress(400, asked=1234)) == "1,234 judgments asked, 20 reused, 30 saved"
    time[0] += 10
    assert pace.told(progress(400)).endswith("30 saved"), "no pace is known before a pair is done"
    assert pace.told(progress(500)).endswith("; 10.0 pairs/s, 00:50 left")


@pytest.mark.parametrize(("seconds", "told"), [(0, "00:00"), (59.6, "01:00"), (3599, "59:59"), (7325, "2:02:05")])
def test_a_clock_shows_hours_only_where_there_are_any(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def test_a_log_gets_a_line_now_and_then_and_one_at_the_end(time: list[float]) -> None:
    said = StringIO()
    with watcher(Console(file=said, width=40)) as made:
        assert isinstance(made, LogWatcher)
        for done in (0, 10, 20):
            made.update(progress(done))
        time[0] += 11
        made.update(progress(30))
        made.update(progress(30))
        made.update(progress(1000))
        made.update(progress(1000))
    lines = said.getvalue().splitlines()
    assert [line.split(" pairs")[0] for line in lines] == ["0 of 1,000", "30 of 1,000", "1,000 of 1,000"]


def test_a_terminal_gets_a_bar_that_moves(time: list[float]) -> None:
    said = StringIO()
    with watcher(Console(file=said, width=150, force_terminal=True, legacy_windows=False)) as made:
        assert isinstance(made, LiveWatcher)
        made.update(progress(10))
        time[0] += 5
        made.update(progress(510, asked=77))
    assert "510/1000" in said.getvalue()
    assert "77 judgments asked, 20 reused, 30 saved; 100.0 pairs/s, 00:05 left" in said.getvalue()


def test_whoever_wants_quiet_gets_it() -> None:
    said = StringIO()
    with watcher(Console(file=said), quiet=True) as made:
        assert type(made) is SilentWatcher
        made.update(progress(10))
    assert said.getvalue() == ""
