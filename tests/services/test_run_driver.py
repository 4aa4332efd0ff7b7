"""Whole runs with real workers: to the end, through interruptions, and with nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import redis
from conftest import HERE, processes_of
from letter_parties import LetterParties, letter_dataset
from workbench import SEALED, bench, finish, new_run

from knowledge_base.errors import RunError, WorkersLost
from services.database import Database
from services.embedded_registry import Registry
from services.progress import RunProgress, progress_of
from services.result_reading import result_of
from services.run_driver import run_to_end, working
from services.runs import create_run
from services.settings import Settings, load_settings

pytestmark = pytest.mark.slow

COMMAND = """
import sys
from letter_parties import LetterParties, letter_dataset
from workbench import SEALED
from services.database import Database
from services.run_driver import run_to_end
from services.runs import create_run
from services.settings import load_settings

settings = load_settings()
database = Database(settings.database).create()
run = create_run(database, LetterParties(), letter_dataset(30), SEALED)
print(run, flush=True)
result = run_to_end(run, settings, lambda p: print(p.answered, flush=True))
print(result.criteria_set.version, flush=True)
"""


def created(settings: Settings, seed: int = 0) -> str:
    database = Database(settings.database).create()
    run = create_run(database, LetterParties(), letter_dataset(30, seed), SEALED)
    database.close()
    return run


def calm_result(place: Path) -> str:
    """What the same run gives where nothing disturbs it, in one process."""
    with bench(place, home=place / "calm") as deployment:
        run = new_run(deployment.database)
        finish(deployment, run)
        return result_of(deployment.database, run).substance()


def command() -> subprocess.Popen[str]:
    """The run as a command of its own, in a process group of its own."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def read_until(process: subprocess.Popen[str], answered: int) -> str:
    """Follow a command until it has so many answers; returns the run's id."""
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    for line in process.stdout:
        if int(line) >= answered:
            return run
    raise AssertionError("the run ended too early")


def test_a_run_comes_to_its_end_and_tells_how_it_goes(place: Path) -> None:
    settings, seen = load_settings(), list[RunProgress]()
    run = created(settings)
    result = run_to_end(run, settings, seen.append)
    assert result.substance() == calm_result(place)
    answered = [p.answered for p in seen]
    assert answered == sorted(answered)
    assert seen[-1].status == "finished"
    assert seen[-1].latest == result.rounds[-1]
    assert result.usage.seconds > 0
    _finished_at_once(run, settings, result.substance())


def _finished_at_once(run: str, settings: Settings, before: str) -> None:
    start = time.monotonic()
    again = run_to_end(run, settings)
    assert time.monotonic() - start < 1.5
    assert again.substance() == before


def test_an_emptied_redis_in_mid_run_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTER_MS", "1")
    settings, flushed = load_settings(sweep_seconds=0.2, batch_size=20), set[int]()
    run = created(settings)

    def flush(progress: RunProgress) -> None:
        step = progress.answered // 60
        if step not in flushed:
            flushed.add(step)
            server = Registry(settings.home).instances()[0]
            redis.Redis(unix_socket_path=str(server.folder / "redis.sock")).flushall()

    result = run_to_end(run, settings, flush)
    assert len(flushed) >= 3
    assert result.substance() == calm_result(place)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_where_it_stood(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("LETTER_MS", "5")
    process = command()
    run = read_until(process, 60)
    os.killpg(process.pid, number)
    process.communicate(timeout=20)
    assert process.returncode != 0
    _none_left(place)
    settings = load_settings()
    before = progress_of(Database(settings.database), run)
    assert before.status == "running"
    assert before.answered >= 60
    monkeypatch.setenv("LETTER_MS", "0")
    assert created(settings) == run
    assert run_to_end(run, settings).substance() == calm_result(place)


def _none_left(place: Path) -> None:
    until = time.monotonic() + 5
    while processes_of(place) and time.monotonic() < until:
        time.sleep(0.02)
    assert processes_of(place) == []


def test_a_manager_that_never_works_ends_the_run_with_its_own_words(place: Path) -> None:
    (place / "broken_parties.py").write_text(
        "from letter_parties import LetterParties\n"
        "class Broken(LetterParties):\n"
        "    def manager(self):\n"
        "        raise ConnectionError('no manager answers')\n"
        "def parties(settings, database):\n"
        "    return Broken()\n"
    )
    os.environ["PYTHONPATH"] += os.pathsep + str(place)
    settings = load_settings(parties="broken_parties", sweep_seconds=0.1, max_attempts=2, workers=1)
    run = created(settings)
    with pytest.raises(RunError, match="main: ConnectionError: no manager answers"):
        run_to_end(run, settings)
    os.environ["PYTHONPATH"] = str(HERE)
    assert run_to_end(run, load_settings(workers=1)).run == run, "a failed run is tried again when asked for again"


def test_workers_with_another_judge_than_the_runs_end_it_soon_and_say_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the code changes while a run is under way."""
    (place / "changed_parties.py").write_text(
        "from letter_parties import LetterJudge, LetterParties\n"
        "class Changed(LetterParties):\n"
        "    def judge(self):\n"
        "        return LetterJudge('letters/2')\n"
        "def parties(settings, database):\n"
        "    return Changed()\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(place)]))
    monkeypatch.syspath_prepend(place)
    settings = load_settings(parties="changed_parties", sweep_seconds=0.1)
    run = created(settings)
    with pytest.raises(RunError, match="main: WrongJudge: judge 'letters/1' is asked, but this worker has 'letters/2'"):
        run_to_end(run, settings)
    assert progress_of(Database(settings.database), run).answered == 0
    assert run_to_end(run, load_settings()).substance() == calm_result(place), "nothing was spent meanwhile"


def test_two_runs_at_one_site_share_its_workers_and_leave_nothing_behind(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = place / "letters.log"
    monkeypatch.setenv("LETTER_LOG", str(log))
    settings = load_settings()
    first, second = created(settings), created(settings, seed=1)
    with working(settings) as site:
        workers = set(site.workforce.pids)
        _await_made(log, workers)
        assert run_to_end(first, settings, site=site).run == first
        assert run_to_end(second, settings, site=site).run == second
        assert set(site.workforce.pids) == workers
        assert len(Registry(settings.home).instances()) == 1
    done = Counter(log.read_text().splitlines())
    assert {line for line in done if line.startswith("judged")} <= {f"judged {pid}" for pid in workers}
    assert {line: count for line, count in done.items() if line.startswith("made")} == {f"made {p}": 1 for p in workers}
    assert Registry(settings.home).instances() == []
    assert processes_of(place) == []
    assert list(place.glob("touchstone-*")) == []


def test_workers_that_end_after_a_few_jobs_are_followed_by_others_to_the_same_result(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = place / "letters.log"
    monkeypatch.setenv("LETTER_LOG", str(log))
    monkeypatch.setattr("services.workforce.MOST_JOBS", 10)
    settings = load_settings(batch_size=20)
    found = run_to_end(created(settings), settings).substance()
    assert log.read_text().count("made") > settings.workers
    monkeypatch.delenv("LETTER_LOG")
    assert found == calm_result(place)


def _await_made(log: Path, workers: set[int]) -> None:
    """Wait until each worker has made its parties."""
    until = time.monotonic() + 60
    while not log.exists() or {int(line.split()[1]) for line in log.read_text().splitlines()} != workers:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_workers_that_cannot_start_are_reported_with_what_they_said(place: Path) -> None:
    settings = load_settings(parties="no_such_module", workers=1)
    run = created(settings)
    with pytest.raises(WorkersLost, match="no_such_module"):
        run_to_end(run, settings)


def test_a_run_that_is_not_there_is_named(place: Path) -> None:
    settings = load_settings()
    Database(settings.database).create()
    with pytest.raises(RunError, match="'nothing' is not in this database"):
        run_to_end("nothing", settings)
