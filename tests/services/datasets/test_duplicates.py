"""Rows about the same texts become one pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.datasets import read_dataset

Write = Callable[[list[dict[str, object]]], Path]


def row(a: str, b: str, preferred: str, **more: object) -> dict[str, object]:
    return {"a": a, "b": b, "preferred": preferred, **more}


OTHER = row("other", "text", "b")


def test_a_repeated_pair_is_merged_and_its_votes_pooled(jsonl: Write) -> None:
    reading = read_dataset(jsonl([row("x", "y", "a"), OTHER, row("x", "y", "a")]))
    first = reading.dataset.pairs[0]
    assert len(reading.dataset.pairs) == 2
    assert (first.preferred, len(first.votes), first.confidence) == ("a", 2, 1.0)
    assert reading.notes[0] == ("1 rows repeat the texts of an earlier row and were merged with it, their votes pooled")


def test_the_same_answer_with_sides_exchanged_is_the_same_pair(jsonl: Write) -> None:
    reading = read_dataset(jsonl([row("x", "y", "a"), row("y", "x", "b"), OTHER]))
    first = reading.dataset.pairs[0]
    assert (first.a, first.b, first.preferred) == ("x", "y", "a")
    assert not any("contradict" in note for note in reading.notes)


@pytest.mark.parametrize("second", [row("x", "y", "b"), row("y", "x", "a")])
def test_balanced_contradictions_are_a_tie(jsonl: Write, second: dict[str, object]) -> None:
    reading = read_dataset(jsonl([row("x", "y", "a"), second, OTHER]))
    first = reading.dataset.pairs[0]
    assert first.preferred == "tie"
    assert first.confidence == pytest.approx(1 / 3)
    assert "1 pairs have rows that contradict each other; their pooled votes decided" in reading.notes
    assert reading.agreement is not None
    assert reading.agreement.raw == 0


def test_contradictions_with_a_majority_follow_it(jsonl: Write) -> None:
    reading = read_dataset(jsonl([row("x", "y", "a"), row("x", "y", "b"), row("y", "x", "a"), OTHER]))
    assert reading.dataset.pairs[0].preferred == "b"
    assert reading.dataset.pairs[0].confidence == pytest.approx(2 / 3)


def test_the_same_texts_under_another_prompt_are_another_pair(jsonl: Write) -> None:
    reading = read_dataset(jsonl([row("x", "y", "a", prompt="p"), row("x", "y", "b", prompt="q")]))
    assert [pair.preferred for pair in reading.dataset.pairs] == ["a", "b"]


def test_listed_votes_of_repeated_rows_are_pooled(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [
        {"a": "x", "b": "y", "votes": ["a", "b"]},
        {"a": "y", "b": "x", "votes": ["b", {"vote": "b", "text": "why"}]},
    ]
    (pair,) = read_dataset(jsonl(rows)).dataset.pairs
    assert [vote.preferred for vote in pair.votes] == ["a", "b", "a", "a"]
    assert (pair.preferred, pair.confidence, pair.reason) == ("a", 0.75, "why")


def test_a_row_with_votes_only_makes_the_votes_decide(jsonl: Write) -> None:
    voted: dict[str, object] = {"a": "x", "b": "y", "votes": ["b", "b"]}
    rows = [row("x", "y", "a"), voted, OTHER]
    assert read_dataset(jsonl(rows)).dataset.pairs[0].preferred == "b"


def test_a_named_annotator_who_repeats_an_answer_counts_once(jsonl: Write) -> None:
    names = ["ann", "ann", "bo", "cy", "ann", "bo", "bo"]
    rows = [row("x", "y", "a" if name == "bo" else "b", annotator=name) for name in names]
    pair = read_dataset(jsonl(rows)).dataset.pairs[0]
    assert [vote.annotator for vote in pair.votes] == ["ann", "bo", "cy"]
    assert pair.preferred == "b"


def test_reasons_of_all_rows_for_the_answer_are_kept(jsonl: Write) -> None:
    rows = [row("x", "y", "b", reason="not this"), row("x", "y", "a", reason="one"), row("y", "x", "b", reason="two")]
    (pair,) = read_dataset(jsonl(rows)).dataset.pairs
    assert (pair.preferred, pair.reason) == ("a", "one\ntwo")
    assert [vote.reason for vote in pair.votes] == ["not this", "one", "two"]


def test_the_first_row_gives_id_group_and_weight_and_other_groups_are_counted(jsonl: Write) -> None:
    rows = [
        row("x", "y", "a", id="1", group="g", weight=2),
        row("x", "y", "a", id="2", group="h", weight=3),
        OTHER,
    ]
    reading = read_dataset(jsonl(rows))
    pair = reading.dataset.pairs[0]
    assert (pair.id, pair.group, pair.weight) == ("1", "g", 2.0)
    assert "1 pairs have rows in different groups; the first row's group was kept" in reading.notes


def test_many_rows_about_one_pair_take_no_more_than_linear_time(jsonl: Write) -> None:
    rows = [row("x", "y", "a", annotator=f"annotator {i}") for i in range(20_000)]
    (pair,) = read_dataset(jsonl(rows)).dataset.pairs
    assert len(pair.votes) == 20_000


wild = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("uvw"), st.sampled_from(["a", "b", "tie"]), st.booleans()),
    min_size=1,
    max_size=25,
)


@given(wild)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_answer_is_lost_and_every_pair_is_distinct(jsonl: Write, answers: list[tuple[str, str, str, bool]]) -> None:
    """Against a plain count over all rows, with sides exchanged at random."""
    other = {"a": "b", "b": "a", "tie": "tie"}
    tally: dict[tuple[str, str], list[str]] = {}
    rows = [OTHER]
    for a, b, preferred, exchanged in answers:
        tally.setdefault((a, b), []).append(preferred)
        rows.append(row(b, a, other[preferred]) if exchanged else row(a, b, preferred))
    pairs = read_dataset(jsonl(rows)).dataset.pairs[1:]
    assert len(pairs) == len(tally)
    for pair, ((a, b), cast) in zip(pairs, tally.items(), strict=True):
        preferred = pair.preferred if pair.a == a else other[pair.preferred]
        leaders = [o for o in other if cast.count(o) == max(map(cast.count, other))]
        assert {pair.a, pair.b} == {a, b}
        assert max(len(pair.votes), 1) == len(cast)
        assert preferred == (leaders[0] if len(leaders) == 1 else "tie")
