from __future__ import annotations

import io

import pytest
from report_cases import sealed_result
from rich.console import Console

from agents.chronicle import RoundRecord
from services.live import LiveWatcher, LogWatcher, SilentWatcher, watcher
from services.progress import RunProgress, ThreadProgress
from services.round_table import BEST, OTHERS, chosen, headline, round_lines


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None, legacy_windows=False)


def written(made: Console) -> str:
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


def thread(name: str, round_: int, answered: int, stage: str = "race") -> ThreadProgress:
    return ThreadProgress(
        name=name, status="running", fault="", round=round_, stage=stage, wanted=100, answered=answered
    )


def progress(*threads: ThreadProgress, latest: RoundRecord | None = None) -> RunProgress:
    return RunProgress(run="r", threads=threads, latest=latest)


def record(number: int = 1) -> RoundRecord:
    return sealed_result().rounds[number - 1]


def test_a_log_gets_a_line_an_event_and_not_one_a_look():
    made = console(terminal=False)
    with LogWatcher(made) as watch:
        for answered in range(0, 100, 5):
            watch.update(progress(thread("main", 1, answered), thread("fold-1", 1, answered)))
        watch.update(progress(thread("main", 1, 100, "sealed"), thread("fold-1", 2, 100)))
    assert written(made).splitlines() == [
        "main: round 1, comparing criteria",
        "fold-1: round 1, comparing criteria",
        "main: judging held-out pairs",
        "fold-1: round 2, comparing criteria",
    ]


def test_a_thread_that_waits_is_not_told_of_in_a_log():
    made = console(terminal=False)
    with LogWatcher(made) as watch:
        watch.update(progress(thread("main", 0, 0)))
    assert written(made) == ""


@pytest.mark.parametrize("kind", [LogWatcher, LiveWatcher])
def test_each_round_is_told_once_and_the_last_one_even_if_no_look_met_it(kind):
    made = console(terminal=kind is LiveWatcher)
    with kind(made) as watch:
        for _ in range(3):
            watch.update(progress(thread("main", 2, 50), latest=record(1)))
        watch.finish(sealed_result().rounds)
    for number in (1, 2, 3):
        assert written(made).count(f"Round {number}: ") == 1


def test_a_live_display_shows_judgments_by_thread():
    made = console(terminal=True)
    with LiveWatcher(made) as watch:
        watch.update(progress(thread("main", 1, 40), thread("fold-1", 2, 70)))
    shown = written(made)
    assert "110 of 200 judgments" in shown
    assert "40/100" in shown
    assert "fold-1" in shown


def test_the_display_suits_where_the_output_goes():
    assert isinstance(watcher(console(terminal=False)), LogWatcher)
    assert isinstance(watcher(console(terminal=True)), LiveWatcher)
    assert type(watcher(console(terminal=True), quiet=True)) is SilentWatcher


def test_quiet_shows_nothing():
    made = console(terminal=True)
    with watcher(made, quiet=True) as watch:
        watch.update(progress(thread("main", 1, 40), latest=record()))
        watch.finish(sealed_result().rounds)
    assert written(made) == ""


def test_a_round_tells_each_shown_criterion_with_figures_fate_and_why():
    lines = list(round_lines(record()))
    assert lines[0] == headline(record())
    for line, entry in zip(lines[1:], chosen(record()), strict=False):
        a = entry.assessment
        assert f"{entry.fate:<8}{entry.name}: right on {a.right} of {a.decided}" in line
        assert f"coverage {a.coverage:.0%}, flips {a.flip_rate:.0%}; {entry.why}" in line


def test_a_long_round_shows_the_best_and_what_failed_and_counts_the_rest():
    entry = record().entries[0]
    kept = entry.model_copy(update={"fate": "keep"})
    failed = [entry.model_copy(update={"fate": "replace", "name": f"Failed {i}"}) for i in range(9)]
    long = record().model_copy(update={"entries": (*[kept] * 30, *failed)})
    assert [e.fate for e in chosen(long)] == ["keep"] * BEST + ["replace"] * OTHERS
    assert list(round_lines(long))[-1] == f"  and {39 - BEST - OTHERS} more, all of them in the report"


def test_a_hostile_name_cannot_draw_on_the_terminal():
    entry = record().entries[0].model_copy(update={"name": "\x1b[2J[red]evil[/red]", "why": "\x07"})
    hostile = record().model_copy(update={"entries": (entry,)})
    for made in (console(terminal=False), console(terminal=True)):
        with watcher(made) as watch:
            watch.update(progress(thread("main", 1, 1), latest=hostile))
        assert "\x1b[2J" not in written(made)
        assert "\x07" not in written(made)
        assert "[U+001B]" in written(made)
