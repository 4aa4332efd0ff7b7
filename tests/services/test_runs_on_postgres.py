"""Whole runs with real workers on Postgres: the same results as in a file, also where the server restarts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from postgres import PostgresServer, demand_postgres
from sqlalchemy import func, select
from test_run_driver import calm_result, command, created, read_until

from services.checkpoints import checkpointer
from services.database import Database
from services.progress import RunProgress
from services.result_reading import result_of
from services.run_driver import run_to_end
from services.settings import Settings, load_settings
from services.tables import JudgmentRow

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    demand_postgres()
    with PostgresServer() as server:
        yield server


@pytest.fixture
def settings(own: PostgresServer, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Of a deployment whose database is on it."""
    with own.fresh() as url:
        monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", url)
        yield load_settings(sweep_seconds=0.2, batch_size=20)


def calm(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same run undisturbed, in one process and in a file."""
    with monkeypatch.context() as patch:
        patch.delenv("TOUCHSTONE_DATABASE_URL", raising=False)
        return calm_result(place)


def attempts(settings: Settings) -> int:
    """Most attempts that any judgment took."""
    with closing(Database(settings.database)) as database, database.read() as connection:
        return int(connection.execute(select(func.max(JudgmentRow.attempts))).scalar_one())


def threads_with_places(settings: Settings) -> set[str]:
    """Threads whose graph keeps its place on the server."""
    with closing(Database(settings.database)) as database, checkpointer(database) as saver:
        return {str(place.config["configurable"]["thread_id"]) for place in saver.list(None)}


def test_a_run_comes_to_the_same_end_as_in_a_file(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = created(settings)
    result = run_to_end(run, settings)
    assert result.substance() == calm(place, monkeypatch)
    assert attempts(settings) == 1, "nothing was judged twice"
    assert threads_with_places(settings) >= {f"{run}-main"}
    assert not list((place / "home").glob("*.sqlite"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "by a crash"])
def test_a_server_that_restarts_amid_a_run_changes_nothing(
    own: PostgresServer, settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setenv("LETTER_MS", "2")
    restarted = set[int]()

    def restart(progress: RunProgress) -> None:
        step = progress.answered // 100
        if progress.answered and step not in restarted:
            restarted.add(step)
            own.stop(how)
            own.start()

    # As often as the server restarts here, a step may be hit more than once.
    patient = settings.model_copy(update={"max_attempts": 20})
    result = run_to_end(created(settings), patient, restart)
    assert len(restarted) >= 3
    assert result.substance() == calm(place, monkeypatch)


def test_a_command_that_is_killed_goes_on_where_it_stood(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setenv("LETTER_MS", "5")
        process = command()
        run = read_until(process, 60)
        process.kill()
        process.communicate(timeout=20)
    assert run_to_end(run, settings).substance() == calm(place, monkeypatch)
    with closing(Database(settings.database)) as database:
        assert result_of(database, run).usage.stages[0].failed == 0
