"""Touchstone's own columns are read in every file type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.pairs import Vote
from knowledge_base.errors import InputError
from services.datasets import FaultyRows, Reading, read_dataset

Write = Callable[[list[dict[str, object]]], Path]

FULL: dict[str, object] = {
    "id": "p1",
    "a": "First, briefly.",
    "b": 'Second,\nover two lines, with "quotes".',
    "preferred": "b",
    "prompt": "Say it.",
    "reason": "fuller",
    "group": "g",
    "weight": 2.5,
}


@pytest.fixture(params=["jsonl", "table", "parquet"])
def write(request: pytest.FixtureRequest) -> Write:
    """A writer for each file type."""
    written: Write = request.getfixturevalue(request.param)
    return written


def faults(path: Path) -> list[str]:
    """The faults of a file as printed."""
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    assert caught.value.total == len(caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


def only_votes(reading: Reading) -> list[tuple[str, str, str]]:
    return [(v.preferred, v.annotator, v.reason) for v in reading.dataset.pairs[0].votes]


def test_every_column_reaches_the_pair(write: Write) -> None:
    reading = read_dataset(write([FULL]), description="what was compared")
    pair = reading.dataset.pairs[0]
    assert reading.format == "native"
    assert {name: getattr(pair, name) for name in FULL} == FULL
    assert (pair.votes, pair.confidence) == ((), 1.0)
    assert (reading.dataset.name, reading.dataset.description) == ("pairs", "what was compared")


def test_only_three_columns_are_needed(write: Write) -> None:
    reading = read_dataset(write([{"a": "x", "b": "y", "preferred": "a"}, {"a": "z", "b": "y", "preferred": "b"}]))
    first, second = reading.dataset.pairs
    assert (first.prompt, first.group, first.reason, first.weight) == ("", "", "", 1.0)
    assert first.id != second.id
    assert reading.notes == ()
    assert reading.agreement is None


def test_ids_that_are_made_follow_the_content_and_not_the_place_or_the_sides(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"a": "x", "b": "y", "preferred": "a"}, {"a": "z", "b": "y", "preferred": "a"}]
    before = [pair.id for pair in read_dataset(jsonl(rows)).dataset.pairs]
    turned: list[dict[str, object]] = [rows[1], {"a": "y", "b": "x", "preferred": "a"}]
    assert [pair.id for pair in read_dataset(jsonl(turned)).dataset.pairs] == before[::-1]


@pytest.mark.parametrize("written", [["a", "a", "b"], [{"vote": "a"}, {"preferred": "a"}, {"vote": "b"}]])
def test_votes_decide_where_nothing_is_stated(jsonl: Write, written: list[object]) -> None:
    reading = read_dataset(jsonl([{"a": "x", "b": "y", "votes": written}]))
    pair = reading.dataset.pairs[0]
    assert pair.preferred == "a"
    assert pair.confidence == pytest.approx(2 / 3)
    assert [vote.preferred for vote in pair.votes] == ["a", "a", "b"]
    assert "votes were aggregated by majority (not every vote names its annotator)" in reading.notes
    assert reading.agreement is not None
    assert reading.agreement.raw == pytest.approx(1 / 3)


@pytest.mark.parametrize("written", ["a;a;b", " a ; a; b", '["a", "a", "b"]', '[{"vote": "a"}, "a", "b"]'])
def test_votes_in_csv_are_a_list_or_joined_by_semicolons(table: Write, written: str) -> None:
    reading = read_dataset(table([{"a": "x", "b": "y", "votes": written}]))
    assert [vote.preferred for vote in reading.dataset.pairs[0].votes] == ["a", "a", "b"]


def test_votes_as_objects_carry_annotators_and_reasons(jsonl: Write) -> None:
    votes = [{"preferred": "a", "annotator": "ann", "reason": "r"}, {"vote": "b", "annotator": 7, "text": "s"}, "tie"]
    reading = read_dataset(jsonl([{"a": "x", "b": "y", "preferred": "a", "votes": votes}]))
    assert only_votes(reading) == [("a", "ann", "r"), ("b", "7", "s"), ("tie", "", "")]


def test_the_reasons_for_the_answer_that_stands_become_the_pairs_reason(jsonl: Write) -> None:
    votes = [{"vote": "a", "text": "wrong"}, {"vote": "b", "text": "one"}, {"vote": "b", "text": "two"}]
    reading = read_dataset(jsonl([{"a": "x", "b": "y", "votes": votes}]))
    assert reading.dataset.pairs[0].reason == "one\ntwo"


@pytest.mark.parametrize(("votes", "confidence"), [("abbba", 0.6), ("aab", 1 / 3), ("aa", 0)])
def test_a_stated_preference_stands_and_its_confidence_comes_from_the_votes(
    jsonl: Write, votes: str, confidence: float
) -> None:
    reading = read_dataset(jsonl([{"a": "x", "b": "y", "preferred": "b", "votes": list(votes)}]))
    pair = reading.dataset.pairs[0]
    assert pair.preferred == "b"
    assert pair.confidence == pytest.approx(confidence)
    outvoted = "1 pairs state an answer that is not the best supported by their votes; it stands"
    assert (outvoted in reading.notes) == (confidence < 0.5)


def test_annotators_may_be_the_votes(jsonl: Write) -> None:
    reading = read_dataset(jsonl([{"a": "x", "b": "y", "preferred": "a", "annotators": ["a", "tie"]}]))
    assert only_votes(reading) == [("a", "", ""), ("tie", "", "")]


def test_annotators_may_be_just_their_number(write: Write) -> None:
    reading = read_dataset(write([{"a": "x", "b": "y", "preferred": "a", "annotators": 3}]))
    assert only_votes(reading) == []
    assert reading.notes == ()


def test_reasons_listed_with_their_votes_are_joined_to_the_same_votes(jsonl: Write) -> None:
    reasons = [{"vote": "b", "text": "no"}, {"vote": "a", "text": "yes"}]
    row: dict[str, object] = {"a": "x", "b": "y", "preferred": "a", "annotators": ["a", "b"], "reason": reasons}
    reading = read_dataset(jsonl([row]))
    assert only_votes(reading) == [("b", "", "no"), ("a", "", "yes")]
    assert reading.dataset.pairs[0].reason == "yes"


def test_reasons_of_other_votes_do_not_replace_named_votes(jsonl: Write) -> None:
    votes = [{"vote": "a", "annotator": "ann"}, {"vote": "a", "annotator": "bo"}]
    row: dict[str, object] = {"a": "x", "b": "y", "votes": votes, "reason": [{"vote": "a", "text": "why"}]}
    reading = read_dataset(jsonl([row]))
    assert [name for _, name, _ in only_votes(reading)] == ["ann", "bo"]
    assert reading.dataset.pairs[0].reason == "why"


def test_one_row_for_each_annotator_is_one_pair_of_named_votes(write: Write) -> None:
    rows: list[dict[str, object]] = [
        {"a": "x", "b": "y", "preferred": answer, "annotator": name}
        for answer, name in (("a", "ann"), ("a", "bo"), ("b", "cy"))
    ]
    reading = read_dataset(write(rows))
    assert only_votes(reading) == [("a", "ann", ""), ("a", "bo", ""), ("b", "cy", "")]
    assert reading.dataset.pairs[0].preferred == "a"


def test_enough_named_votes_are_aggregated_by_dawid_skene(jsonl: Write) -> None:
    votes = [{"vote": "a", "annotator": name} for name in ("ann", "bo", "cy")]
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": f"y{i}", "votes": votes} for i in range(25)]
    reading = read_dataset(jsonl(rows))
    assert any("dawid-skene" in note for note in reading.notes)
    assert 0.9 < reading.dataset.pairs[0].confidence < 1


def test_unknown_columns_are_ignored_and_named(write: Write) -> None:
    reading = read_dataset(write([{"a": "x", "b": "y", "preferred": "a", "zeta": 1, "genre": "g"}]))
    assert reading.notes == ("columns that mean nothing here were ignored: genre, zeta",)


def test_unknown_columns_of_later_rows_are_named_too(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "ab"[i % 2]} for i in range(40)]
    rows[39]["late"] = 1
    assert read_dataset(jsonl(rows)).notes == ("columns that mean nothing here were ignored: late",)


def test_nulls_and_empty_csv_fields_count_as_absent(jsonl: Write, table: Write) -> None:
    row: dict[str, object] = {"a": "x", "b": "y", "preferred": "a", "prompt": None, "weight": None, "group": None}
    assert read_dataset(jsonl([row])).dataset.pairs[0].weight == 1.0
    assert read_dataset(table([row])).dataset.pairs[0].weight == 1.0


def test_a_near_miss_is_told_the_accepted_answers(jsonl: Write) -> None:
    row: dict[str, object] = {"a": "x", "b": "y", "preferred": "a"}
    path = jsonl([*({**row, "a": f"x{i}"} for i in range(16)), {**row, "preferred": "A "}])
    assert faults(path) == ['pairs.jsonl:17: "preferred" is "A "; use "a", "b" or "tie"']


@pytest.mark.parametrize("answer", ["A", "left", "", "a\n", 1, True, ["a"]])
def test_no_spelling_but_the_exact_one_is_accepted(jsonl: Write, answer: object) -> None:
    (fault,) = faults(jsonl([{"a": "x", "b": "y", "preferred": answer}]))
    assert fault.endswith('use "a", "b" or "tie"')


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a": None}, '"a" is missing'),
        ({"b": " \n"}, '"b" is blank'),
        ({"b": 5}, '"b" is 5; write it as a string'),
        ({"preferred": None}, '"preferred" is missing'),
        ({"weight": 0}, '"weight" is 0; use a number above 0'),
        ({"weight": -1}, '"weight" is -1'),
        ({"weight": "heavy"}, '"weight" is "heavy"'),
        ({"weight": True}, '"weight" is true'),
        ({"prompt": 3}, '"prompt" is 3'),
        ({"a": "x\x00"}, '"a" is holding a NUL character (at character 1)'),
        ({"prompt": "\x00"}, '"prompt" is holding a NUL'),
        ({"id": "i\x00"}, '"id" is holding a NUL'),
        ({"votes": "a;b"}, '"votes" is "a;b"'),
        ({"votes": ["a", "c"]}, '"votes" is holding "c"'),
        ({"votes": [{"annotator": "ann"}]}, '"votes" is holding {"annotator": "ann"}'),
        ({"votes": [{"vote": "a", "text": 5}]}, '"votes" is holding'),
        ({"votes": ["a"] * 1001}, '"votes" is a list of 1001 votes'),
        ({"b": "x"}, '"b" is the same text as "a"; remove the row, or mark it as a tie'),
    ],
)
def test_what_is_wrong_with_a_row_is_said(jsonl: Write, change: dict[str, object], expected: str) -> None:
    (fault,) = faults(jsonl([{"a": "x", "b": "y", "preferred": "a", **change}]))
    assert fault.startswith(f"pairs.jsonl:1: {expected}")


@pytest.mark.parametrize("weight", ["nan", "inf", "0", "x", "1e999"])
def test_weights_in_csv_must_be_finite_numbers_above_zero(table: Write, weight: str) -> None:
    (fault,) = faults(table([{"a": "x", "b": "y", "preferred": "a", "weight": weight}]))
    assert f'"weight" is "{weight}"' in fault


def test_several_faults_of_one_row_are_all_reported(jsonl: Write) -> None:
    found = faults(jsonl([{"a": "", "b": 4, "preferred": "c", "weight": 0}]))
    assert [fault.split('"')[1] for fault in found] == ["a", "b", "preferred", "weight"]


def test_identical_texts_are_kept_where_they_tie(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [
        {"a": "x", "b": "x", "preferred": "tie"},
        {"a": "z", "b": "z", "votes": ["tie", "tie"]},
        {"a": "x", "b": "y", "preferred": "a"},
    ]
    reading = read_dataset(jsonl(rows))
    assert len(reading.dataset.pairs) == 3
    assert "2 of the ties are between identical texts" in reading.notes


def test_an_id_for_two_pairs_is_a_fault(jsonl: Write) -> None:
    row: dict[str, object] = {"id": "same", "a": "x", "b": "y", "preferred": "a"}
    assert faults(jsonl([row, {**row, "b": "z"}])) == [
        'pairs.jsonl:2: "id" is "same" again, for other texts; give each pair its own id, or leave ids out'
    ]


def test_ids_and_groups_may_be_whole_numbers(jsonl: Write) -> None:
    pair = read_dataset(jsonl([{"id": 7, "group": 12, "a": "x", "b": "y", "preferred": "a"}])).dataset.pairs[0]
    assert (pair.id, pair.group) == ("7", "12")


def test_ties_are_kept_and_counted(write: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": p} for i, p in enumerate(["a", "tie", "b"])]
    reading = read_dataset(write(rows))
    assert [pair.preferred for pair in reading.dataset.pairs] == ["a", "tie", "b"]
    assert reading.notes == ("1 of 3 pairs are ties; they are kept and carry no accuracy",)


def test_nothing_but_ties_is_refused(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "tie"} for i in range(3)]
    with pytest.raises(InputError, match="all 3 pairs are ties"):
        read_dataset(jsonl(rows))


def test_one_side_only_is_read_with_a_warning(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"x{i}", "b": "y", "preferred": "b"} for i in range(3)]
    (note,) = read_dataset(jsonl(rows)).notes
    assert note.startswith('all 3 decided pairs prefer "b"; read with --sides shuffle')


def test_shuffled_sides_depend_on_the_texts_alone(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [
        {"a": f"good {i}", "b": f"poor {i}", "votes": ["a", "a", "b"], "reason": "r"} for i in range(60)
    ]
    turned: list[dict[str, object]] = [{**r, "a": r["b"], "b": r["a"], "votes": ["b", "b", "a"]} for r in rows]
    first, second = read_dataset(jsonl(rows), sides="shuffle"), read_dataset(jsonl(turned), sides="shuffle")
    assert first.dataset == second.dataset
    assert all((p.a if p.preferred == "a" else p.b).startswith("good") for p in first.dataset.pairs)
    assert all(sum(v.preferred == p.preferred for v in p.votes) == 2 for p in first.dataset.pairs)
    assert 15 < sum(pair.preferred == "a" for pair in first.dataset.pairs) < 45


def test_votes_are_the_same_type_as_elsewhere(jsonl: Write) -> None:
    pair = read_dataset(jsonl([{"a": "x", "b": "y", "votes": ["a", "b", "a"]}])).dataset.pairs[0]
    assert pair.votes[0] == Vote(preferred="a")
