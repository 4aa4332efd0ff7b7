"""Processes that ask, answer and upload at once: no pair is handed to two, no vote is lost or doubled."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from annotation_bench import NAME, filled, jsonl
from racers import hold, send, work
from sqlalchemy import select

from services.annotation.accuracy import unbiased_accuracy
from services.annotation.dataset import Sampling, open_dataset
from services.annotation.freezing import freeze
from services.annotation.tables import AssignmentRow, OpenPairRow
from services.annotation.votes import votes_export
from services.database import Database

PROCESSES = 4


def raced(target: Any, url: str, names: list[str]) -> dict[str, list[Any]]:
    """What each process told; they begin at the same moment."""
    context = multiprocessing.get_context("fork")
    start, told = context.Barrier(len(names)), context.Queue()
    processes = [context.Process(target=target, args=(url, name, start, told)) for name in names]
    for process in processes:
        process.start()
    found = [told.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * len(names)
    return {f"{name}-{i}": given for i, (name, given) in enumerate(found)}


@pytest.mark.parametrize("wanted", [1, 2])
def test_processes_share_the_pairs_out(database: Database, database_url: str, wanted: int) -> None:
    hashes = filled(database, 24, Sampling(votes_wanted=wanted, share_repeat=0.1, repeat_after=5, share_random=0.4))
    found = raced(work, database_url, [f"p{i}" for i in range(PROCESSES)])
    votes = list(votes_export(database, NAME))
    first = Counter((v.annotator, v.pair) for v in votes if v.why != "repeat")
    assert set(first.values()) == {1}
    assert Counter(pair for _, pair in first) == dict.fromkeys(hashes, wanted)
    assert sum(len(given) for given in found.values()) == len(votes)
    place = open_dataset(database, NAME)
    assert (place.votes, place.draws) == (len(votes), 24)
    assert len({v.recorded_at for v in votes}) == len(votes)
    _check_draws(database)


def _check_draws(database: Database) -> None:
    with database.read() as connection:
        drawn = sorted(connection.execute(select(OpenPairRow.drawn)).scalars())  # type: ignore[type-var]
        turns = list(connection.execute(select(AssignmentRow.turn)).scalars())
    assert drawn == list(range(24))
    assert len(set(turns)) == len(turns)
    assert unbiased_accuracy(database, NAME, {}).weighted.pairs == 24


def test_a_pair_is_held_by_one(database: Database, database_url: str) -> None:
    filled(database, 2)
    found = raced(hold, database_url, [f"p{i}" for i in range(PROCESSES)])
    held = [pair for given in found.values() for pair in given]
    assert len(held) == len(set(held)) == 2


def test_one_annotator_with_two_windows_open_holds_one_pair(database: Database, database_url: str) -> None:
    filled(database, 9)
    found = raced(hold, database_url, ["ann"] * 3)
    assert len({pair for given in found.values() for pair in given}) == 1


def test_a_file_that_is_sent_twice_at_once_is_taken_in_once(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    filled(database, 2)
    rows = [{"a": f"x{i}", "b": f"y{i}", "votes": ["a", "b", "a"]} for i in range(300)]
    path = str(jsonl(tmp_path / "p.jsonl", rows))
    found = raced(send, database_url, [path] * 3)
    assert sorted(found.values()) == [[False, 300, 900], [True, 0, 0], [True, 0, 0]]
    assert len(freeze(database, NAME).pairs) == 300
    assert len(list(votes_export(database, NAME))) == 900
