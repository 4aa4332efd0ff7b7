"""A process is asked to end by signals: several at once are one request, and a later one hurries."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from roles.launcher import ROOT

from services.roles import ending as module
from services.roles.ending import INTERRUPT, Ending
from services.stopping import Stopped

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, INTERRUPT)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ending]:
    monkeypatch.setattr(module, "SAME_SECONDS", 0.2)
    # Whoever runs these tests may do so under `nohup`, which is respected.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    made = Ending(30.0)
    made.install()
    yield made
    made.close()


@pytest.mark.parametrize("number", NUMBERS[:3])
def test_each_signal_asks_and_none_ends_the_process_by_itself(ending: Ending, number: signal.Signals) -> None:
    assert not ending.asked
    signal.raise_signal(number)
    assert ending.asked


def test_several_signals_at_once_are_one_request(ending: Ending) -> None:
    ending.working(True)
    for number in NUMBERS[:3]:
        signal.raise_signal(number)
    assert not ending.hurried


def test_a_later_signal_stops_the_job_at_hand(ending: Ending) -> None:
    ending.working(True)
    signal.raise_signal(signal.SIGTERM)
    time.sleep(0.25)
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)
    assert ending.hurried


def test_a_later_signal_is_noted_where_there_is_no_job(ending: Ending) -> None:
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.25)
    signal.raise_signal(signal.SIGINT)
    assert ending.hurried


def test_a_job_that_begins_after_the_request_has_its_grace_and_no_more() -> None:
    ending = Ending(0.1)
    ending.install()
    signal.raise_signal(signal.SIGTERM)
    ending.working(True)
    with pytest.raises(Stopped):
        time.sleep(5)


def test_who_waits_for_a_job_is_stopped_at_once_also_if_asked_before(ending: Ending) -> None:
    ending.resting(True)
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped):
        ending.resting(True)


def test_under_nohup_the_end_of_a_terminal_is_no_request() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ending = Ending(1.0)
    ending.install()
    signal.raise_signal(signal.SIGHUP)
    assert not ending.asked


def test_leaving_says_what_was_said_and_takes_nothing_apart() -> None:
    program = "import atexit; atexit.register(print, 'late'); print('said'); from services.roles.ending import leave; "
    left = subprocess.run([sys.executable, "-c", f"{program} leave()"], cwd=ROOT, capture_output=True, text=True)
    assert (left.returncode, left.stdout, left.stderr) == (0, "said\n", "")
