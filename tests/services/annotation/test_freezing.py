"""A version is a function of the votes that stood at a moment, and of nothing else."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from annotation_bench import NAME, PLAIN, asked, dataset, filled, jsonl, pairs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.pairs import Dataset, Vote
from knowledge_base.errors import InputError, NotThere
from services.annotation.dataset import Sampling, change_dataset, open_dataset
from services.annotation.freezing import freeze
from services.annotation.pairs import add_pairs
from services.annotation.uploading import upload
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes, votes_since, withdraw
from services.database import Database
from services.dataset_store import load_dataset
from services.datasets import read_dataset

DESCRIPTION = "Which text is better?"
NUMBERS = itertools.count()


def cast(pair: str, annotator: str, choice: Any, at: float | None = None, **more: Any) -> VoteIn:
    return VoteIn(pair=pair, annotator=annotator, choice=choice, at=at, **more)


def told(frozen: Dataset) -> list[tuple[str, str, tuple[Vote, ...], float]]:
    return [(p.id, p.preferred, p.votes, p.confidence) for p in frozen.pairs]


def test_votes_of_annotators_freeze_as_a_file_with_the_same_votes_is_read(database: Database, tmp_path: Path) -> None:
    hashes = filled(database, 4)
    said = [("ann", "a", "clear"), ("bo", "b", ""), ("cy", "a", "short")]
    for number, pair in enumerate(hashes[:3]):
        for name, choice, reason in said[: number + 1]:
            add_votes(database, NAME, [cast(pair, name, choice, reason=reason)])
    rows = [
        {
            "id": f"p{n}", "a": f"left {n}", "b": f"right {n}",
            "votes": [{"annotator": a, "preferred": c, "reason": r} for a, c, r in said[: n + 1]],
        }
        for n in range(3)
    ]  # fmt: skip
    read = read_dataset(jsonl(tmp_path / "same.jsonl", rows), description=DESCRIPTION).dataset
    frozen = freeze(database, NAME)
    assert frozen.hash == read.hash
    assert frozen.pairs == read.pairs
    assert "1 pairs have no vote that stands yet and were left out" in frozen.notes


def test_a_version_is_kept_under_its_hash(database: Database) -> None:
    (pair,) = filled(database, 1)
    add_votes(database, NAME, [cast(pair, "ann", "a")])
    frozen = freeze(database, NAME)
    assert load_dataset(database, frozen.hash) == frozen
    assert freeze(database, open_dataset(database, NAME).id) == frozen


def test_a_version_of_an_earlier_moment_can_be_had_at_any_time(database: Database) -> None:
    first, second = filled(database, 2)
    add_votes(database, NAME, [cast(first, "ann", "a")])
    moment = open_dataset(database, NAME).changed_at
    before = freeze(database, NAME)
    add_votes(database, NAME, [cast(first, "ann", "b"), cast(second, "bo", "b")])
    add_pairs(database, NAME, pairs(1, start=9))
    (last,) = [v for v in votes_since(database, NAME, moment) if v.pair == second]
    withdraw(database, NAME, last.id)
    assert freeze(database, NAME, until=moment) == before
    assert [p.preferred for p in freeze(database, NAME).pairs] == ["b"]
    assert len(freeze(database, NAME, until=last.recorded_at).pairs) == 2


def test_votes_that_were_given_earlier_but_came_in_later_are_not_in_an_earlier_version(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    add_votes(quick, NAME, [cast(pair, "ann", "a")])
    moment = open_dataset(quick, NAME).changed_at
    add_votes(quick, NAME, [cast(pair, "bo", "b", at=1000.0)])
    assert [v.annotator for v in freeze(quick, NAME, until=moment).pairs[0].votes] == ["ann"]
    assert [v.annotator for v in freeze(quick, NAME).pairs[0].votes] == ["bo", "ann"]


@pytest.mark.parametrize(("rule", "left"), [("latest", ["b"]), ("first", ["a"]), ("all", ["a", "tie", "b"])])
def test_which_of_a_persons_votes_stands_is_declared(database: Database, rule: Any, left: list[str]) -> None:
    (pair,) = filled(database, 1, Sampling(repeats=rule))
    for at, choice in ((2.0, "tie"), (3.0, "b"), (1.0, "a")):
        add_votes(database, NAME, [cast(pair, "ann", choice, at=at)])
    assert [v.preferred for v in freeze(database, NAME).pairs[0].votes] == left


def test_changing_the_rule_changes_what_the_next_version_is(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    add_votes(quick, NAME, [cast(pair, "ann", c, at=float(i)) for i, c in enumerate(["a", "b"])])
    change_dataset(quick, NAME, sampling=Sampling(repeats="first"))
    assert freeze(quick, NAME).pairs[0].preferred == "a"


def test_skips_and_withdrawn_votes_are_left_out(database: Database) -> None:
    first, second = filled(database, 2)
    sent = add_votes(database, NAME, [cast(first, "ann", "a"), cast(first, "bo", "skip"), cast(second, "ann", "b")])
    withdraw(database, NAME, sent.ids[2])
    (pair,) = freeze(database, NAME).pairs
    assert (pair.id, [v.annotator for v in pair.votes]) == ("p0", ["ann"])


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_answered_is_no_version(quick: Database, count: int) -> None:
    filled(quick, count) if count else dataset(quick)
    with pytest.raises(InputError, match="has a vote that stands; add votes first"):
        freeze(quick, NAME)
    with pytest.raises(NotThere):
        freeze(quick, "nothing")


def test_ties_alone_are_a_version_with_a_note(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    add_votes(quick, NAME, [cast(pair, "ann", "tie")])
    assert "1 of 1 pairs are ties; they are kept and carry no accuracy" in freeze(quick, NAME).notes


def test_answers_on_the_page_count_like_any_vote(quick: Database) -> None:
    filled(quick, 3)
    for _ in range(3):
        asked(quick, "ann", "second")
    assert {len(p.votes) for p in freeze(quick, NAME).pairs} == {1}


VOTES = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from(["ann", "bo", "cy", ""]), st.sampled_from(["a", "b", "tie", "skip"]),
        st.sampled_from(["", "why"]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=VOTES, chance=st.randoms(use_true_random=False), sizes=st.integers(1, 5))
def test_votes_make_the_same_version_in_whatever_order_and_portions_they_come(
    quick: Database, said: list[tuple[int, str, Any, str]], chance: random.Random, sizes: int
) -> None:
    """Each vote says when it was given; with those times, the same set of votes is the same dataset."""
    hashes: list[str] = []
    hands = [(1000.0 + at, *vote) for at, vote in enumerate([(0, "ann", "a", ""), *said])]
    versions = []
    for order in (hands, chance.sample(hands, len(hands))):
        name = f"n{next(NUMBERS)}"
        dataset(quick, PLAIN, name=name)
        hashes = [p.pair for p in add_pairs(quick, name, pairs(4))]
        for start in range(0, len(order), sizes):
            some = [cast(hashes[p], a, c, at, reason=r) for at, p, a, c, r in order[start : start + sizes]]
            add_votes(quick, name, some)
        versions.append(freeze(quick, name))
    assert versions[0].hash == versions[1].hash
    assert told(versions[0]) == told(versions[1])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=VOTES)
def test_a_version_is_what_a_file_with_the_latest_votes_is_read_as(
    quick: Database, tmp_path: Path, said: list[tuple[int, str, Any, str]]
) -> None:
    """Against a plain reckoning of which votes are the latest."""
    name = f"n{next(NUMBERS)}"
    dataset(quick, PLAIN, name=name)
    hashes = [p.pair for p in add_pairs(quick, name, pairs(4))]
    hands = [(0, "ann", "a", ""), *said]
    add_votes(quick, name, [cast(hashes[p], a, c, 1000.0 + i, reason=r) for i, (p, a, c, r) in enumerate(hands)])
    ballots: dict[int, dict[Any, dict[str, str]]] = {}
    for i, (p, annotator, choice, reason) in enumerate(hands):
        if choice != "skip":
            mine = ballots.setdefault(p, {})
            mine.pop(annotator, None)
            mine[annotator or i] = {"annotator": annotator, "preferred": choice, "reason": reason}
    rows = [
        {"id": f"p{p}", "a": f"left {p}", "b": f"right {p}", "votes": list(ballots[p].values())}
        for p in sorted(ballots)
    ]
    path = jsonl(tmp_path / f"{name}.jsonl", [*rows, {"a": "one", "b": "other", "preferred": "a"}])
    read = read_dataset(path, description=DESCRIPTION).dataset
    assert freeze(quick, name).pairs == read.pairs[:-1]


def test_a_file_and_votes_of_the_page_stand_side_by_side(database: Database, tmp_path: Path) -> None:
    dataset(database)
    rows = [{"a": "x", "b": "y", "preferred": "a", "annotator": "ann", "reason": "r"}]
    upload(database, NAME, jsonl(tmp_path / "one.jsonl", rows))
    given = asked(database, "bo", "second")
    assert given is None, "one vote was wanted and is there"
    (vote,) = votes_since(database, NAME, 0)
    add_votes(database, NAME, [cast(vote.pair, "bo", "b")])
    (pair,) = freeze(database, NAME).pairs
    assert [(v.annotator, v.preferred) for v in pair.votes] == [("ann", "a"), ("bo", "b")]
    assert (pair.preferred, pair.reason) == ("tie", "")


def test_an_upload_while_a_version_is_made_is_not_seen_by_half(
    quick: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both kinds of database one view is read; the dataset's clock says the same without relying on that."""
    hashes = filled(quick, 2)
    add_votes(quick, NAME, [cast(hashes[0], "ann", "a")])
    from services.annotation import freezing

    real = freezing._fill

    def meddled(connection: Any, row: Any, moment: float, pool: Any) -> int:
        add_votes(quick, NAME, [cast(hashes[1], "bo", "b")])
        return real(connection, row, moment, pool)

    monkeypatch.setattr(freezing, "_fill", meddled)
    assert len(freeze(quick, NAME).pairs) == 1
