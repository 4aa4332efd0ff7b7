"""Members are kept running, each restart later than the last while they fail, and ended in the opposite order."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from roles.launcher import ROOT, await_that

from services.roles import supervisor as module
from services.roles.ending import Ending
from services.roles.supervisor import Member, Supervisor

BODIES = {
    "steady": "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: (print('{name} ended', flush=True), sys.exit(0)))\n"
    "print('{name} up', flush=True)\ntime.sleep(60)\n",
    "failing": "raise SystemExit(3)\n",
    "done": "raise SystemExit(0)\n",
    "slow": "import signal, sys, time\n"
    "asked = []\n"
    "signal.signal(signal.SIGTERM, lambda *_: asked.append(1) or (len(asked) > 1 and sys.exit(0)))\n"
    "print('slow up', flush=True)\nwhile True: time.sleep(60)\n",
    "deaf": "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf up', flush=True)\ntime.sleep(60)\n",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name, body in {**BODIES, "other": BODIES["steady"]}.items():
        (tmp_path / f"{name}_member.py").write_text(body.replace("{name}", name))
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}


def member(kind: str, name: str = "") -> Member:
    return Member(name or kind, f"{kind}_member")


def tend_until(supervisor: Supervisor, condition: object, seconds: float = 20) -> list[str]:
    said: list[str] = []

    def tended() -> bool:
        said.extend(supervisor.tend())
        return bool(condition())  # type: ignore[operator]

    await_that(tended, seconds=seconds)
    return said


def test_what_is_killed_is_started_again(environment: dict[str, str]) -> None:
    with Supervisor([member("steady")], environment, 1) as supervisor:
        before = supervisor.pids["steady"]
        os.kill(before, signal.SIGKILL)
        said = tend_until(supervisor, lambda: supervisor.pids.get("steady", before) != before)
        assert said == ["steady was killed by signal 9; starting it again in 0.5 s"]
        assert supervisor.restarts == 1


def test_what_ends_well_is_started_again_at_once(environment: dict[str, str]) -> None:
    with Supervisor([member("done")], environment, 1) as supervisor:
        began = time.monotonic()
        said = tend_until(supervisor, lambda: supervisor.restarts >= 3)
        assert time.monotonic() - began < 5
        assert "done ended with exit status 0; starting it again" in said


def test_what_keeps_failing_is_started_later_and_later(environment: dict[str, str]) -> None:
    with Supervisor([member("failing")], environment, 1) as supervisor:
        said = tend_until(supervisor, lambda: supervisor.restarts >= 3)
    pauses = [float(line.rsplit(" in ", 1)[1].removesuffix(" s")) for line in said]
    assert pauses[:3] == [0.5, 1.0, 2.0]
    assert all("exit status 3" in line for line in said)


def test_all_end_in_the_opposite_order_and_nothing_is_left(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    with Supervisor([member("steady"), member("other")], environment, 5) as supervisor:
        pids = supervisor.pids.values()
        await_that(lambda: _read(capfd).count("up") == 2)
    assert _read(capfd).splitlines()[-2:] == ["other ended", "steady ended"]
    assert all(not _runs(pid) for pid in pids)


_seen: dict[int, str] = {}


def _read(capfd: pytest.CaptureFixture[str]) -> str:
    _seen[id(capfd)] = _seen.get(id(capfd), "") + capfd.readouterr().out
    return _seen[id(capfd)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_does_not_end_is_killed(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "MARGIN_SECONDS", 0.2)
    with Supervisor([member("deaf")], environment, 0.2) as supervisor:
        pid = supervisor.pids["deaf"]
        await_that(lambda: "deaf up" in _read(capfd))
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not _runs(pid)


def test_asked_again_while_it_ends_it_asks_its_members_again(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    ending = Ending(0.0)
    ending.asked = ending.hurried = True
    with Supervisor([member("slow")], environment, 60) as supervisor:
        await_that(lambda: "slow up" in _read(capfd))
        supervisor.keep(ending, print)
        [process] = [psutil.Process(pid) for pid in supervisor.pids.values()]
        began = time.monotonic()
    assert 1.0 < time.monotonic() - began < 10, "not at once, or it would pass for the same request"
    assert not process.is_running()


@pytest.mark.parametrize("quiet", [False, True])
def test_what_ends_is_logged_unless_people_are_told(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture, quiet: bool
) -> None:
    caplog.set_level("INFO", module.__name__)
    with Supervisor([member("done")], environment, 1, quiet=quiet) as supervisor:
        assert tend_until(supervisor, lambda: supervisor.restarts)
    assert any("process ended" in message for message in caplog.messages) != quiet


def test_a_member_that_cannot_be_started_leaves_none_of_the_others(environment: dict[str, str]) -> None:
    supervisor = Supervisor([member("steady"), Member("odd", "odd", inherits=(987,))], environment, 1)
    with pytest.raises(OSError, match=r"."):
        supervisor.__enter__()
    assert supervisor.running == []


def test_members_are_kept_until_the_end_is_asked_for(environment: dict[str, str]) -> None:
    ending, said = Ending(0.0), list[str]()
    looks: list[int] = []

    def also() -> None:
        looks.append(1)
        ending.asked = len(looks) > 3

    with Supervisor([member("done")], environment, 1) as supervisor:
        supervisor.keep(ending, said.append, also)
    assert len(looks) == 4
