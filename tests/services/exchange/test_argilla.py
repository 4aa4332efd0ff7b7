"""Votes out of Argilla's exports. The exports are written here, in the shapes that Argilla's own code gives them.

The shapes of 2.x were compared with what `argilla` 2.8 writes; those of 1.x with its documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
from exchange_cases import write_json, write_lines

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.exchange.choosing import Choice
from services.exchange.importing import import_votes
from services.exchange.recognising import TOOLS, exported_votes
from services.exchange.votes_file import VotesFile

ANN, BO, CY = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))

Given = list[list[tuple[str, str, Any, Any]]]
"""For each record (user, status, preference, reason)."""

FIELDS = [
    {"prompt": "Name a prime.", "response_1": "Seven is prime.", "response_2": "Nine is prime."},
    {"prompt": "Name a colour.", "response_1": "Blue", "response_2": "Red, I think"},
    {"prompt": "Say hello.", "response_1": "Hello!", "response_2": "Hello."},
]


def nested(answers: list[dict[str, list[tuple[str, Any]]]]) -> list[dict[str, Any]]:
    """Records as `to_json` of 2.x writes them, which leaves the responses' status out."""
    return [
        {
            "id": f"r{i}",
            "fields": fields,
            "metadata": {"source": "web"},
            "suggestions": {"preference": {"value": "response_2", "score": 0.9, "agent": "a-model"}},
            "responses": {q: [{"value": v, "user_id": user} for user, v in rows] for q, rows in given.items()},
            "vectors": {},
            "status": "completed",
            "_server_id": None,
        }
        for i, (fields, given) in enumerate(zip(FIELDS, answers, strict=True))
    ]


def flat(answers: Given) -> list[dict[str, Any]]:
    """Records as `to_list(flatten=True)` of 2.x writes them: (user, status, preference, reason)."""
    return [
        {
            "id": f"r{i}",
            "status": "completed",
            "_server_id": None,
            **fields,
            "source": "web",
            "preference.responses": [value for _, _, value, _ in rows],
            "preference.responses.users": [user for user, *_ in rows],
            "preference.responses.status": [status for _, status, *_ in rows],
            "reason.responses": [reason for *_, reason in rows],
            "reason.responses.users": [user for user, *_ in rows],
            "reason.responses.status": [status for _, status, *_ in rows],
            "preference.suggestion": "response_1",
            "preference.suggestion.score": None,
            "preference.suggestion.agent": None,
        }
        for i, (fields, rows) in enumerate(zip(FIELDS, answers, strict=True))
    ]


def served(value_of: dict[str, Any]) -> list[dict[str, Any]]:
    """Records as the server and 1.x keep them: a list of users' responses with their values."""
    return [
        {
            "id": "9f0c",
            "external_id": "e1",
            "fields": FIELDS[0],
            "metadata": {},
            "responses": [
                {
                    "user_id": ANN,
                    "status": "submitted",
                    "values": {name: {"value": value} for name, value in value_of.items()},
                    "inserted_at": "2024-05-01T10:00:00",
                    "updated_at": "2024-05-01T12:00:00.250000+02:00",
                },
                {"user_id": BO, "status": "discarded", "values": None},
            ],
        }
    ]


def rows_of(path: Path, choice: Choice | None = None) -> list[dict[str, Any]]:
    found = VotesFile(path, TOOLS["argilla"], choice)
    return [row.fields for row in found.rows(frozenset())]  # type: ignore[union-attr]  # a fault would fail the test


def said(path: Path, choice: Choice | None = None) -> list[list[tuple[str, str]]]:
    return [[(v.get("annotator", ""), v["preferred"]) for v in row["votes"]] for row in rows_of(path, choice)]


FLAT: Given = [
    [(ANN, "submitted", "response_1", "true"), (BO, "draft", "response_2", ""), (CY, "submitted", "response_1", "")],
    [(ANN, "submitted", "response_2", "nicer"), (BO, "discarded", None, None)],
    [(ANN, "submitted", "tie", "no difference"), (BO, "submitted", "response_2", "")],
]


def test_a_label_question_gives_a_vote_for_each_user(tmp_path: Path) -> None:
    given = [
        {"preference": [(ANN, "response_1"), (BO, "response_1")], "reason": [(ANN, "nine is no prime")]},
        {"preference": [(ANN, "response_2")]},
        {"preference": [(BO, "tie")]},
    ]
    path = write_json(tmp_path / "x.json", nested(given))
    assert said(path) == [[(ANN, "a"), (BO, "a")], [(ANN, "b")], [(BO, "tie")]]
    first = rows_of(path)[0]
    assert (first["id"], first["prompt"]) == ("r0", "Name a prime.")
    assert (first["a"], first["b"]) == ("Seven is prime.", "Nine is prime.")
    assert first["votes"][0]["reason"] == "nine is no prime"


def test_an_export_without_status_says_that_drafts_may_count(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", nested([{"preference": [(ANN, "response_1")]}, {}, {}]))
    made = import_votes(path, "argilla", tmp_path / "out.jsonl")
    assert any("1 responses do not say whether they were handed in" in note for note in made.notes)
    assert made.left_out == {"empty": 2}


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.parquet"])
def test_a_flattened_export_leaves_out_what_was_not_handed_in_and_counts_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(flat(FLAT)), path)
    else:
        (write_json if name == "x.json" else write_lines)(path, flat(FLAT))
    assert said(path) == [[(ANN, "a"), (CY, "a")], [(ANN, "b")], [(ANN, "tie"), (BO, "b")]]
    made = import_votes(path, "argilla", tmp_path / "out.jsonl")
    assert (made.records, made.pairs, made.votes, made.annotators) == (3, 3, 5, 3)
    assert made.left_out == {"draft": 1, "discarded": 1}


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.parquet"])
def test_an_export_is_mined_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(flat(FLAT)), path)
    else:
        (write_json if name == "x.json" else write_lines)(path, flat(FLAT))
    reading = read_dataset(path)
    assert reading.format == "argilla"
    assert [pair.preferred for pair in reading.dataset.pairs] == ["a", "b", "tie"]
    assert reading.dataset.pairs[0].reason == "true"
    assert any("left out: 1 responses were never handed in" in note for note in reading.notes)
    assert reading.agreement is not None


def test_what_is_imported_is_read_to_the_same_pairs_as_the_export_itself(tmp_path: Path) -> None:
    path, out = write_json(tmp_path / "x.json", flat(FLAT)), tmp_path / "out.jsonl"
    import_votes(path, "argilla", out)
    assert read_dataset(out).dataset.pairs == read_dataset(path).dataset.pairs
    assert read_dataset(out).format == "native"


@pytest.mark.parametrize(
    ("values", "preferred"),
    [
        ({"preference": "response_2"}, "b"),
        ({"preference": "Response 1"}, "a"),
        ({"preference": "2"}, "b"),
        ({"preference": "A is better"}, "a"),
        ({"preference": "Both good"}, "tie"),
        ({"ranking": ["response_2", "response_1"]}, "b"),
        ({"ranking": [{"rank": 1, "value": "response_1"}, {"rank": 2, "value": "response_2"}]}, "a"),
        ({"ranking": [{"rank": 1, "value": "response_1"}, {"rank": 1, "value": "response_2"}]}, "tie"),
        ({"response_1_rating": 2, "response_2_rating": 5}, "b"),
        ({"response_1_rating": 4, "response_2_rating": 4}, "tie"),
        ({"rating-1": 5, "rating-2": 1}, "a"),
    ],
)
def test_labels_rankings_and_pairs_of_ratings_are_understood(
    values: dict[str, Any], preferred: str, tmp_path: Path
) -> None:
    assert said(write_json(tmp_path / "x.json", served(values))) == [[(ANN, preferred)]]


def test_the_servers_records_keep_times_in_utc_and_the_users_own_id(tmp_path: Path) -> None:
    row = rows_of(write_json(tmp_path / "x.json", served({"preference": "response_1", "why": " plain "})))[0]
    assert row["id"] == "e1"
    assert row["votes"] == [
        {"preferred": "a", "annotator": ANN, "reason": "plain", "at": "2024-05-01T10:00:00.250000Z"}
    ]


@pytest.mark.parametrize("listed", [True, False])
def test_the_table_of_1x_has_a_column_for_each_question(listed: bool, tmp_path: Path) -> None:
    columns = {"user_id": [ANN, BO], "value": ["response_2", "response_1"], "status": ["submitted", "discarded"]}
    answers = [{key: column[i] for key, column in columns.items()} for i in range(2)]
    record = {**FIELDS[0], "external_id": "e7", "metadata": "{}", "preference-suggestion": "response_1"}
    path = write_lines(tmp_path / "x.jsonl", [{**record, "preference": answers if listed else columns}])
    assert said(path) == [[(ANN, "b")]]
    assert read_dataset(path).format == "argilla"


def test_chat_fields_become_text(tmp_path: Path) -> None:
    records = served({"preference": "response_1"})
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "What?"}]
    records[0]["fields"] = {"prompt": chat, "response_1": chat[1:], "response_2": "Hello."}
    row = rows_of(write_json(tmp_path / "x.json", records))[0]
    assert (row["prompt"], row["a"]) == ("user: Hi\n\nassistant: What?", "What?")


def test_texts_are_found_by_name_and_named_where_that_is_not_enough(tmp_path: Path) -> None:
    records = served({"preference": "b"})
    records[0]["fields"] = {"query": "q", "draft": "one text", "final": "another text"}
    path = write_json(tmp_path / "x.json", records)
    with pytest.raises(InputError, match='name them by --a and --b; fields found: "query", "draft", "final"'):
        rows_of(path)
    row = rows_of(path, Choice(a="final", b="draft"))[0]
    assert (row["prompt"], row["a"], row["votes"][0]["preferred"]) == ("q", "another text", "b")
    with pytest.raises(InputError, match='has no "finale", which --a names'):
        rows_of(path, Choice(a="finale", b="draft"))
    with pytest.raises(InputError, match="give both --a and --b"):
        rows_of(path, Choice(a="final"))


def test_several_pairs_of_texts_are_not_guessed_between(tmp_path: Path) -> None:
    records = served({"preference": "b"})
    records[0]["fields"] = {"text_a": "x", "text_b": "y", "title_a": "z", "title_b": "w"}
    with pytest.raises(InputError, match="several pairs of fields could be the two texts"):
        rows_of(write_json(tmp_path / "x.json", records))


def test_answers_that_are_not_plain_are_explained_by_the_user(tmp_path: Path) -> None:
    records = served({"score": 4, "verdict": "the upper one"})
    path = write_json(tmp_path / "x.json", records)
    with pytest.raises(InputError, match=r'answers found: "score": 4; "verdict": "the upper one"'):
        rows_of(path)
    assert said(path, Choice(question="verdict", meanings={"the upper one": "a"})) == [[(ANN, "a")]]
    assert said(path, Choice(question="score", meanings={"4": "b", "3": "tie"})) == [[(ANN, "b")]]


def test_two_questions_that_both_tell_a_preference_are_not_guessed_between(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", served({"style": "response_1", "truth": "response_2"}))
    with pytest.raises(InputError, match='questions "style" or "truth" could all be the preference'):
        rows_of(path)
    assert said(path, Choice(question="truth")) == [[(ANN, "b")]]
    assert said(path, Choice(question="style")) == [[(ANN, "a")]]


def test_two_rating_questions_may_be_named(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", served({"left mark": 1, "right mark": 3}))
    assert said(path, Choice(question="left mark, right mark")) == [[(ANN, "b")]]


def test_numbers_mean_the_texts_that_are_numbered_so(tmp_path: Path) -> None:
    records = served({"preference": "1"})
    records[0]["fields"] = {"response_0": "first", "response_1": "second"}
    assert said(write_json(tmp_path / "x.json", records)) == [[(ANN, "b")]]


def test_a_faulty_record_is_told_with_its_place_and_nothing_is_written(tmp_path: Path) -> None:
    records = flat(FLAT)
    records[1]["response_2"] = "   "
    records[2]["preference.responses"] = ["nonsense", "response_2"]
    path, out = write_json(tmp_path / "x.json", records), tmp_path / "out.jsonl"
    choice = Choice(question="preference")
    with pytest.raises(FaultyRows) as caught:
        import_votes(path, "argilla", out, choice)
    assert [str(fault) for fault in caught.value.faults] == [
        'x.json:2: "response_2" is blank; give every row this text, or remove the row',
        'x.json:3: "preference" is "nonsense"; say what this answer means by --means, or correct it in the tool',
    ]
    assert not out.exists()
    made = import_votes(path, "argilla", out, choice, skip_faulty=True)
    assert (made.pairs, made.faulty, len(made.faults)) == (1, 2, 2)
    assert len(out.read_text().splitlines()) == 1


def test_a_preference_between_identical_texts_is_a_fault(tmp_path: Path) -> None:
    records = served({"preference": "response_1"})
    records[0]["fields"] = {"response_1": "same", "response_2": "same"}
    with pytest.raises(FaultyRows, match='the same text as "a"'):
        import_votes(write_json(tmp_path / "x.json", records), "argilla", tmp_path / "o.jsonl")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"responses": {"preference": "response_1"}}, "responses.preference"),
        ({"responses": {"preference": ["response_1"]}}, "preference"),
        ({"responses": [{"user_id": ANN, "status": "lost", "values": {}}]}, "status"),
        ({"responses": [{"user_id": ANN, "status": "submitted", "values": "response_1"}]}, "responses"),
        ({"responses": ["response_1"]}, "responses"),
    ],
)
def test_responses_of_another_shape_are_faults(change: dict[str, Any], field: str, tmp_path: Path) -> None:
    good = served({"preference": "response_1"})[0]
    path = write_json(tmp_path / "x.json", [good, {**good, **change}])
    with pytest.raises(FaultyRows) as caught:
        import_votes(path, "argilla", tmp_path / "o.jsonl")
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(2, field)]


def test_an_export_in_which_nothing_counts_is_refused(tmp_path: Path) -> None:
    rows: Given = [[(ANN, "draft", "response_1", "")], [(ANN, "discarded", None, None)], []]
    path = write_json(tmp_path / "x.json", flat(rows))
    told = r"no vote that counts \(1 responses were never handed in \(drafts\); 1 responses were discarded"
    with pytest.raises(InputError, match=told):
        import_votes(path, "argilla", tmp_path / "o.jsonl")
    with pytest.raises(InputError, match=told):
        read_dataset(path)


def test_how_an_export_is_read_is_decided_by_answers_that_count_wherever_they_stand(tmp_path: Path) -> None:
    idle: Given = [[(ANN, "draft", "nonsense", "")], [], [(BO, "discarded", None, None)]]
    path = write_json(tmp_path / "x.json", flat(idle) * 100 + flat(FLAT))
    assert len(said(path)) == 3


def test_a_truncated_export_is_told_as_such(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", flat(FLAT) * 20)
    path.write_text(path.read_text()[:-200])
    with pytest.raises(InputError, match="ends in the middle of its array"):
        import_votes(path, "argilla", tmp_path / "o.jsonl")


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": "x", "b": "y", "votes": ["a"], "fields": {}, "responses": []}],
        [{"prompt": "p", "chosen": "x", "rejected": "y"}],
        [{"text": "t", "label": 1}],
        [{}],
        [1, 2],
    ],
)
def test_other_files_are_not_taken_for_exports(rows: list[Any], tmp_path: Path) -> None:
    assert exported_votes(write_lines(tmp_path / "x.jsonl", rows)) is None
    assert exported_votes(write_json(tmp_path / "x.json", rows)) is None
