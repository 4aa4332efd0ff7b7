"""Votes out of Label Studio's exports. The exports are written here, in the shapes of its converter and guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exchange_cases import write_json, write_lines

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.exchange.choosing import Choice
from services.exchange.importing import import_votes
from services.exchange.labelling_config import with_config
from services.exchange.recognising import TOOLS
from services.exchange.votes_file import VotesFile

DATA = {"prompt": "Name a prime.", "answer1": "Seven is prime.", "answer2": "Nine is prime."}
CONFIG = """\
<View>
  <Header value="Which answer is better?"/>
  <Text name="question" value="$prompt"/>
  <Pairwise name="pw" toName="right_box,left_box"/>
  <Text name="left_box" value="$answer1"/>
  <Text name="right_box" value="$answer2"/>
  <TextArea name="why" toName="question"/>
</View>
"""


def picked(side: str, name: str = "pw", to: str = "pw") -> dict[str, Any]:
    """What the Pairwise control stores."""
    return {"id": "a1", "from_name": name, "to_name": to, "type": "pairwise", "value": {"selected": side}}


def chose(*choices: str, name: str = "tie") -> dict[str, Any]:
    return {"id": "a2", "from_name": name, "to_name": "t", "type": "choices", "value": {"choices": list(choices)}}


def wrote(*texts: str, name: str = "why") -> dict[str, Any]:
    return {"id": "a3", "from_name": name, "to_name": "t", "type": "textarea", "value": {"text": list(texts)}}


def annotated(*results: dict[str, Any], by: object = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": 1001,
        "completed_by": by,
        "result": list(results),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-05-01T10:00:00.000000Z",
        "updated_at": "2024-05-01T11:00:00.000000Z",
        "lead_time": 4.2,
        **more,
    }


def task(*annotations: dict[str, Any], number: int = 1, data: dict[str, Any] | None = None) -> dict[str, Any]:
    prediction = {"model_version": "m1", "result": [picked("right")]}
    return {
        "id": number,
        "data": data or {**DATA, "prompt": f"{DATA['prompt']} ({number})"},
        "annotations": list(annotations),
        "predictions": [prediction],
        "created_at": "2024-04-01T10:00:00.000000Z",
        "project": 83,
    }


def minimal(answer: Any, by: object = 7, number: int = 1, **more: Any) -> dict[str, Any]:
    """A record of JSON-MIN: the data, the controls' answers, and who gave them."""
    told = {"annotator": by, "annotation_id": 9, "created_at": "2024-05-01T10:00:00Z", "lead_time": 3.0}
    return {**DATA, "prompt": f"{DATA['prompt']} ({number})", "id": number, "pw": answer, **told, **more}


def rows_of(path: Path, choice: Choice | None = None) -> list[dict[str, Any]]:
    found = VotesFile(path, TOOLS["label-studio"], choice)
    return [row.fields for row in found.rows(frozenset())]  # type: ignore[union-attr]  # a fault would fail the test


def said(path: Path, choice: Choice | None = None) -> list[list[str]]:
    return [[vote["preferred"] for vote in row["votes"]] for row in rows_of(path, choice)]


def test_every_annotation_is_a_vote_with_its_annotator_reason_and_time(tmp_path: Path) -> None:
    done = task(annotated(picked("left"), wrote("nine is no prime", "really")), annotated(picked("right"), by=8))
    assert rows_of(write_json(tmp_path / "x.json", [done])) == [
        {
            "id": "1",
            "a": "Seven is prime.",
            "b": "Nine is prime.",
            "prompt": "Name a prime. (1)",
            "votes": [
                {
                    "preferred": "a",
                    "annotator": "7",
                    "reason": "nine is no prime\nreally",
                    "at": "2024-05-01T11:00:00Z",
                },
                {"preferred": "b", "annotator": "8", "at": "2024-05-01T11:00:00Z"},
            ],
        }
    ]


def test_annotators_with_an_address_are_named_by_it_as_in_json_min(tmp_path: Path) -> None:
    who = {"id": 3, "email": "ann@example.org", "first_name": "Ann"}
    path = write_json(
        tmp_path / "x.json", [task(annotated(picked("left"), by=who), annotated(picked("left"), by={"id": 4}))]
    )
    assert [vote["annotator"] for vote in rows_of(path)[0]["votes"]] == ["ann@example.org", "4"]


def test_cancelled_and_empty_annotations_are_left_out_and_counted(tmp_path: Path) -> None:
    tasks = [
        task(annotated(picked("left")), annotated(picked("right"), was_cancelled=True), annotated()),
        task(annotated(was_cancelled=True), number=2),
        task(number=3),
    ]
    made = import_votes(write_json(tmp_path / "x.json", tasks), "label-studio", tmp_path / "o.jsonl")
    assert (made.records, made.pairs, made.votes) == (3, 1, 1)
    assert made.left_out == {"cancelled": 2, "unanswered": 1, "empty": 2}


def test_what_models_predicted_is_no_vote(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no vote that counts"):
        import_votes(write_json(tmp_path / "x.json", [task()]), "label-studio", tmp_path / "o.jsonl")


def test_ground_truth_counts_as_a_vote_and_is_told(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", [task(annotated(picked("left"), ground_truth=True))])
    made = import_votes(path, "label-studio", tmp_path / "o.jsonl")
    assert any("1 annotations are marked as ground truth" in note for note in made.notes)


def test_a_second_control_may_say_that_neither_is_better(tmp_path: Path) -> None:
    tasks = [
        task(annotated(picked("left")), annotated(chose("About the same"), by=8)),
        task(annotated(picked("right"), chose("About the same")), annotated(picked("right")), number=2),
    ]
    path = write_json(tmp_path / "x.json", tasks)
    assert said(path) == [["a", "tie"], ["b"]]
    found = VotesFile(path, TOOLS["label-studio"])
    list(found.rows(frozenset()))
    assert found.counts["contradictory"] == 1


def test_choices_alone_may_name_the_sides(tmp_path: Path) -> None:
    tasks = [task(annotated(chose("Answer 2"))), task(annotated(chose("Tie")), number=2)]
    assert said(write_json(tmp_path / "x.json", tasks)) == [["b"], ["tie"]]


def test_several_choices_at_once_are_a_fault(tmp_path: Path) -> None:
    tasks = [task(annotated(chose("Answer 1"))), task(annotated(chose("Answer 1", "Tie")), number=2)]
    path = write_json(tmp_path / "x.json", tasks)
    with pytest.raises(FaultyRows, match=r'x.json:2: "tie" is \["Answer 1", "Tie"\]; say what this answer means'):
        import_votes(path, "label-studio", tmp_path / "o.jsonl", Choice(question="tie"))


def test_two_ratings_compare_the_texts(tmp_path: Path) -> None:
    stars = [
        {"from_name": f"stars_{n}", "to_name": f"answer{n}", "type": "rating", "value": {"rating": n + 2}}
        for n in (1, 2)
    ]
    assert said(write_json(tmp_path / "x.json", [task(annotated(*stars))])) == [["b"]]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_json_min_has_an_annotation_a_record(name: str, tmp_path: Path) -> None:
    records = [minimal([{"selected": "left"}]), minimal([{"selected": "right"}], by="bo@example.org", why="shorter")]
    records.append(minimal([{"selected": "left"}], number=2))
    path = (write_json if name == "x.json" else write_lines)(tmp_path / name, records)
    assert said(path) == [["a"], ["b"], ["a"]]
    reading = read_dataset(path)
    assert reading.format == "label-studio"
    assert [(v.annotator, v.preferred, v.reason) for v in reading.dataset.pairs[0].votes] == [
        ("7", "a", ""),
        ("bo@example.org", "b", "shorter"),
    ]


def test_json_and_json_min_of_one_project_are_read_to_the_same_pairs(tmp_path: Path) -> None:
    sides = ["left", "right", "left"]
    full = [task(annotated(picked(s), by=i), number=i) for i, s in enumerate(sides, 1)]
    small = [minimal([{"selected": s}], by=i, number=i) for i, s in enumerate(sides, 1)]
    one, other = write_json(tmp_path / "full.json", full), write_json(tmp_path / "min.json", small)
    assert read_dataset(one).dataset.pairs == read_dataset(other).dataset.pairs


def test_an_export_is_mined_as_it_is_with_what_was_left_out_in_the_notes(tmp_path: Path) -> None:
    tasks = [task(annotated(picked("left")), annotated(was_cancelled=True)), task(annotated(picked("right")), number=2)]
    reading = read_dataset(write_json(tmp_path / "x.json", tasks))
    assert [pair.preferred for pair in reading.dataset.pairs] == ["a", "b"]
    assert 'a is "answer1", b is "answer2", prompt is "prompt"' in reading.notes[0]
    assert "left out: 1 annotations were cancelled or skipped" in reading.notes[1]


def test_a_single_task_over_several_lines_is_an_export_too(tmp_path: Path) -> None:
    import json

    path = tmp_path / "x.json"
    path.write_text(json.dumps(task(annotated(picked("left"))), indent=2))
    assert said(path) == [["a"]]


def test_the_configuration_says_which_text_is_left(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    config.write_text(CONFIG)
    choice = with_config(Choice(), config)
    assert (choice.a, choice.b, choice.prompt) == ("answer2", "answer1", "prompt")
    path = write_json(tmp_path / "x.json", [task(annotated(picked("left")))])
    assert rows_of(path, choice)[0]["a"] == "Nine is prime."
    assert with_config(Choice(a="answer1", b="answer2"), config).a == "answer1", "what the user named stands"


def test_an_answer_that_names_the_texts_says_which_is_left(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", [task(annotated(picked("left", to="answer2,answer1")))])
    assert rows_of(path)[0]["a"] == "Nine is prime."


def test_data_keys_are_listed_where_the_texts_cannot_be_told(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", [task(annotated(picked("left")), data={"summary": "s", "original": "o"})])
    with pytest.raises(InputError, match='name them by --a and --b; fields found: "summary", "original"'):
        rows_of(path)
    assert said(path, Choice(a="summary", b="original")) == [["a"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<View><Text name='a' value='$a'/></View>", "has no <Pairwise"),
        ("<View><Pairwise name='p' toName='a'/></View>", "has no <Pairwise"),
        ("<View>", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><View/>', "is no labelling configuration"),
        ("", "is not XML"),
    ],
)
def test_a_configuration_that_compares_nothing_or_hides_something_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.xml"
    config.write_text(text)
    with pytest.raises(InputError, match=message):
        with_config(Choice(), config)


def test_a_missing_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        with_config(Choice(), tmp_path / "none.xml")


def test_faults_name_the_task_and_the_field(tmp_path: Path) -> None:
    tasks: list[Any] = [
        task(annotated(picked("left"))),
        task(annotated(picked("left")), number=2, data={**DATA, "answer2": 5}),
        task(annotated(picked("middle")), number=3),
        {**task(number=4), "annotations": ["lost"]},
        "not a task",
        {"image": "x.png"},
    ]
    path = write_json(tmp_path / "x.json", tasks)
    with pytest.raises(FaultyRows) as caught:
        import_votes(path, "label-studio", tmp_path / "o.jsonl", Choice(a="answer1", b="answer2", question="pw"))
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [
        (2, "answer2"), (3, "pw"), (4, "annotations"), (5, ""), (6, ""),
    ]  # fmt: skip


def test_a_large_export_is_imported_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    data = {**DATA, "answer1": "word " * 2000}
    one = write_json(tmp_path / "one.json", task(annotated(picked("left")), data=data)).read_text()
    path = tmp_path / "x.json"
    path.write_text("[" + ",".join([one] * 1200) + "]")
    tracemalloc.start()
    made = import_votes(path, "label-studio", tmp_path / "o.jsonl")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.pairs == 1200
    assert path.stat().st_size > 12_000_000
    assert peak < 6_000_000
