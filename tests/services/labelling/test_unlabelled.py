"""Pairs to label are read a row at a time; every fault is told, and nothing of a faulty file is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelling_bench import write_rows

from knowledge_base.errors import InputError
from services.datasets import FaultyRows
from services.labelling.unlabelled import Incoming, PairsFile

ROW = {"id": "1", "a": "one text", "b": "another text", "prompt": "Say something.", "preferred": "b"}


def read(path: Path, limit: int | None = None) -> list[Incoming]:
    file = PairsFile(path, limit)
    return [row for some in file.slices(file.survey(), 3, 10_000) for row in some]


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultyRows) as caught:
        PairsFile(path).survey()
    return str(caught.value).splitlines()


def test_a_row_comes_with_everything_that_it_states(tmp_path: Path) -> None:
    [found] = read(write_rows(tmp_path / "p.jsonl", [ROW]))
    assert (found.row, found.name, found.given) == (1, "1", "b")
    assert (found.a, found.b, found.prompt) == ("one text", "another text", "Say something.")
    assert found.pair.preferred == "tie", "what people said is not part of what a judge may see"
    assert found.size == len("one text" + "another text" + "Say something.")


def test_texts_alone_are_enough_and_get_an_id_from_their_content(tmp_path: Path) -> None:
    rows = [{"a": "x", "b": "y"}, {"a": "y", "b": "x"}, {"a": "x", "b": "z"}]
    one, turned, other = read(write_rows(tmp_path / "p.jsonl", rows))
    assert one.name == turned.name != other.name
    assert one.texts == turned.texts != other.texts
    assert one.given == ""


@pytest.mark.parametrize("column", ["preferred", "label"])
@pytest.mark.parametrize("answer", ["a", "b", "tie"])
def test_a_preference_may_stand_in_either_column(tmp_path: Path, column: str, answer: str) -> None:
    [found] = read(write_rows(tmp_path / "p.jsonl", [{"a": "x", "b": "y", column: answer}]))
    assert found.given == answer


def test_csv_and_parquet_hold_the_same_pairs_as_jsonl(tmp_path: Path) -> None:
    rows = [{**ROW, "id": str(i), "a": f'"{i}", or so', "preferred": "a" if i % 2 else ""} for i in range(70)]
    as_json = write_rows(tmp_path / "p.jsonl", [{**r, "preferred": r["preferred"] or None} for r in rows])
    csv = tmp_path / "p.csv"
    quoted = ["id,a,b,prompt,preferred"]
    quoted += [",".join('"' + v.replace('"', '""') + '"' for v in r.values()) for r in rows]
    csv.write_text("\n".join(quoted) + "\n")
    columnar = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pylist([{**r, "preferred": r["preferred"] or None} for r in rows]), columnar)
    found = [[(p.name, p.a, p.b, p.prompt, p.given) for p in read(path)] for path in (as_json, csv, columnar)]
    assert found[0] == found[1] == found[2]
    assert {PairsFile(path).survey().digest for path in (as_json, csv, columnar)} == {PairsFile(csv).survey().digest}


@pytest.mark.parametrize(
    ("row", "texts", "given"),
    [
        ({"prompt": "q", "chosen": "x", "rejected": "y"}, ("x", "y"), "a"),
        ({"A": "x", "B": "y", "answer": "B"}, ("x", "y"), "b"),
        ({"response_a": "x", "response_b": "y", "winner": "tie (bothbad)"}, ("x", "y"), "tie"),
    ],
)
def test_files_of_labelled_pairs_are_read_as_well(
    tmp_path: Path, row: dict[str, str], texts: tuple[str, str], given: str
) -> None:
    [found] = read(write_rows(tmp_path / "p.jsonl", [row]))
    assert ((found.a, found.b), found.given) == (texts, given)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"a": "x"}, 'p.jsonl:2: "b" is missing; give every row this text, or remove the row'),
        ({"a": "x", "b": "  "}, 'p.jsonl:2: "b" is blank; give every row this text, or remove the row'),
        ({"a": 3, "b": "y"}, 'p.jsonl:2: "a" is 3; write it as a string'),
        ({"a": "x\x00", "b": "y"}, 'p.jsonl:2: "a" is holding a NUL character (at character 1); remove NUL characters'),
        ({"a": "x", "b": "y", "preferred": "A "}, 'p.jsonl:2: "preferred" is "A "; use "a", "b" or "tie"'),
        ({"a": "x", "b": "y", "label": 1}, 'p.jsonl:2: "label" is 1; use "a", "b" or "tie"'),
        ({"a": "x", "b": "y", "prompt": []}, 'p.jsonl:2: "prompt" is []; write it as a string or leave it out'),
        ({"a": "x" * 5_000_001, "b": "y"}, 'p.jsonl:2: "a" is 5000001 bytes long; cut it to at most 5000000 bytes'),
    ],
)
def test_a_bad_row_is_told_with_file_row_field_value_and_remedy(tmp_path: Path, row: dict[str, Any], told: str) -> None:
    assert faults(write_rows(tmp_path / "p.jsonl", [ROW, row])) == [told]


def test_a_line_that_is_not_json_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(ROW) + "\n{oops\n[1]\n")
    first, second = faults(path)
    assert first.startswith("p.jsonl:2: the row is not JSON")
    assert second == "p.jsonl:3: the row is [1], not an object; write one JSON object on each line"


def test_an_id_that_stands_for_other_texts_before_is_told_and_one_repeated_with_its_texts_is_not(
    tmp_path: Path,
) -> None:
    rows = [{"id": "x", "a": "1", "b": "2"}, {"id": "y", "a": "1", "b": "3"}, {"id": "x", "a": "2", "b": "1"}]
    wrong = [{"id": "y", "a": "1", "b": "4"}, {"id": "x", "a": "5", "b": "6"}, {"a": "7", "b": "8"}]
    assert len(read(write_rows(tmp_path / "p.jsonl", rows))) == 3
    told = '"id" is given to other texts before; give each pair its own id, or leave ids out'
    assert faults(write_rows(tmp_path / "p.jsonl", rows + wrong)) == [f"p.jsonl:4: {told}", f"p.jsonl:5: {told}"]


def test_of_many_faults_the_first_twenty_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    told = faults(write_rows(tmp_path / "p.jsonl", [ROW] + [{"a": "x"}] * 50))
    assert len(told) == 21
    assert told[-1] == "... and 30 more faults in p.jsonl"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.jsonl", '{"text": "x", "label": 1}\n', "p.jsonl holds single texts; give pairs"),
        ("p.jsonl", '{"left": "x", "right": "y"}\n', "p.jsonl fits no format"),
        ("p.jsonl", "\n\n", "p.jsonl is empty; give at least one pair"),
        ("p.csv", "a,b\n", "p.csv has columns but no rows; give at least one pair"),
        ("p.txt", "a,b\n", "p.txt ends in '.txt'"),
        ("p.jsonl", "[{}]", "p.jsonl is one JSON document, not JSON Lines"),
    ],
)
def test_a_file_that_holds_no_pairs_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=told.replace(".", r"\.")):
        PairsFile(path).survey()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        PairsFile(tmp_path / "none.jsonl")


def test_only_the_first_rows_are_looked_at_where_there_is_a_limit(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.jsonl", [{"a": str(i), "b": "y"} for i in range(9)] + [{"a": "x"}])
    assert [p.a for p in read(path, 5)] == ["0", "1", "2", "3", "4"]
    assert PairsFile(path, 5).survey().rows == 5
    with pytest.raises(FaultyRows):
        PairsFile(path).survey()


def test_slices_are_bounded_in_rows_and_in_bytes(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.jsonl", [{"a": "x" * (400 if i == 4 else 10), "b": str(i)} for i in range(8)])
    file = PairsFile(path)
    assert [len(s) for s in file.slices(file.survey(), 3, 10_000)] == [3, 3, 2]
    assert [len(s) for s in file.slices(file.survey(), 3, 300)] == [3, 2, 3]


@pytest.mark.parametrize("more", [{"a": "new", "b": "row"}, {"a": "faulty"}])
def test_a_file_that_changes_between_two_looks_is_not_taken_for_the_one_that_was_checked(
    tmp_path: Path, more: dict[str, str]
) -> None:
    path = write_rows(tmp_path / "p.jsonl", [ROW])
    file = PairsFile(path)
    survey = file.survey()
    write_rows(path, [ROW, more])
    with pytest.raises(InputError, match="was changed while it was read"):
        list(file.slices(survey, 10, 10_000))


def test_the_digest_is_of_what_comes_into_the_output_and_of_its_order(tmp_path: Path) -> None:
    def digest(*rows: dict[str, str]) -> str:
        return PairsFile(write_rows(tmp_path / "p.jsonl", rows)).survey().digest

    other = {**ROW, "id": "2", "a": "third"}
    assert digest(ROW, other) == digest(ROW, {**other, "unknown": "column"})
    changed = [{**other, field: "b1" if field != "preferred" else "a"} for field in ("id", "a", "b", "prompt")]
    seen = {digest(ROW, other), digest(other, ROW), *(digest(ROW, row) for row in changed)}
    assert len(seen) == 6
    assert digest(ROW) != digest({**ROW, "preferred": "a"})


def test_a_survey_says_whether_there_are_prompts_and_which_columns_were_ignored(tmp_path: Path) -> None:
    plain = PairsFile(write_rows(tmp_path / "p.jsonl", [{"a": "x", "b": "y"}])).survey()
    assert not plain.prompted
    assert plain.notes == ()
    found = PairsFile(write_rows(tmp_path / "p.jsonl", [{**ROW, "model": "m", "score": 3}])).survey()
    assert found.prompted
    assert found.notes == ("columns that mean nothing here were ignored: model, score",)
