"""Compared pairs as training and evaluation data."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
from exchange_cases import HOSTILE, write_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.exchange.pairs_out import PAIR_ENDINGS, PairsExported, PairsWanted, export_pairs
from services.labelling.output import label_schema
from services.labelling.sinks import sink


def labelled(number: int, label: str, probability: float, **more: Any) -> dict[str, Any]:
    """A row as `touchstone label` writes it."""
    return {
        "id": f"p{number}", "a": f"text a {number}", "b": f"text b {number}", "prompt": f"question {number}",
        "preferred_given": None, "probability": probability, "label": label, "margin": abs(2 * probability - 1),
        "log_odds": 0.0, "majority": label, "votes_for_a": 1, "votes_for_b": 0, "abstained": 0, "missing": 0,
        "asked": 1,
        "effective_votes": 1.0, "stopped_early": False, "answers": [], "judge": "j", "criteria_set": "c" * 12,
        "labelling": "l" * 16, **more,
    }  # fmt: skip


ROWS = [labelled(1, "a", 0.9), labelled(2, "b", 0.3), labelled(3, "tie", 0.5)]
PEOPLE = [
    {"id": "1", "a": "x", "b": "y", "prompt": "p", "votes": ["a", "a", "b"]},
    {"id": "2", "a": "u", "b": "v", "preferred": "b"},
    {"id": "3", "a": "s", "b": "t", "preferred": "tie"},
]


def label_file(folder: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    path = folder / "labelled.parquet"
    with sink(path, label_schema(), {}) as written:
        written.write(ROWS if rows is None else rows)
    return path


def exported(path: Path, name: str = "out.jsonl", **wanted: Any) -> tuple[PairsExported, list[dict[str, Any]]]:
    out = path.parent / name
    made = export_pairs(path, out, PairsWanted(**wanted))
    if name.endswith(".parquet"):
        return made, pq.read_table(out).to_pylist()
    if name.endswith(".csv"):
        with out.open(encoding="utf-8", newline="") as file:
            return made, list(csv.DictReader(file))
    return made, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_labelled_pairs_become_preferences_and_ties_are_counted(name: str, tmp_path: Path) -> None:
    made, rows = exported(label_file(tmp_path), name)
    assert (made.read, made.written, made.ties, made.unsure, made.prompted) == (3, 2, 1, 0, True)
    assert rows[1] == {
        "prompt": "question 2", "chosen": "text b 2", "rejected": "text a 2", "score_chosen": pytest.approx(0.7),
        "score_rejected": pytest.approx(0.3), "id": "p2", "source": "l" * 16, "criteria_set": "c" * 12,
    }  # fmt: skip
    assert any("a ranking rather than calibrated probabilities" in note for note in made.notes)


def test_labels_in_json_lines_are_read_as_well(tmp_path: Path) -> None:
    made, rows = exported(write_lines(tmp_path / "labels.jsonl", ROWS))
    assert (made.written, rows[0]["source"]) == (2, "l" * 16)


def test_people_count_by_how_far_their_votes_support_the_answer(tmp_path: Path) -> None:
    made, rows = exported(write_lines(tmp_path / "pairs.jsonl", PEOPLE))
    assert [(r["chosen"], r["rejected"], r["source"]) for r in rows] == [("x", "y", "people"), ("v", "u", "people")]
    assert [r["score_chosen"] for r in rows] == pytest.approx([2 / 3, 1.0])
    assert made.ties == 1
    assert any("1 of 3 pairs are ties" in note for note in made.notes), "what reading noted is passed on"


def test_chat_messages_have_an_explicit_prompt(tmp_path: Path) -> None:
    _, rows = exported(label_file(tmp_path), "chat.parquet", target="trl-chat")
    assert rows[0]["prompt"] == [{"role": "user", "content": "question 1"}]
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "text a 1"}]
    assert rows[0]["rejected"] == [{"role": "assistant", "content": "text b 1"}]


@pytest.mark.parametrize("target", ["trl", "trl-chat"])
def test_what_is_written_for_trl_is_read_back_as_preferences(target: Any, tmp_path: Path) -> None:
    exported(write_lines(tmp_path / "pairs.jsonl", PEOPLE), "back.jsonl", target=target)
    back = read_dataset(tmp_path / "back.jsonl")
    assert back.format == "trl"
    assert [(p.prompt, p.a, p.b) for p in back.dataset.pairs] == [("p", "x", "y"), ("", "v", "u")]


def test_pairs_without_any_prompt_have_no_such_column(tmp_path: Path) -> None:
    made, rows = exported(write_lines(tmp_path / "pairs.jsonl", PEOPLE[1:]))
    assert "prompt" not in rows[0]
    assert not made.prompted
    assert any("DPOTrainer not" in note for note in made.notes)


def test_a_margin_is_a_column_only_if_it_is_wanted_and_always_a_bar(tmp_path: Path) -> None:
    path = label_file(tmp_path)
    _, plain = exported(path)
    _, wide = exported(path, margin=True)
    barred, rows = exported(path, least_margin=0.5)
    assert "margin" not in plain[0]
    assert [row["margin"] for row in wide] == pytest.approx([0.8, 0.4])
    assert (barred.unsure, len(rows)) == (1, 1)


def test_a_pairwise_model_gets_both_texts_in_their_order_and_a_probability(tmp_path: Path) -> None:
    _, rows = exported(label_file(tmp_path), target="bradley-terry")
    assert [(r["a"], r["preferred"], r["probability"], r["weight"]) for r in rows] == [
        ("text a 1", "a", 0.9, 1.0),
        ("text a 2", "b", 0.3, 1.0),
    ]


def test_an_arena_case_holds_two_contestants_and_the_winner(tmp_path: Path) -> None:
    _, rows = exported(label_file(tmp_path), target="deepeval")
    assert rows[1]["winner"] == "b"
    assert rows[1]["contestants"] == [
        {"name": side, "test_case": {"input": "question 2", "actual_output": f"text {side} 2"}} for side in "ab"
    ]


@settings(max_examples=25, deadline=None)
@given(text=st.sampled_from([*HOSTILE, "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "plain"]))
def test_no_cell_of_a_csv_file_is_a_formula(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("c")
    made, rows = exported(write_lines(folder / "p.jsonl", [{"a": text, "b": "other", "preferred": "a"}]), "o.csv")
    chosen = rows[0]["chosen"]
    assert chosen in (text, f"'{text}")
    assert not chosen.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert (chosen != text) == any("got an apostrophe" in note for note in made.notes)


def test_texts_in_other_types_are_left_as_they_are(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"a": "=1+1", "b": "other", "preferred": "a"}])
    assert exported(path)[1][0]["chosen"] == "=1+1"
    assert exported(path, "o.parquet")[1][0]["chosen"] == "=1+1"


@pytest.mark.parametrize("target", PAIR_ENDINGS)
def test_the_same_pairs_give_the_same_bytes(target: Any, tmp_path: Path) -> None:
    path = label_file(tmp_path)
    for ending in PAIR_ENDINGS[target]:
        files = [tmp_path / f"{n}{ending}" for n in (1, 2)]
        for file in files:
            export_pairs(path, file, PairsWanted(target))
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("o.xlsx", PairsWanted(), "go to a .jsonl or .parquet or .csv file"),
        ("o.csv", PairsWanted("trl-chat"), "pairs as trl-chat go to a .jsonl or .parquet file"),
        ("o.parquet", PairsWanted("deepeval"), "pairs as deepeval go to a .jsonl file"),
        ("o.jsonl", PairsWanted("bradley-terry", margin=True), "bradley-terry has no column margin"),
    ],
)
def test_what_a_target_cannot_hold_is_refused(name: str, wanted: PairsWanted, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        export_pairs(label_file(tmp_path), tmp_path / name, wanted)


def test_faulty_labels_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    rows = [ROWS[0], labelled(2, "left", 0.4), labelled(3, "a", 1.5), labelled(4, "a", 0.9, b=" ")]
    with pytest.raises(FaultyRows) as caught:
        exported(write_lines(tmp_path / "labels.jsonl", rows))
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(2, "label"), (3, "probability"), (4, "b")]
    assert not (tmp_path / "out.jsonl").exists()


def test_an_export_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "out.csv"
    old.write_text("mine")
    with pytest.raises(FaultyRows):
        exported(write_lines(tmp_path / "labels.jsonl", [labelled(2, "left", 0.4)]), "out.csv")
    assert old.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.jsonl", "out.csv"]


def test_a_large_labelling_is_written_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "labelled.parquet"
    with sink(path, label_schema(), {}) as written:
        for start in range(0, 5_000, 500):
            words = [f"{number} " * 600 for number in range(start, start + 500)]
            written.write([labelled(start + i, "a", 0.8, a=w) for i, w in enumerate(words)])
    tracemalloc.start()
    made = export_pairs(path, tmp_path / "o.jsonl", PairsWanted())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.written == 5_000
    assert (tmp_path / "o.jsonl").stat().st_size > 12_000_000
    assert peak < 6_000_000
