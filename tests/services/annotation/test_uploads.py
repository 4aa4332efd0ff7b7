"""Files of every format taken into a dataset: all or nothing, once, and as reading them for a run would have it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotation_bench import NAME, dataset, jsonl, pairs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from agents.pairs import Dataset
from knowledge_base.errors import InputError, NotThere
from services.annotation import incoming as incoming_module
from services.annotation.dataset import open_dataset
from services.annotation.freezing import freeze
from services.annotation.pairs import add_pairs
from services.annotation.settings import AnnotationSettings
from services.annotation.tables import StatementRow, VoteRow
from services.annotation.uploading import upload
from services.annotation.votes import votes_export
from services.database import Database
from services.datasets import FaultyRows, read_dataset
from services.tables import PairRow

DESCRIPTION = "Which text is better?"
NATIVE: list[dict[str, Any]] = [
    {"a": "x", "b": "y", "preferred": "a", "reason": "better", "id": "1", "group": "g", "weight": 2},
    {"a": "u", "b": "v", "votes": [{"annotator": "ann", "preferred": "b", "reason": "so"}, "b", "tie"]},
    {"a": "y", "b": "x", "preferred": "a", "annotator": "bo"},
    {"a": "q", "b": "r", "preferred": "a", "votes": ["b", "b"], "reason": "beside"},
    {"a": "u", "b": "v", "preferred": "b", "annotator": "cy", "prompt": "under another prompt"},
    {"a": "t", "b": "t", "preferred": "tie"},
]
TRL = [{"prompt": "Name a prime.", "chosen": "Seven", "rejected": "Nine"}, {"chosen": "x", "rejected": "y"}]
REFERENCE = [{"A": "x", "B": "y", "answer": "A"}, {"A": "u", "B": "v", "answer": "B"}]
ARENA = [
    {"response_a": "x", "response_b": "y", "winner": "model_a", "judge": "j1"},
    {"response_a": "x", "response_b": "y", "winner": "tie (bothbad)", "judge": "j2"},
    {"response_a": "y", "response_b": "x", "winner": "model_b", "judge": "j1"},
    {"response_a": "u", "response_b": "v", "winner": "model_b", "judge": "j1"},
]
POINTWISE = [{"text": f"text {i}", "label": i % 2} for i in range(9)]
FILES = {"native": NATIVE, "trl": TRL, "reference": REFERENCE, "arena": ARENA, "pointwise": POINTWISE}


def facts(frozen: Dataset) -> list[Any]:
    """All that a dataset says, ids included."""
    return [frozen.hash, [p.model_dump() for p in frozen.pairs], frozen.points]


def counts(database: Database) -> tuple[int, int, int]:
    """Statements, votes, and texts there are."""
    with database.read() as connection:
        found = [connection.execute(select(func.count()).select_from(t)) for t in (StatementRow, VoteRow, PairRow)]
        return tuple(int(f.scalar_one()) for f in found)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_file_freezes_to_what_reading_it_gives(database: Database, tmp_path: Path, kind: str) -> None:
    path = jsonl(tmp_path / "pairs.jsonl", FILES[kind])
    dataset(database)
    report = upload(database, NAME, path)
    assert (report.format, report.already, report.dry_run, report.file) == (kind, False, False, "pairs.jsonl")
    assert facts(freeze(database, NAME)) == facts(read_dataset(path, description=DESCRIPTION).dataset)


@pytest.mark.parametrize("sides", ["keep", "shuffle"])
def test_sides_are_shuffled_as_reading_shuffles_them(quick: Database, tmp_path: Path, sides: Any) -> None:
    path = jsonl(tmp_path / "pairs.jsonl", NATIVE)
    dataset(quick)
    upload(quick, NAME, path)
    read = read_dataset(path, description=DESCRIPTION, sides=sides).dataset
    assert facts(freeze(quick, NAME, sides=sides)) == facts(read)


def test_csv_and_parquet_are_taken_like_json_lines(quick: Database, tmp_path: Path) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
    from pyarrow import parquet as pq  # type: ignore[import-untyped]  # ships no types

    rows = [{"a": f"x{i}", "b": "y, or z", "preferred": "ab"[i % 2], "annotator": f"p{i % 3}"} for i in range(40)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "p.csv").write_text(text.getvalue())
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    jsonl(tmp_path / "p.jsonl", rows)
    hashes = set()
    for ending in ("csv", "parquet", "jsonl"):
        dataset(quick, name=ending)
        upload(quick, ending, tmp_path / f"p.{ending}")
        hashes.add(freeze(quick, ending).hash)
    assert hashes == {read_dataset(tmp_path / "p.csv", description=DESCRIPTION).dataset.hash}


TEXT = st.sampled_from(["x", "y", "z", "=1+1", "ß\u2028", "two\nlines"])
ANSWER = st.sampled_from(["a", "b", "tie"])
PERSON = st.sampled_from(["", "ann", "bo", "cy"])
VOTE = st.fixed_dictionaries({"preferred": ANSWER, "annotator": PERSON, "reason": st.sampled_from(["", " ", "why"])})
ROW = st.fixed_dictionaries(
    {"a": TEXT, "b": TEXT},
    optional={
        "preferred": ANSWER, "votes": st.lists(VOTE, min_size=1, max_size=3), "annotator": PERSON,
        "reason": st.sampled_from(["", "because", " "]), "group": st.sampled_from(["", "g", "h"]),
        "prompt": st.sampled_from(["", "p"]),
    },
).filter(lambda r: r["a"] != r["b"] and ("preferred" in r or "votes" in r))  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=8), size=st.integers(1, 4))
def test_any_rows_freeze_to_what_reading_them_gives(
    quick: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], size: int
) -> None:
    """However the rows fall into slices; a row that decides something is added so that there is something to learn."""
    path = jsonl(tmp_path / "pairs.jsonl", [{"a": "one", "b": "other", "preferred": "a", "votes": ["a"]}, *rows])
    monkeypatch.setattr("services.annotation.uploading.SLICE_ROWS", size)
    name = f"n{open_count(quick)}"
    dataset(quick, name=name)
    upload(quick, name, path)
    assert facts(freeze(quick, name)) == facts(read_dataset(path, description=DESCRIPTION).dataset)


def open_count(database: Database) -> int:
    from services.annotation.tables import OpenDatasetRow

    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(OpenDatasetRow)).scalar_one())


def test_a_file_that_is_too_large_to_hold_is_read_again(
    quick: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_module, "HELD_BYTES", 3)
    test_a_file_freezes_to_what_reading_it_gives(quick, tmp_path, "native")


def test_votes_of_many_named_people_are_settled_by_their_reliability(database: Database, tmp_path: Path) -> None:
    """Enough overlap for Dawid-Skene, which reading uses then."""
    rows = [
        {"a": f"x{i}", "b": f"y{i}", "votes": [
            {"annotator": name, "preferred": "ab"[(i + (name == "bad" and i % 3 > 0)) % 2]}
            for name in ("ann", "bo", "bad")
        ]}
        for i in range(30)
    ]  # fmt: skip
    path = jsonl(tmp_path / "pairs.jsonl", rows)
    dataset(database)
    upload(database, NAME, path)
    frozen = freeze(database, NAME)
    assert any("dawid-skene" in note for note in frozen.notes)
    assert facts(frozen) == facts(read_dataset(path, description=DESCRIPTION).dataset)


def test_the_same_content_is_taken_in_once_whatever_the_file(database: Database, tmp_path: Path) -> None:
    dataset(database)
    upload(database, NAME, jsonl(tmp_path / "one.jsonl", NATIVE))
    before = counts(database)
    spaced = tmp_path / "two.json"
    spaced.write_text("".join(json.dumps(row, indent=None, separators=(" ,", " : ")) + "\r\n\n" for row in NATIVE))
    again = upload(database, NAME, spaced)
    assert (again.already, again.pairs_added, again.votes_added, again.known_rows) == (True, 0, 0, 6)
    assert "taken in before" in again.notes[-1]
    assert counts(database) == before


def test_a_file_that_has_grown_adds_what_is_new(database: Database, tmp_path: Path) -> None:
    dataset(database)
    upload(database, NAME, jsonl(tmp_path / "one.jsonl", NATIVE[:3]))
    report = upload(database, NAME, jsonl(tmp_path / "two.jsonl", NATIVE))
    assert (report.rows, report.known_rows, report.pairs_added, report.votes_added) == (6, 3, 3, 4)
    read = read_dataset(tmp_path / "two.jsonl", description=DESCRIPTION).dataset
    assert facts(freeze(database, NAME)) == facts(read)


def test_a_row_that_a_file_says_twice_counts_twice_and_again_only_once(quick: Database, tmp_path: Path) -> None:
    row: dict[str, Any] = {"a": "x", "b": "y", "votes": ["a"]}
    dataset(quick)
    upload(quick, NAME, jsonl(tmp_path / "one.jsonl", [row, row]))
    upload(quick, NAME, jsonl(tmp_path / "two.jsonl", [row, row, row]))
    assert len(freeze(quick, NAME).pairs[0].votes) == 3


def test_a_row_with_its_sides_exchanged_says_the_same(quick: Database, tmp_path: Path) -> None:
    dataset(quick)
    upload(quick, NAME, jsonl(tmp_path / "one.jsonl", [{"a": "x", "b": "y", "votes": ["a", "tie"]}]))
    report = upload(quick, NAME, jsonl(tmp_path / "two.jsonl", [{"a": "y", "b": "x", "votes": ["b", "tie"]}]))
    assert (report.already, report.votes_added) == (True, 0)


def test_what_one_person_says_later_stands_and_the_rest_of_the_row_stays(database: Database, tmp_path: Path) -> None:
    dataset(database)
    first = [{"a": "x", "b": "y", "votes": [{"annotator": "ann", "preferred": "a"}, "b"]}]
    upload(database, NAME, jsonl(tmp_path / "one.jsonl", first))
    later = [{"a": "y", "b": "x", "preferred": "tie", "annotator": "ann"}]
    upload(database, NAME, jsonl(tmp_path / "two.jsonl", later))
    votes = freeze(database, NAME).pairs[0].votes
    assert [(v.annotator, v.preferred) for v in votes] == [("", "b"), ("ann", "tie")]


def test_votes_of_an_earlier_time_do_not_displace_later_ones(quick: Database, tmp_path: Path) -> None:
    dataset(quick)
    said = [{"a": "x", "b": "y", "preferred": answer, "annotator": "ann"} for answer in ("a", "b")]
    upload(quick, NAME, jsonl(tmp_path / "new.jsonl", said[:1]))
    upload(quick, NAME, jsonl(tmp_path / "old.jsonl", said[1:]), at=1_000_000.0)
    assert freeze(quick, NAME).pairs[0].preferred == "a"
    with pytest.raises(InputError, match="not later than now"):
        upload(quick, NAME, tmp_path / "old.jsonl", at=time.time() + 10_000)


def test_pairs_without_answers_are_taken_and_wait_for_people(database: Database, tmp_path: Path) -> None:
    dataset(database)
    rows = [{"a": f"x{i}", "b": "y", "id": f"{i}", "label": "a", "probability": 0.9} for i in range(3)]
    report = upload(database, NAME, jsonl(tmp_path / "pairs.jsonl", rows))
    assert (report.format, report.pairs_added, report.votes_added) == ("pairs", 3, 0)
    assert report.notes == ("columns that mean nothing here were ignored: label, probability",)
    with pytest.raises(InputError, match="no pair of dataset 'pairs' has a vote"):
        freeze(database, NAME)
    grown = upload(database, NAME, jsonl(tmp_path / "more.jsonl", [*rows, {"a": "new", "b": "y"}]))
    assert (grown.known_rows, grown.pairs_added) == (3, 1)


def test_answers_that_begin_late_in_a_file_of_pairs_are_a_fault_and_not_lost(quick: Database, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"a": f"x{i}", "b": "y"} for i in range(30)]
    dataset(quick)
    with pytest.raises(FaultyRows, match=r"pairs.jsonl:31: \"preferred\" is given here, but in no row before"):
        upload(quick, NAME, jsonl(tmp_path / "pairs.jsonl", [*rows, {"a": "q", "b": "r", "preferred": "a"}]))


def test_answers_to_pairs_that_were_waiting_find_them(database: Database, tmp_path: Path) -> None:
    dataset(database)
    add_pairs(database, NAME, pairs(2))
    rows = [{"a": "right 1", "b": "left 1", "preferred": "a"}]
    assert upload(database, NAME, jsonl(tmp_path / "pairs.jsonl", rows)).pairs_added == 0
    (pair,) = freeze(database, NAME).pairs
    assert (pair.id, pair.a, pair.preferred) == ("p1", "left 1", "b")


def test_of_a_labelled_text_that_comes_again_the_first_label_stands(quick: Database, tmp_path: Path) -> None:
    dataset(quick)
    upload(quick, NAME, jsonl(tmp_path / "one.jsonl", POINTWISE))
    turned = [{"text": row["text"], "label": 1 - int(str(row["label"]))} for row in POINTWISE]
    upload(quick, NAME, jsonl(tmp_path / "two.jsonl", [*turned, {"text": "new", "label": 1}]))
    points = freeze(quick, NAME).points
    assert [p.label for p in points] == [i % 2 for i in range(9)] + [1]


def test_a_dry_run_keeps_nothing_and_says_what_would_be(database: Database, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "pairs.jsonl", NATIVE)
    dataset(database)
    before = open_dataset(database, NAME)
    dry = upload(database, NAME, path, dry_run=True)
    assert counts(database) == (0, 0, 0)
    assert open_dataset(database, NAME) == before
    wet = upload(database, NAME, path)
    assert dry.model_copy(update={"dry_run": False}) == wet
    assert (dry.pairs_added, dry.votes_added) == (5, 9)


def test_every_fault_is_told_and_nothing_is_added(database: Database, tmp_path: Path) -> None:
    rows = [*NATIVE, {"a": "", "b": "y", "preferred": "a"}, *[{"a": "x", "b": "y", "preferred": "A "}] * 30]
    dataset(database)
    with pytest.raises(FaultyRows) as caught:
        upload(database, NAME, jsonl(tmp_path / "pairs.jsonl", rows))
    assert (caught.value.total, len(caught.value.faults)) == (31, 20)
    assert str(caught.value.faults[0]).startswith('pairs.jsonl:7: "a" is blank; ')
    assert str(caught.value.faults[1]) == 'pairs.jsonl:8: "preferred" is "A "; use "a", "b" or "tie"'
    assert counts(database) == (0, 0, 0)


def test_an_id_that_stands_for_other_texts_in_the_dataset_is_a_fault(database: Database, tmp_path: Path) -> None:
    dataset(database)
    upload(database, NAME, jsonl(tmp_path / "one.jsonl", NATIVE[:1]))
    rows = [{"a": "fine", "b": "too", "preferred": "a"}, {"a": "other", "b": "texts", "preferred": "a", "id": "1"}]
    with pytest.raises(FaultyRows, match=r'two.jsonl:2: "id" is "1", which stands for other texts in the dataset'):
        upload(database, NAME, jsonl(tmp_path / "two.jsonl", rows))
    with pytest.raises(FaultyRows, match=r"two.jsonl:2"):
        upload(database, NAME, tmp_path / "two.jsonl", dry_run=True)
    assert open_dataset(database, NAME).pairs == 1


def test_an_id_twice_in_a_file_is_a_fault(quick: Database, tmp_path: Path) -> None:
    rows = [{"a": f"x{i}", "b": "y", "preferred": "a", "id": "same"} for i in range(2)]
    dataset(quick)
    with pytest.raises(FaultyRows, match=r'pairs.jsonl:2: "id" is "same" again, for other texts'):
        upload(quick, NAME, jsonl(tmp_path / "pairs.jsonl", rows))


def test_a_kill_between_texts_and_votes_leaves_the_dataset_as_it_was(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts stay, in nobody's dataset; sending the file again ends as it would have."""
    path = jsonl(tmp_path / "pairs.jsonl", NATIVE)
    dataset(database)
    with monkeypatch.context() as patch:
        patch.setattr("services.annotation.prepared.recount", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            upload(database, NAME, path)
    assert counts(database)[:2] == (0, 0)
    assert open_dataset(database, NAME).pairs == 0
    assert upload(database, NAME, path).pairs_added == 5


def test_a_stream_is_read_to_its_end_and_named_as_told(database: Database) -> None:
    dataset(database)
    stream = io.BytesIO(b'{"a": "x", "b": "y", "preferred": "a", "annotator": "ann"}\n')
    assert upload(database, NAME, stream, name="votes.jsonl", by="key-1").file == "votes.jsonl"
    (vote,) = votes_export(database, NAME)
    assert (vote.annotator, vote.choice, vote.source, vote.why, vote.shown) == ("ann", "a", "upload", "", "")


def test_the_format_may_be_told_instead_of_the_name(quick: Database) -> None:
    dataset(quick)
    body = b"a,b,preferred\nx,y,a\n"
    assert upload(quick, NAME, io.BytesIO(body), name="data", format="csv").file == "data.csv"
    with pytest.raises(InputError, match="the format is 'xlsx'; use one of jsonl"):
        upload(quick, NAME, io.BytesIO(body), format="xlsx")


def test_a_file_over_the_limit_is_refused_without_being_read_on(quick: Database) -> None:
    dataset(quick)

    class Endless(io.RawIOBase):
        sent = 0

        def read(self, size: int = -1, /) -> bytes:
            self.sent += size
            return b"x" * size

    stream: Any = Endless()
    with pytest.raises(InputError, match=r"more than 5,000 bytes; .*TOUCHSTONE_UPLOAD_BYTES"):
        upload(quick, NAME, stream, name="p.jsonl", settings=AnnotationSettings(upload_bytes=5000))
    assert stream.sent <= 5001


def test_pairs_over_the_limit_are_refused(quick: Database, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "p.jsonl", [{"a": f"x{i}", "b": "y"} for i in range(4)])
    dataset(quick)
    with pytest.raises(InputError, match="more than 3 distinct pairs"):
        upload(quick, NAME, path, settings=AnnotationSettings(upload_pairs=3))
    assert upload(quick, NAME, path, settings=AnnotationSettings(upload_pairs=4)).pairs_added == 4


def test_files_lie_under_the_configured_folder_and_are_gone_afterwards(quick: Database, tmp_path: Path) -> None:
    spool = tmp_path / "deep" / "spool"
    seen: list[list[str]] = []

    class Watching(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.append([p.parent.parent.name for p in spool.rglob("p.jsonl")])
            return super().read(size)

    dataset(quick)
    stream = Watching(b'{"a": "x", "b": "y", "preferred": "a"}\n')
    upload(quick, NAME, stream, name="p.jsonl", settings=AnnotationSettings(upload_folder=str(spool)))
    assert seen[0] == ["spool"]
    assert list(spool.iterdir()) == []


def test_a_dataset_that_is_not_there_takes_nothing(quick: Database, tmp_path: Path) -> None:
    with pytest.raises(NotThere):
        upload(quick, "nothing", jsonl(tmp_path / "p.jsonl", NATIVE))


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_UPLOAD_BYTES", "12345")
    monkeypatch.setenv("TOUCHSTONE_UPLOAD_FOLDER", "some/where")
    settings = AnnotationSettings()
    assert settings.upload_bytes == 12345
    assert settings.spool == Path("some/where").absolute()
    assert AnnotationSettings(upload_folder="").spool is None


@pytest.fixture(autouse=True)
def no_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens to an upload, its copy of the file is gone."""
    import tempfile

    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    yield
    assert [p.name for p in own.iterdir()] == []
