"""`touchstone label` from the files that it reads to the files that it writes, with real workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import HERE, processes_of
from labelling_bench import WEIGHTS, letter_set, pairs_file, write_rows
from sqlalchemy import func, select
from typer.testing import CliRunner

from benchmarks.scripted.process import ScriptedEndpoint
from services.cli import app
from services.criteria_file import write_criteria
from services.database import Database
from services.labelling.summary import LabelSummary
from services.samples_shipped import SAMPLES
from services.settings import load_settings
from services.tables import JudgmentRow

ROOT = HERE.parents[1]
PAIRS = 60

# One worker of pytest-xdist for the module, so that the labelling that most tests look at is made once.
pytestmark = pytest.mark.xdist_group("label")


def run(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; exit code, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@dataclass(frozen=True)
class Labelled:
    """A finished `touchstone label`: its inputs, its outputs, and what it said."""

    criteria: Path
    pairs: Path
    out: Path
    trl: Path
    code: int
    said: str
    progress: str

    def again(self, *options: object, out: Path | None = None) -> tuple[int, str, str]:
        """The same command with other options."""
        return run("label", self.criteria, self.pairs, "--out", out or self.out, *options)


def wise(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name, value in {
        "TOUCHSTONE_HOME": str(home), "TOUCHSTONE_PARTIES": "letter_parties", "TOUCHSTONE_WORKERS": "1",
        "PYTHONPATH": str(HERE), "TMPDIR": "/tmp",
    }.items():  # fmt: skip
        patch.setenv(name, value)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labelled]:
    folder = tmp_path_factory.mktemp("l")
    with pytest.MonkeyPatch.context() as patch:
        wise(patch, folder / "home")
        criteria, pairs = folder / "criteria.yaml", pairs_file(folder, PAIRS)
        write_criteria(letter_set(), criteria)
        out, trl = folder / "labels.parquet", folder / "trl.jsonl"
        yield Labelled(criteria, pairs, out, trl, *run("label", criteria, pairs, "--out", out, "--trl", trl))


def test_every_pair_is_labelled_and_both_files_are_written(done: Labelled) -> None:
    assert done.code == 0
    rows = pq.read_table(done.out).to_pylist()
    assert [row["id"] for row in rows] == [str(i) for i in range(PAIRS)]
    decided = [row for row in rows if row["label"] != "tie"]
    preferences = [json.loads(line) for line in done.trl.read_text().splitlines()]
    assert len(preferences) == len(decided)
    assert done.said.splitlines()[-1] == f"Written: {done.out}, {done.trl}"


def test_the_summary_says_what_was_spared_and_how_far_labels_may_be_trusted(done: Labelled) -> None:
    assert f"{PAIRS} pairs: " in done.said
    assert "early stopping saved " in done.said
    assert "no label would differ" in done.said
    assert "labelled as the file's own preference: " in done.said
    assert "calibrate it on pairs that people compared" in " ".join(done.said.split())


def test_progress_goes_to_stderr(done: Labelled) -> None:
    assert f"{PAIRS} of {PAIRS} pairs; " in done.progress
    assert "judgments asked, 0 reused, " in done.progress


def test_the_same_command_again_asks_nothing_and_writes_the_same(done: Labelled) -> None:
    before = done.out.read_bytes()
    start = time.monotonic()
    code, said, told = done.again("--trl", done.trl)
    assert (code, done.out.read_bytes()) == (0, before)
    assert said == done.said
    assert f"all {PAIRS} pairs are labelled already" in told
    assert time.monotonic() - start < 5, "no worker is started"


def test_json_is_one_document_and_nothing_else(done: Labelled) -> None:
    code, said, told = done.again("--json")
    body = json.loads(said)
    summary = LabelSummary.model_validate(body["labelling"])
    assert (code, told) == (0, "")
    assert body["files"] == {"labels": str(done.out)}
    assert summary.pairs == PAIRS
    assert summary.asked + summary.saved == PAIRS * len(WEIGHTS)


def test_quiet_says_only_where_the_file_is(done: Labelled, tmp_path: Path) -> None:
    code, said, told = done.again("--quiet", out=tmp_path / "labels.jsonl")
    assert (code, said, told) == (0, f"Written: {tmp_path / 'labels.jsonl'}\n", "")
    assert len((tmp_path / "labels.jsonl").read_text().splitlines()) == PAIRS


def test_a_margin_leaves_preferences_out(done: Labelled, tmp_path: Path) -> None:
    trl = tmp_path / "trl.parquet"
    _, said, _ = done.again("--trl", trl, "--min-margin", 0.4, "--json", out=tmp_path / "labels.parquet")
    exported = json.loads(said)["labelling"]["exported"]
    clear = [row for row in pq.read_table(done.out).to_pylist() if row["margin"] >= 0.4]
    assert exported == len(clear) == pq.read_metadata(trl).num_rows < PAIRS


def test_another_rule_asks_for_what_the_first_left_out(done: Labelled, tmp_path: Path) -> None:
    before = json.loads(done.again("--json")[1])["labelling"]
    _, said, _ = done.again("--stop", "none", "--json", out=tmp_path / "all.parquet")
    after = json.loads(said)["labelling"]
    assert (after["asked"], after["reused"], after["saved"]) == (before["saved"], before["asked"], 0)
    assert after["labels"] == before["labels"]


def test_likely_stopping_takes_its_error_and_says_what_it_cost(done: Labelled, tmp_path: Path) -> None:
    _, said, _ = done.again("--stop", "likely", "--error", 0.3, "--json", out=tmp_path / "likely.parquet")
    found = json.loads(said)["labelling"]
    assert (found["stop"], found["error"]) == ("likely", 0.3)
    assert found["turned"]["n"] > 0


def test_a_limit_labels_the_first_rows(done: Labelled, tmp_path: Path) -> None:
    _, said, _ = done.again("--limit", 7, "--json", out=tmp_path / "few.parquet")
    assert json.loads(said)["labelling"]["pairs"] == 7


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--stop", "likely", "--error", "1.5"), "1.5 is not between 0 and 1; use for example 0.05"),
        (("--min-margin", "2"), "2.0 is not in 0 to 1; use for example 0.2"),
        (("--stop", "soon"), "'soon' is not one of"),
        (("--limit", "0"), "Invalid value for '--limit'"),
    ],
)
def test_wrong_usage_is_told(done: Labelled, options: tuple[str, ...], told: str) -> None:
    code, _, said = done.again(*options)
    assert code == 2
    assert told in " ".join(said.replace("│", " ").split())


def test_what_is_not_ours_is_not_overwritten_unless_forced(done: Labelled, tmp_path: Path) -> None:
    precious = tmp_path / "precious.jsonl"
    precious.write_text("{}\n")
    code, _, said = done.again(out=precious)
    assert (code, precious.read_text()) == (1, "{}\n")
    assert said == (
        f"touchstone: {precious} exists and is not of `touchstone label`; give another name, or --force to replace it\n"
    )
    assert done.again("--force", "--quiet", out=precious)[0] == 0
    assert len(precious.read_text().splitlines()) == PAIRS
    code, _, said = done.again("--stop", "none", out=precious)
    assert code == 1
    assert "holds other labels" in said


@pytest.mark.parametrize(
    ("name", "told"),
    [("labels.csv", "ends in '.csv'; give a file that ends in .parquet or .jsonl"), ("pairs.jsonl", "is read")],
)
def test_a_place_that_cannot_be_written_is_told_before_any_work(done: Labelled, name: str, told: str) -> None:
    code, _, said = done.again(out=done.pairs.with_name(name))
    assert code == 1
    assert told in said


def test_both_outputs_need_files_of_their_own(done: Labelled) -> None:
    code, _, said = done.again("--trl", done.out)
    assert code == 1
    assert "give each a file of its own" in said


def test_faulty_rows_are_told_and_nothing_is_written(done: Labelled, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "bad.jsonl", [{"a": "x", "b": "y"}, {"a": "x"}, {"a": "x", "b": 1}])
    code, said, told = run("label", done.criteria, rows, "--out", tmp_path / "out.parquet")
    assert (code, said) == (1, "")
    assert told.splitlines() == [
        'touchstone: bad.jsonl:2: "b" is missing; give every row this text, or remove the row',
        'bad.jsonl:3: "b" is 1; write it as a string',
    ]
    assert not (tmp_path / "out.parquet").exists()


def test_criteria_that_nobody_can_judge_by_are_told(done: Labelled, tmp_path: Path) -> None:
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text(SIGNALS)
    code, _, said = run("label", criteria, done.pairs, "--out", tmp_path / "out.parquet")
    assert code == 1
    assert "letters/1 can judge by none of these criteria" in said


def test_a_file_that_is_not_there_is_told(done: Labelled, tmp_path: Path) -> None:
    code, _, said = run("label", done.criteria, tmp_path / "none.jsonl", "--out", tmp_path / "out.parquet")
    assert code == 1
    assert "does not exist; check the path" in said


@pytest.mark.slow
def test_ctrl_c_loses_nothing_and_the_same_command_resumes(
    place: Path, monkeypatch: pytest.MonkeyPatch, done: Labelled
) -> None:
    wise(monkeypatch, place / "home")
    monkeypatch.setenv("LETTER_MS", "25")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(ROOT)]))
    out = place / "labels.parquet"
    options = ["label", str(done.criteria), str(done.pairs), "--out", str(out), "--workers", "2"]
    code = "from services.cli import app; app()"
    command = subprocess.Popen(
        [sys.executable, "-c", code, *options], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    _await_judgments(place / "home")
    os.kill(command.pid, signal.SIGINT)
    _, told = command.communicate(timeout=30)
    assert command.returncode == 130
    assert told.splitlines()[-1].endswith("nothing is lost: the same command resumes where it stood")
    assert not out.exists()
    assert processes_of(place) == []
    monkeypatch.setenv("LETTER_MS", "0")
    assert run(*options)[0] == 0
    ours = [{k: v for k, v in r.items() if k != "labelling"} for r in pq.read_table(out).to_pylist()]
    assert ours == [{k: v for k, v in r.items() if k != "labelling"} for r in pq.read_table(done.out).to_pylist()]


def _await_judgments(home: Path) -> None:
    """Wait until a few judgments are stored."""
    database = Database(load_settings(home=home).database).create()
    until = time.monotonic() + 30
    found = 0
    while found < 10:
        assert time.monotonic() < until
        with database.read() as connection:
            found = connection.execute(select(func.count()).select_from(JudgmentRow)).scalar_one()
        time.sleep(0.02)
    database.close()


MEASURED = {"Reasons": "connective_rate", "Numbers": "number_rate", "Detail": "log1p(words)", "Warm": ""}
SIGNALS = "touchstone: criteria/1\ncriteria:\n" + "".join(
    f"- name: {name}\n  description: The better text has {name}.\n  provenance: {{kind: person, source: Our editors}}\n"
    + (f"  expression: {expression}\n" if expression else "")
    for name, expression in MEASURED.items()
)


@pytest.mark.slow
def test_the_sample_is_labelled_by_signals_without_any_model(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOUCHSTONE_PARTIES")
    monkeypatch.setenv("TOUCHSTONE_WORKERS", "1")
    criteria, out = place / "criteria.yaml", place / "labels.parquet"
    criteria.write_text(SIGNALS)
    code, said, _ = run("label", criteria, SAMPLES[0].path, "--out", out, "--json")
    assert code == 0
    found = LabelSummary.model_validate(json.loads(said)["labelling"])
    rows = pq.read_table(out).to_pylist()
    assert len(rows) == found.pairs > 50
    assert found.left_out == ("Warm",)
    assert found.judge.startswith("signals/")
    assert found.given is not None
    assert found.given.n > 40
    assert {row["label"] for row in rows} >= {"a", "b"}
    assert all(row["prompt"] for row in rows)


@pytest.mark.slow
def test_pairs_are_labelled_by_a_chat_model_over_http(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model prefers the longer text by whatever criterion, so that two of three criteria settle every pair."""
    monkeypatch.delenv("TOUCHSTONE_PARTIES")
    monkeypatch.setenv("TOUCHSTONE_WORKERS", "1")
    monkeypatch.setenv("TOUCHSTONE_WORKER_MODEL", "openai:scripted")
    monkeypatch.setenv("TOUCHSTONE_WORKER_API_KEY", "none-needed")
    criteria, out = place / "criteria.yaml", place / "labels.parquet"
    write_criteria(letter_set({"e": 0.6, "t": 0.5, "a": 0.4}), criteria)
    rows = [{"id": str(i), "a": "word " * (3 + i % 5), "b": "text " * 5, "prompt": f"Question {i}"} for i in range(20)]
    pairs = write_rows(place / "pairs.jsonl", rows)
    with ScriptedEndpoint() as endpoint:
        monkeypatch.setenv("TOUCHSTONE_WORKER_BASE_URL", endpoint.base_url)
        code, _, said = run("label", criteria, pairs, "--out", out, "--quiet")
        assert code == 1
        assert "nobody is there to agree to this" in said
        assert endpoint.stats()["requests"] == 0, "nothing is paid for before somebody agrees"
        code, said, _ = run("label", criteria, pairs, "--out", out, "--json", "--yes")
        served = endpoint.stats()["requests"]
        assert code == 0
        assert run("label", criteria, pairs, "--out", out, "--quiet", "--yes")[0] == 0
        assert endpoint.stats()["requests"] == served, "nothing is asked twice"
    found = LabelSummary.model_validate(json.loads(said)["labelling"])
    table = pq.read_table(out).to_pylist()
    ties = [row for row in table if row["label"] == "tie"]
    assert [row["label"] for row in table] == [("b", "b", "tie", "a", "a")[i % 5] for i in range(20)]
    assert found.asked == served == 2 * 16 + 3 * 4
    assert found.saved == 16
    assert {answer["order"] for row in table for answer in row["answers"]} == {"ab", "ba"}
    assert {answer["hesitation"] for row in ties for answer in row["answers"]} == {"equal"}
