"""Labelled pairs as files: every column, in file order, bounded row groups, whole or not at all; and data for TRL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelling_bench import (
    ALL,
    WEIGHTS,
    CountingJudge,
    JudgedBy,
    created,
    labelled,
    pairs_file,
    sweep,
    work_off_chunks,
    write_rows,
)
from letter_parties import letter_dataset
from workbench import bench, with_parties

from knowledge_base.errors import InputError
from services.deployment import Deployment
from services.labelling.label import CALIBRATION
from services.labelling.labelled import LabelledPair, pages
from services.labelling.output import MARK, Outputs, check_output, label_schema, preference, trl_schema, write_outputs
from services.labelling.register import Labelling, load_labelling
from services.labelling.sinks import ParquetSink, sink

ROWS = [
    {"id": p.id, "a": p.a, "b": p.b, "prompt": f"Question {p.id}?", "preferred": p.preferred}
    for p in letter_dataset(40, seed=4).pairs
]
ROWS += [{"id": "same", "a": "one text", "b": "one text", "prompt": "?"}]
COLUMNS = [
    "id", "a", "b", "prompt", "preferred_given", "probability", "label", "margin", "log_odds", "majority",
    "votes_for_a", "votes_for_b", "abstained", "missing", "asked", "effective_votes", "stopped_early", "answers",
    "judge", "criteria_set", "labelling",
]  # fmt: skip


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


def done(deployment: Deployment, path: Path) -> Labelling:
    labelling = created(deployment, path)
    sweep(deployment, labelling)
    work_off_chunks(deployment)
    return load_labelling(deployment.database, labelling)


@pytest.fixture
def labelling(deployment: Deployment, place: Path) -> Labelling:
    return done(deployment, write_rows(place / "pairs.jsonl", ROWS))


def written(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return list(pq.read_table(path).to_pylist())


def test_both_file_types_hold_the_same_rows_in_the_order_of_the_file(
    deployment: Deployment, labelling: Labelling, tmp_path: Path
) -> None:
    for name in ("labels.parquet", "labels.jsonl"):
        write_outputs(deployment.database, labelling, Outputs(tmp_path / name))
    rows = written(tmp_path / "labels.parquet")
    assert rows == written(tmp_path / "labels.jsonl")
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert [list(row) for row in rows] == [COLUMNS] * len(rows) == [label_schema().names] * len(rows)


def test_a_row_says_what_it_was_given_what_came_of_it_and_from_what(
    deployment: Deployment, labelling: Labelling, tmp_path: Path
) -> None:
    write_outputs(deployment.database, labelling, Outputs(tmp_path / "labels.parquet"))
    pairs = labelled(deployment, labelling.id)
    for row, source in zip(written(tmp_path / "labels.parquet"), ROWS, strict=True):
        pair = pairs[row["id"]]
        assert {k: row[k] for k in ("a", "b", "prompt")} == {k: source[k] for k in ("a", "b", "prompt")}
        assert row["preferred_given"] == source.get("preferred")
        assert (row["label"], row["probability"], row["margin"]) == (
            pair.label.label, pair.label.probability, pair.label.margin
        )  # fmt: skip
        assert (row["asked"], row["stopped_early"]) == (len(pair.answers), pair.early)
        assert row["votes_for_a"] + row["votes_for_b"] + row["abstained"] + row["missing"] == row["asked"]
        assert (row["judge"], row["criteria_set"]) == ("letters/1", labelling.version)
        weights = {m.criterion.name: m.weight for m in labelling.sheet.members}
        votes = [weights[a["name"]] * {"A": 1, "B": -1, "abstain": 0}[a["verdict"]] for a in row["answers"]]
        assert row["log_odds"] == pytest.approx(sum(votes), abs=1e-12)
    answer = written(tmp_path / "labels.parquet")[0]["answers"][0]
    assert list(answer) == ["criterion", "name", "verdict", "hesitation", "order", "status", "judge", "sample"]


def test_identical_texts_are_a_tie_without_answers(
    deployment: Deployment, labelling: Labelling, tmp_path: Path
) -> None:
    write_outputs(deployment.database, labelling, Outputs(tmp_path / "labels.parquet"))
    last = written(tmp_path / "labels.parquet")[-1]
    assert (last["id"], last["label"], last["probability"], last["asked"]) == ("same", "tie", 0.5, 0)
    assert not last["stopped_early"]
    assert "1 rows hold the same text twice; they are ties, and nobody was asked" in labelling.notes


def test_a_parquet_file_says_where_its_labels_come_from_and_what_its_probability_is_not(
    deployment: Deployment, labelling: Labelling, tmp_path: Path
) -> None:
    write_outputs(deployment.database, labelling, Outputs(tmp_path / "labels.parquet"))
    about = json.loads(pq.read_schema(tmp_path / "labels.parquet").metadata[MARK.encode()])
    assert about["labelling"] == labelling.id
    assert about["criteria_set"] == labelling.version
    assert json.loads(about["stop"])["kind"] == "exact"
    assert about["calibration"] == CALIBRATION


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_the_same_labels_give_the_same_bytes(
    deployment: Deployment, labelling: Labelling, tmp_path: Path, ending: str
) -> None:
    for name in ("one", "two"):
        outputs = Outputs(tmp_path / f"{name}.{ending}", tmp_path / f"{name}-trl.{ending}")
        write_outputs(deployment.database, labelling, outputs)
    for what in ("", "-trl"):
        one, two = (tmp_path / f"{name}{what}.{ending}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_preferences_for_trl_are_those_of_the_label_and_ties_are_left_out(
    deployment: Deployment, labelling: Labelling, tmp_path: Path, ending: str
) -> None:
    trl = tmp_path / f"trl.{ending}"
    summary = write_outputs(deployment.database, labelling, Outputs(tmp_path / "labels.parquet", trl))
    rows, pairs = written(trl), [p for p in labelled(deployment, labelling.id).values() if p.label.label != "tie"]
    assert len(rows) == len(pairs) == summary.exported
    for row, pair in zip(rows, pairs, strict=True):
        assert list(row) == ["prompt", "chosen", "rejected", "score_chosen", "score_rejected", "labelling"]
        better = (pair.a, pair.b) if pair.label.label == "a" else (pair.b, pair.a)
        assert ((row["chosen"], row["rejected"]), row["prompt"]) == (better, pair.prompt)
        assert row["score_chosen"] > 0.5 > row["score_rejected"]
        assert row["score_chosen"] + row["score_rejected"] == pytest.approx(1)


def test_pairs_under_the_least_margin_are_left_out_of_the_preferences_alone(
    deployment: Deployment, labelling: Labelling, tmp_path: Path
) -> None:
    outputs = Outputs(tmp_path / "labels.parquet", tmp_path / "trl.jsonl", 0.5)
    summary = write_outputs(deployment.database, labelling, outputs)
    margins = {p.name: p.label.margin for p in labelled(deployment, labelling.id).values()}
    assert summary.exported == sum(margin >= 0.5 for margin in margins.values())
    assert 0 < summary.exported < sum(margin > 0 for margin in margins.values())
    assert len(written(tmp_path / "labels.parquet")) == len(ROWS)


def test_no_column_is_called_margin_for_a_reward_trainer_would_take_it_as_an_order() -> None:
    assert "margin" not in trl_schema(True).names


def test_preferences_without_prompts_have_no_prompt_column(deployment: Deployment, place: Path, tmp_path: Path) -> None:
    found = done(deployment, pairs_file(place, 10))
    write_outputs(deployment.database, found, Outputs(tmp_path / "labels.jsonl", tmp_path / "trl.jsonl"))
    assert list(written(tmp_path / "trl.jsonl")[0]) == [
        "chosen", "rejected", "score_chosen", "score_rejected", "labelling"
    ]  # fmt: skip


def test_a_tie_is_no_preference(deployment: Deployment, labelling: Labelling) -> None:
    pairs: dict[str, LabelledPair] = labelled(deployment, labelling.id)
    assert preference(pairs["same"], 0.0) is None


def test_pages_are_bounded_and_complete(
    deployment: Deployment, labelling: Labelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [pair.name for page in pages(deployment.database, labelling) for pair in page]
    monkeypatch.setattr("services.labelling.labelled.PAGE", 7)
    monkeypatch.setattr("services.labelling.labelled.LOOKED_AT", 17)
    found = list(pages(deployment.database, labelling))
    assert [pair.name for page in found for pair in page] == whole
    assert max(map(len, found)) == 7
    monkeypatch.setattr("services.labelling.chunks.BYTES", 200)
    assert max(map(len, pages(deployment.database, labelling))) == 2


def test_row_groups_are_bounded_in_rows_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.labelling.sinks.GROUP_ROWS", 10)
    monkeypatch.setattr("services.labelling.sinks.GROUP_BYTES", 5000)
    schema = pa.schema([("text", pa.string())])
    with sink(tmp_path / "x.parquet", schema, {}) as made:
        assert isinstance(made, ParquetSink)
        for size in [1] * 25 + [6000] + [1]:
            made.write([{"text": "x" * size}])
    metadata = pq.read_metadata(tmp_path / "x.parquet")
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [10, 10, 6, 1]


def test_a_file_without_rows_still_has_its_columns(tmp_path: Path) -> None:
    with sink(tmp_path / "x.parquet", trl_schema(True), {}):
        pass
    assert pq.read_table(tmp_path / "x.parquet").column_names == trl_schema(True).names


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_file_takes_its_place_whole_or_not_at_all(tmp_path: Path, ending: str) -> None:
    path, schema = tmp_path / f"x.{ending}", pa.schema([("n", pa.int32())])
    path.write_text("as it was")

    def broken() -> None:
        with sink(path, schema, {}) as made:
            made.write([{"n": 1}])
            assert path.read_text() == "as it was"
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        broken()
    assert path.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with sink(path, schema, {}) as made:
        made.write([{"n": 1}])
    assert written(path) == [{"n": 1}]
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match=r"file/x\.jsonl cannot be written"),
        sink(tmp_path / "file" / "x.jsonl", pa.schema([]), {}),
    ):
        pass


@pytest.mark.parametrize("name", ["labels.csv", "labels", "labels.parquet.gz"])
def test_another_file_type_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"give a file that ends in \.parquet or \.jsonl"):
        check_output(tmp_path / name, "", force=True)


def test_a_folder_in_the_files_place_and_a_file_in_the_folders_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path / "x.parquet", "", force=True)
    with pytest.raises(InputError, match=r"is a file, so .* cannot be in it"):
        check_output(tmp_path / "file" / "x.parquet", "", force=True)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_labels_of_this_labelling_may_be_replaced_and_anything_else_needs_force(
    deployment: Deployment, labelling: Labelling, tmp_path: Path, ending: str
) -> None:
    outputs = Outputs(tmp_path / f"labels.{ending}", tmp_path / f"trl.{ending}")
    write_outputs(deployment.database, labelling, outputs)
    for path in (outputs.labels, tmp_path / f"trl.{ending}"):
        check_output(path, labelling.id, force=False)
        check_output(path, "", force=False)
        with pytest.raises(InputError, match=f"holds other labels \\({labelling.id}\\)"):
            check_output(path, "another", force=False)
        check_output(path, "another", force=True)
    strange = tmp_path / f"strange.{ending}"
    if ending == "jsonl":
        strange.write_text('{"prompt": "x", "chosen": "y"}\n')
    else:
        pq.write_table(pa.table({"n": [1]}), strange)
    with pytest.raises(InputError, match="is not of `touchstone label`"):
        check_output(strange, "", force=False)
    strange.write_text("neither")
    with pytest.raises(InputError, match="is not of `touchstone label`"):
        check_output(strange, labelling.id, force=False)
    check_output(strange, "", force=True)


def test_each_answer_says_who_gave_it(deployment: Deployment, place: Path, tmp_path: Path) -> None:
    own = with_parties(deployment, JudgedBy(CountingJudge("letters/1"), CountingJudge("letters/2")))
    labelling = created(own, pairs_file(place, 5), ALL)
    sweep(own, labelling)
    work_off_chunks(own)
    write_outputs(own.database, load_labelling(own.database, labelling), Outputs(tmp_path / "labels.jsonl"))
    row = written(tmp_path / "labels.jsonl")[0]
    assert row["judge"] == "letters/1 + letters/2"
    assert [a["judge"] for a in row["answers"]] == ["letters/1", "letters/2"] * len(WEIGHTS)
    assert row["asked"] == 2 * len(WEIGHTS)
    assert row["votes_for_a"] + row["votes_for_b"] + row["abstained"] == len(WEIGHTS)
