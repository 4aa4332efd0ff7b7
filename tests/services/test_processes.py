"""Processes are told apart by start time as well as id, and ended with all that they started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from services.processes import Mark, end

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-S",
    "-c",
    "import signal, subprocess, sys, time; signal.signal(15, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)",
]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_mark_is_read_back_as_it_was_written() -> None:
    assert Mark.parse(str(Mark.here())) == Mark.here()
    odd = Mark("host:with:colons", 12, 1.25)
    assert Mark.parse(str(odd)) == odd


@pytest.mark.parametrize("text", ["", "something", "a:b:c", "host:1", "rq:worker"])
def test_anything_else_is_no_mark(text: str) -> None:
    assert Mark.parse(text) is None


def test_a_running_process_is_not_dead(sleeper: subprocess.Popen[bytes]) -> None:
    assert not Mark.of(sleeper.pid).dead
    assert not Mark.here().dead


def test_a_killed_process_is_dead_even_before_it_is_waited_for(sleeper: subprocess.Popen[bytes]) -> None:
    mark = Mark.of(sleeper.pid)
    sleeper.kill()
    until = time.monotonic() + 5
    while not mark.dead and time.monotonic() < until:
        time.sleep(0.01)
    assert mark.dead
    assert sleeper.returncode is None


def test_the_same_id_with_another_start_is_another_process() -> None:
    here = Mark.here()
    assert Mark(here.host, here.pid, here.started - 100).dead


def test_a_process_of_another_host_is_never_surely_dead() -> None:
    assert not Mark("elsewhere", 999_999, 0.0).dead


def test_ending_waits_for_the_process_to_go(sleeper: subprocess.Popen[bytes]) -> None:
    end([Mark.of(sleeper.pid)], 5.0)
    assert sleeper.poll() == -15


def test_ending_kills_what_will_not_go_together_with_its_children() -> None:
    process = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    end([Mark.of(process.pid)], 0.1)
    assert process.wait() == -9
    process.stdout.close()
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_ending_spares_a_stranger_that_has_the_id_now(sleeper: subprocess.Popen[bytes]) -> None:
    mark = Mark.of(sleeper.pid)
    end([Mark(mark.host, mark.pid, mark.started - 100), Mark("elsewhere", mark.pid, mark.started)], 0.1)
    assert sleeper.poll() is None


def test_ending_nothing_is_quick() -> None:
    start = time.monotonic()
    end([Mark("elsewhere", os.getpid(), 0.0)], 5.0)
    assert time.monotonic() - start < 1
