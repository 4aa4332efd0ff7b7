"""`touchstone up`: everything starts, works, mends itself and ends, and nothing of it is left."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import psutil
import pytest
from conftest import processes_of
from roles.launcher import await_that, end, start
from workbench import SEALED, new_run

from services.database import Database
from services.embedded_registry import Registry
from services.progress import progress_of
from services.roles.everything import answers
from services.settings import load_settings

pytestmark = pytest.mark.slow


def url_in(log: Path) -> str:
    found = re.search(r"^  export TOUCHSTONE_URL=(http://\S+)$", log.read_text(), flags=re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.timeout(240)
def test_one_command_runs_everything_mends_what_dies_and_leaves_nothing(place: Path) -> None:
    log = place / "log"
    environment = {"TOUCHSTONE_API_PORT": "0", "TOUCHSTONE_SWEEP_SECONDS": "0.2", "TOUCHSTONE_GRACE_SECONDS": "5"}
    process = start("up", environment=environment, log=log)
    url = await_that(lambda: url_in(log), log=log)
    assert answers(f"{url}/readyz", 5)
    settings = load_settings()
    database = Database(settings.database)
    started = log.read_text()
    assert f"address    {url}/v1" in started
    assert f"database   {settings.home / 'touchstone.sqlite'}" in started
    assert len(started.splitlines()) < 20, "a few lines for people, no log"
    first = new_run(database, config=SEALED)
    await_that(lambda: progress_of(database, first).status == "finished", log=log)

    [instance] = Registry(settings.home).instances()
    server, *others = instance.children
    os.kill(server.pid, signal.SIGKILL)
    for child in others[:2]:
        os.kill(child.pid, signal.SIGKILL)
    second = new_run(database, config=SEALED.model_copy(update={"seed": 1}))
    await_that(lambda: progress_of(database, second).status == "finished", log=log)
    said = log.read_text()
    assert "the private Redis server had died and was started again" in said
    assert said.count("was killed by signal 9; starting it again") >= 2
    database.close()

    assert end(process, signal.SIGINT) == 0, log.read_text()
    assert log.read_text().splitlines()[-1].startswith("Ended. Nothing is lost")
    assert processes_of(place) == []
    assert Registry(settings.home).instances() == []


def test_an_address_that_is_taken_is_said_before_anything_starts(place: Path) -> None:
    from services.roles.serving import listen

    with listen("127.0.0.1", 0) as taken:
        process = start("up", "--port", str(taken.getsockname()[1]), log=place / "log")
        assert process.wait(60) == 1
    said = (place / "log").read_text()
    assert re.search(r"touchstone: cannot listen on 127.0.0.1 port \d+", said)
    assert "Traceback" not in said


@pytest.mark.timeout(180)
def test_killed_outright_it_leaves_no_process_and_the_next_start_clears_the_rest(place: Path) -> None:
    log = place / "log"
    process = start("up", environment={"TOUCHSTONE_API_PORT": "0"}, log=log)
    await_that(lambda: url_in(log), log=log)
    assert len(processes_of(place)) >= 5, "itself, Redis, workers, scheduler, API"
    process.kill()
    process.wait()
    await_that(lambda: not processes_of(place))
    log.unlink()
    process = start("up", environment={"TOUCHSTONE_API_PORT": "0"}, log=log)
    await_that(lambda: url_in(log), log=log)
    assert len(Registry(load_settings().home).instances()) == 1
    assert end(process) == 0, log.read_text()


@pytest.mark.timeout(180)
def test_worker_processes_are_kept_by_one_command(place: Path) -> None:
    from workbench import bench

    with bench(place) as deployment:
        log, environment = place / "log", {**deployment.settings.environment(), "TOUCHSTONE_GRACE_SECONDS": "2"}
        process = start("worker", "--processes", "2", environment=environment, log=log)
        await_that(lambda: deployment.queue.workers() == 2, log=log)
        first = psutil.Process(process.pid).children()
        first[0].kill()
        run = new_run(deployment.database)
        deployment.queue.advance([f"{run}-main"])
        await_that(lambda: progress_of(deployment.database, run).status == "finished", log=log)
        await_that(lambda: deployment.queue.connection.llen("rq:queue:touchstone-advances") == 0)
        assert end(process) == 0, log.read_text()
        assert deployment.queue.workers() <= 1, "none but the record of the one that was killed"
