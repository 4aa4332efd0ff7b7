"""Whole labellings with real workers: to the end, through kills of workers, of the command and of Redis."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from conftest import HERE, processes_of
from labelling_bench import (
    ALL,
    WEIGHTS,
    JudgedBy,
    created,
    judgments,
    labelled,
    letter_set,
    pairs_file,
    sweep,
    work_off_chunks,
)
from letter_parties import LetterJudge, LetterParties
from sqlalchemy import func, select
from workbench import bench

from agents.criteria_set import CriteriaSet
from agents.early_stop import StopRule
from knowledge_base.errors import RunError
from services.database import Database
from services.embedded_redis import SOCKET
from services.embedded_registry import Registry
from services.labelling.driver import label_to_end
from services.labelling.progress import LabelProgress, label_progress
from services.labelling.register import load_labelling
from services.labelling.tables import LabelRow
from services.queue import WORKER_PREFIX
from services.settings import Settings, load_settings
from services.tables import JudgmentRow

pytestmark = pytest.mark.slow

PAIRS = 100

COMMAND = """
import sys
from pathlib import Path
from labelling_bench import JudgedBy, created
from letter_parties import LetterJudge, LetterParties
from services.database import Database
from services.labelling.driver import label_to_end
from services.settings import load_settings

settings = load_settings()
place = type("Place", (), {"database": Database(settings.database).create(), "parties": LetterParties()})()
labelling = created(place, Path(sys.argv[1]))
print(labelling, flush=True)
label_to_end(labelling, settings, lambda p: print(p.asked, flush=True))
"""


class Place:
    """A database, and the parties that labellings are created by."""

    def __init__(self, settings: Settings, parties: LetterParties | None = None) -> None:
        self.database = Database(settings.database).create()
        self.parties = parties or LetterParties()

    def new(self, path: Path, rule: StopRule | None = None, criteria_set: CriteriaSet | None = None) -> str:
        """Create a labelling."""
        bench: Any = self
        return created(bench, path, rule, criteria_set)

    def labels(self, labelling: str) -> dict[str, object]:
        """Labels and answers by id."""
        bench: Any = self
        return {name: (p.label, p.answers) for name, p in labelled(bench, labelling).items()}

    def stored(self) -> int:
        """Judgments in the database."""
        bench: Any = self
        return judgments(bench)


def calm(folder: Path, path: Path) -> dict[str, object]:
    """What the same labelling gives where nothing disturbs it, in one process."""
    with bench(folder, home=folder / "calm") as deployment:
        labelling = created(deployment, path)
        sweep(deployment, labelling)
        work_off_chunks(deployment)
        return {name: (p.label, p.answers) for name, p in labelled(deployment, labelling).items()}


def instance(settings: Settings) -> Any:
    [found] = Registry(settings.home).instances()
    return found


@pytest.mark.usefixtures("configured")
def test_a_labelling_comes_to_its_end_and_tells_how_it_goes(place: Path) -> None:
    settings, seen = load_settings(), list[LabelProgress]()
    here, path = Place(settings), pairs_file(place, PAIRS)
    labelling = here.new(path)
    found = label_to_end(labelling, settings, seen.append)
    assert found.id == labelling
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1].finished
    assert (seen[-1].status, seen[-1].pairs) == ("finished", PAIRS)
    assert seen[-1].seconds > 0
    assert len(here.labels(labelling)) == PAIRS
    assert processes_of(place) == []
    start, again = time.monotonic(), list[LabelProgress]()
    label_to_end(labelling, settings, again.append)
    assert time.monotonic() - start < 1.5, "a finished one starts no workers"
    assert [p.done for p in again] == [PAIRS]


class Killer:
    """Kills workers at their work, at seeded random moments, each time after some progress."""

    def __init__(self, settings: Settings, kills: int) -> None:
        self._settings, self._kills, self._rng = settings, kills, random.Random(3)
        self._next = 0.0
        self.done = 0

    def __call__(self, progress: LabelProgress) -> None:
        if self.done >= self._kills or time.monotonic() < self._next:
            return
        found = instance(self._settings)
        with redis.Redis(unix_socket_path=str(found.folder / SOCKET)) as connection:
            for worker in found.children[1:]:
                if connection.hget(f"{WORKER_PREFIX}{worker}", "current_job") and not worker.dead:
                    os.kill(worker.pid, signal.SIGKILL)
                    self.done += 1
                    self._next = time.monotonic() + self._rng.uniform(0.05, 0.5)
                    return


@pytest.mark.timeout(120)
def test_killing_workers_changes_no_label_and_has_nothing_stored_twice(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pairs_file(place, PAIRS)
    expected = calm(place, path)
    monkeypatch.setenv("LETTER_MS", "3")
    settings = load_settings(sweep_seconds=0.1, max_attempts=50, workers=2)
    here = Place(settings)
    labelling, killer = here.new(path), Killer(settings, kills=3)
    label_to_end(labelling, settings, killer)
    assert killer.done >= 2, "workers must be killed at their work for this to show anything"
    assert here.labels(labelling) == expected
    with here.database.read() as connection:
        asked = connection.execute(select(func.sum(LabelRow.asked))).scalar_one()
        keys = connection.execute(select(func.count(JudgmentRow.key.distinct()))).scalar_one()
        assert set(connection.execute(select(JudgmentRow.asked_by)).scalars()) == {labelling}
    assert asked == keys == here.stored() == label_progress(here.database, labelling).asked


def test_an_emptied_redis_loses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pairs_file(place, PAIRS)
    expected = calm(place, path)
    monkeypatch.setenv("LETTER_MS", "2")
    settings, flushed = load_settings(sweep_seconds=0.2), list[int]()
    here = Place(settings)
    labelling = here.new(path)

    def flush(progress: LabelProgress) -> None:
        if progress.asked > 100 * len(flushed) and len(flushed) < 3:
            flushed.append(progress.done)
            redis.Redis(unix_socket_path=str(instance(settings).folder / SOCKET)).flushall()

    label_to_end(labelling, settings, flush)
    assert len(flushed) >= 2
    assert here.labels(labelling) == expected


def test_a_command_that_was_killed_goes_on_where_it_stood(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pairs_file(place, PAIRS)
    expected = calm(place, path)
    # Slow enough that workers cannot finish in the grace that they are given to end.
    monkeypatch.setenv("LETTER_MS", "25")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parents[1])]))
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    labelling = _read_until(process, 40)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode != 0
    _until(lambda: not processes_of(place))
    settings = load_settings()
    here = Place(settings)
    before, stored = label_progress(here.database, labelling), here.stored()
    assert before.status == "running"
    assert 40 <= stored == before.asked < len(expected) * len(WEIGHTS)
    assert before.done < PAIRS
    monkeypatch.setenv("LETTER_MS", "0")
    monkeypatch.setenv("LETTER_LOG", str(place / "log"))
    assert here.new(path) == labelling
    label_to_end(labelling, settings.model_copy(update={"workers": 1}))
    after = label_progress(here.database, labelling)
    assert here.labels(labelling) == expected
    assert (after.asked, after.reused) == (here.stored(), 0)
    assert after.asked > stored


def _read_until(process: subprocess.Popen[str], asked: int) -> str:
    """Follow a command until so many judgments are made; returns the labelling's id."""
    assert process.stdout is not None
    labelling = process.stdout.readline().strip()
    for line in process.stdout:
        if int(line) >= asked:
            return labelling
    raise AssertionError(f"it ended too early: {process.communicate()[1]}")


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_pair_that_kills_every_worker_ends_with_missing_evidence_and_the_others_with_labels(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The criterion on q kills whoever judges by it; early stopping asks for it on few pairs, and only those suffer."""
    monkeypatch.setenv("LETTER_TRAP", "q")
    settings = load_settings(sweep_seconds=0.05, max_attempts=2, workers=1)
    here = Place(settings)
    labelling = here.new(pairs_file(place, 8), criteria_set=letter_set({"e": 0.5, "t": 0.3, "a": 0.21, "q": 0.02}))
    label_to_end(labelling, settings)
    bench: Any = here
    found = labelled(bench, labelling)
    assert len(found) == 8
    trapped = [p for p in found.values() if any(a.status == "failed" for a in p.answers)]
    assert 0 < len(trapped) < 4, "early stopping spares the others the question"
    assert all(p.label.missing <= 1 for p in found.values())
    monkeypatch.delenv("LETTER_TRAP")
    label_to_end(labelling, settings)
    assert not any(p.failed for p in labelled(bench, labelling).values()), "once mended, what failed is asked again"


def test_workers_with_another_judge_end_it_soon_and_say_so_and_it_can_be_taken_up_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "changed_parties.py").write_text(
        "from labelling_bench import JudgedBy\n"
        "from letter_parties import LetterJudge\n"
        "def parties(settings, database):\n"
        "    return JudgedBy(LetterJudge('letters/2'))\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(place)]))
    monkeypatch.syspath_prepend(place)
    settings = load_settings(parties="changed_parties", sweep_seconds=0.1, workers=1)
    here = Place(settings)
    labelling = here.new(pairs_file(place, 40), ALL)
    with pytest.raises(RunError, match="given up: WrongJudge: judge 'letters/1' is asked") as caught:
        label_to_end(labelling, settings)
    assert str(caught.value).splitlines()[-1] == "Mend that; the same command goes on from here"
    assert here.stored() == 0
    label_to_end(labelling, load_settings(workers=1))
    assert here.stored() == 40 * len(WEIGHTS)


def test_a_labelling_that_is_not_there_or_not_read_to_its_end_is_named(place: Path) -> None:
    settings = load_settings()
    here = Place(settings)
    with pytest.raises(RunError, match="'nothing' is not in this database"):
        label_to_end("nothing", settings)
    labelling = here.new(pairs_file(place, 5))
    assert load_labelling(here.database, labelling).pairs == 5
    with pytest.raises(RunError, match="'nothing' is not in this database"):
        label_progress(here.database, "nothing")


def test_a_command_killed_while_it_reads_takes_the_file_in_again_and_keeps_nothing_twice(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.labelling.register.SLICE_ROWS", 10)
    settings, path = load_settings(), pairs_file(place, 45)
    here, kept = Place(settings), list[int]()
    from services.labelling import register

    keep = register._keep

    def dies(database: Database, labelling: str, some: Any) -> None:
        keep(database, labelling, some)
        kept.append(len(some))
        if len(kept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(register, "_keep", dies)
    with pytest.raises(KeyboardInterrupt):
        here.new(path)
    monkeypatch.setattr(register, "_keep", keep)
    labelling = here.new(path)
    found = load_labelling(here.database, labelling)
    assert (found.status, found.pairs) == ("running", 45)
    with here.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(LabelRow)).scalar_one() == 45
    assert isinstance(JudgedBy(LetterJudge()).workers()[0], LetterJudge)
