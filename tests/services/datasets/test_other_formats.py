"""Formats of other tools are recognised by their columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.datasets import FaultyRows, read_dataset

Write = Callable[[list[dict[str, object]]], Path]


def user(text: object) -> dict[str, object]:
    return {"role": "user", "content": text}


def said(text: object) -> dict[str, object]:
    return {"role": "assistant", "content": text}


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultyRows) as caught:
        read_dataset(path)
    return [str(fault) for fault in caught.value.faults]


def test_plain_trl_rows_prefer_the_chosen_text(jsonl: Write) -> None:
    reading = read_dataset(jsonl([{"prompt": "p", "chosen": "good", "rejected": "poor"}]))
    pair = reading.dataset.pairs[0]
    assert reading.format == "trl"
    assert (pair.prompt, pair.a, pair.b, pair.preferred) == ("p", "good", "poor", "a")


@pytest.mark.parametrize("writer", ["jsonl", "parquet"])
def test_trl_messages_become_text(writer: str, request: pytest.FixtureRequest) -> None:
    row: dict[str, object] = {"prompt": [user("p")], "chosen": [said("good")], "rejected": [said("poor")]}
    pair = read_dataset(request.getfixturevalue(writer)([row])).dataset.pairs[0]
    assert (pair.prompt, pair.a, pair.b) == ("p", "good", "poor")


def test_trl_messages_may_stand_as_json_in_csv(table: Write) -> None:
    row: dict[str, object] = {"prompt": "p", "chosen": json.dumps([said("good")]), "rejected": "[not json"}
    pair = read_dataset(table([row])).dataset.pairs[0]
    assert (pair.a, pair.b) == ("good", "[not json")


def test_an_implicit_prompt_is_the_shared_opening(jsonl: Write) -> None:
    opening = [user("p"), said("q"), user("r")]
    row: dict[str, object] = {"chosen": [*opening, said("good")], "rejected": [*opening, said("poor")]}
    pair = read_dataset(jsonl([row])).dataset.pairs[0]
    assert pair.prompt == "user: p\n\nassistant: q\n\nuser: r"
    assert (pair.a, pair.b) == ("good", "poor")


def test_answers_that_open_alike_keep_their_last_message(jsonl: Write) -> None:
    row: dict[str, object] = {"chosen": [user("p"), said("x")], "rejected": [user("p"), said("x"), user("more")]}
    pair = read_dataset(jsonl([row])).dataset.pairs[0]
    assert (pair.prompt, pair.a, pair.b) == ("p", "x", "assistant: x\n\nuser: more")


@pytest.mark.parametrize("prompt", ["p", [user("p")]])
def test_a_prompt_repeated_in_the_conversations_is_taken_out_of_them(jsonl: Write, prompt: object) -> None:
    row: dict[str, object] = {
        "prompt": prompt,
        "chosen": [user("p"), said("good")],
        "rejected": [user("p"), said("poor")],
    }
    pair = read_dataset(jsonl([row])).dataset.pairs[0]
    assert (pair.prompt, pair.a, pair.b) == ("p", "good", "poor")


def test_an_opening_that_the_prompt_does_not_hold_is_kept(jsonl: Write) -> None:
    row: dict[str, object] = {
        "prompt": "other",
        "chosen": [user("p"), said("good")],
        "rejected": [user("p"), said("poor")],
    }
    pair = read_dataset(jsonl([row])).dataset.pairs[0]
    assert (pair.prompt, pair.a) == ("other", "user: p\n\nassistant: good")


def test_messages_of_text_parts_are_joined(jsonl: Write) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    row: dict[str, object] = {"prompt": "p", "chosen": [said(parts)], "rejected": [said("poor")]}
    assert read_dataset(jsonl([row])).dataset.pairs[0].a == "one\ntwo"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"chosen": [said([{"type": "image"}])]}, '"chosen" is holding the message [{"type": "image"}]'),
        ({"chosen": [said(None)]}, '"chosen" is holding the message null'),
        ({"chosen": []}, '"chosen" is []; write a string, or a list of messages'),
        ({"chosen": ["text"]}, '"chosen" is ["text"]'),
        ({"chosen": "poor"}, '"rejected" is the same text as "chosen"'),
        ({"rejected": None}, '"rejected" is missing'),
        ({"prompt": [1]}, '"prompt" is [1]'),
    ],
)
def test_what_is_wrong_with_a_trl_row_is_said(jsonl: Write, change: dict[str, object], expected: str) -> None:
    found = faults(jsonl([{"prompt": "p", "chosen": "good", "rejected": "poor", **change}]))
    assert found[0].startswith(f"pairs.jsonl:1: {expected}")


def test_identical_conversations_are_a_fault(jsonl: Write) -> None:
    row: dict[str, object] = {"chosen": [user("p"), said("x")], "rejected": [user("p"), said("x")]}
    assert "the same text" in faults(jsonl([row]))[0]


def test_a_trl_file_is_one_sided_and_says_so(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"prompt": "p", "chosen": f"x{i}", "rejected": "y"} for i in range(9)]
    assert "--sides shuffle" in read_dataset(jsonl(rows)).notes[0]
    assert {pair.preferred for pair in read_dataset(jsonl(rows), sides="shuffle").dataset.pairs} == {"a", "b"}


def test_the_reference_implementations_rows_are_read(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"A": "x", "B": "y", "answer": "A"}, {"A": "x", "B": "z", "answer": "B"}]
    reading = read_dataset(jsonl(rows))
    assert reading.format == "reference"
    assert [(p.a, p.b, p.preferred) for p in reading.dataset.pairs] == [("x", "y", "a"), ("x", "z", "b")]


@pytest.mark.parametrize(("answer", "shown"), [("a", '"a"'), ("A ", '"A "'), ("tie", '"tie"'), (None, "missing")])
def test_the_reference_answer_is_a_or_b_in_capitals(jsonl: Write, answer: str | None, shown: str) -> None:
    found = faults(jsonl([{"A": "x", "B": "y", "answer": answer}]))
    assert found == [f'pairs.jsonl:1: "answer" is {shown}; use "A" or "B"']


@pytest.mark.parametrize(
    ("winner", "preferred"), [("model_a", "a"), ("model_b", "b"), ("tie", "tie"), ("tie (bothbad)", "tie")]
)
def test_arena_winners_are_translated(table: Write, winner: str, preferred: str) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": "p", "response_a": "x", "response_b": "y", "winner": winner, "model_a": "m"},
        {"prompt": "p", "response_a": "u", "response_b": "v", "winner": "model_b", "model_a": "m"},
    ]
    reading = read_dataset(table(rows))
    assert reading.format == "arena"
    assert reading.dataset.pairs[0].preferred == preferred
    assert "columns that mean nothing here were ignored: model_a" in reading.notes


def test_arena_judges_are_annotators(jsonl: Write) -> None:
    row: dict[str, object] = {"response_a": "x", "response_b": "y", "winner": "model_a"}
    rows = [{**row, "judge": "ann"}, {**row, "judge": "bo"}, {**row, "judge": "cy", "winner": "model_b"}]
    (pair,) = read_dataset(jsonl(rows)).dataset.pairs
    assert [(v.annotator, v.preferred) for v in pair.votes] == [("ann", "a"), ("bo", "a"), ("cy", "b")]
    assert pair.preferred == "a"


@pytest.mark.parametrize("winner", ["Model_A", "a", "both", None])
def test_other_arena_winners_are_faults(jsonl: Write, winner: str | None) -> None:
    (fault,) = faults(jsonl([{"response_a": "x", "response_b": "y", "winner": winner}]))
    assert fault.endswith('use "model_a", "model_b", "tie" or "tie (bothbad)"')


def test_an_arena_tie_between_identical_texts_is_kept(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [
        {"response_a": "x", "response_b": "x", "winner": "tie (bothbad)"},
        {"response_a": "x", "response_b": "y", "winner": "model_a"},
    ]
    assert len(read_dataset(jsonl(rows)).dataset.pairs) == 2
