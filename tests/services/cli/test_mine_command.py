"""`touchstone mine` and what is done with what it writes, with real workers over a real queue."""

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

import pytest
from letter_parties import letter_dataset
from typer.testing import CliRunner

from agents.pairs import Dataset
from services import samples_shipped
from services.cli import app
from services.criteria_file import read_criteria
from services.datasets import read_dataset
from services.report import report_html
from services.run_result import RunResult

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
SMALL = ["--rounds", "2", "--size", "4"]

# One worker of pytest-xdist for the module, so that the run that most tests look at is mined once.
pytestmark = pytest.mark.xdist_group("mine")


def write_pairs(path: Path, dataset: Dataset) -> Path:
    rows = [p.model_dump(include={"id", "a", "b", "preferred"}) for p in dataset.pairs]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; exit code, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@dataclass(frozen=True)
class Mined:
    """A finished `touchstone mine`: its pairs, its folder, and what it said."""

    pairs: Path
    out: Path
    code: int
    said: str
    progress: str


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mined]:
    folder = tmp_path_factory.mktemp("m")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUCHSTONE_HOME", str(folder / "home"))
        patch.setenv("TOUCHSTONE_PARTIES", "letter_parties")
        patch.setenv("PYTHONPATH", str(HERE))
        patch.setenv("TMPDIR", "/tmp")
        pairs = write_pairs(folder / "letters.jsonl", letter_dataset(130, liked="etao"))
        yield Mined(pairs, folder / "out", *run("mine", pairs, "--out", folder / "out", *SMALL))


def test_a_run_ends_well_and_writes_three_files(mined):
    assert mined.code == 0
    assert sorted(p.name for p in mined.out.iterdir()) == ["criteria.yaml", "report.html", "result.json"]


def test_the_three_files_are_of_one_result(mined):
    result = RunResult.model_validate_json((mined.out / "result.json").read_text())
    assert read_criteria(mined.out / "criteria.yaml").criteria_set == result.criteria_set
    assert (mined.out / "report.html").read_text(encoding="utf-8") == report_html(result)
    assert result.facts.holdout == "sealed"


def test_the_summary_gives_the_honest_figure_both_ways_and_the_files(mined):
    assert "agree with people on" in mined.said
    assert "weighted vote   sealed pairs: " in mined.said
    assert "plain majority  sealed pairs: " in mined.said
    assert "effective votes in 4 criteria" in mined.said
    assert mined.said.splitlines()[-1].startswith(f"Written: {mined.out / 'report.html'}, ")


def test_progress_goes_to_stderr_a_line_an_event(mined):
    assert "Round 1: " in mined.progress
    assert "Round 2: " in mined.progress
    assert "main: round 1, comparing criteria" in mined.progress
    assert len(mined.progress.splitlines()) < 60
    assert "Round 1: " not in mined.said


def test_the_same_command_prints_a_finished_result_at_once_and_writes_the_same(mined):
    before = {p.name: p.read_bytes() for p in mined.out.iterdir()}
    started = time.monotonic()
    code, said, _ = run("mine", mined.pairs, "--out", mined.out, *SMALL)
    assert (code, said) == (0, mined.said)
    assert time.monotonic() - started < 5
    assert {p.name: p.read_bytes() for p in mined.out.iterdir()} == before


def test_json_is_one_document_on_stdout_and_nothing_else_anywhere(mined, tmp_path):
    code, said, progress = run("mine", mined.pairs, "--out", tmp_path / "o", "--json", *SMALL)
    body = json.loads(said)
    assert (code, progress) == (0, "")
    assert RunResult.model_validate(body["result"]).facts.holdout == "sealed"
    assert body["files"]["report"] == str(tmp_path / "o" / "report.html")


def test_notes_are_in_the_summary_and_not_on_stdout_with_json(mined, tmp_path):
    text = mined.pairs.read_text()
    doubled = tmp_path / "doubled.jsonl"
    again = json.loads(text.splitlines()[0]) | {"preferred": "b", "id": ""}
    other = json.loads(text.splitlines()[0]) | {"preferred": "a", "id": ""}
    doubled.write_text("".join(json.dumps(row) + "\n" for row in (again, other)) + "".join(text.splitlines(True)[1:31]))
    test = tmp_path / "t.jsonl"
    test.write_text("".join(text.splitlines(True)[30:45]))
    order = ["mine", doubled, "--test", test, "--out", tmp_path / "o", "--rounds", 1, "--size", 2]
    code, said, _ = run(*order)
    assert code == 0
    assert "note: 1 rows repeat the texts of an earlier row" in said
    assert "note: 1 pairs have rows that contradict each other" in said
    assert "note: 1 of 15 test pairs also stand in the mining data and were left out" in said
    assert "alpha" in said
    assert "note: " not in run(*order, "--json")[1]


def test_quiet_prints_only_where_the_files_are(mined, tmp_path):
    code, said, progress = run("mine", mined.pairs, "--out", tmp_path / "o", "--quiet", *SMALL)
    assert (code, progress) == (0, "")
    assert said.startswith("Written: ")
    assert said.count("\n") == 1


def test_the_report_is_made_again_from_the_result(mined, tmp_path):
    for name in ("result.json", "report.html"):
        (tmp_path / name).write_bytes((mined.out / name).read_bytes())
    (tmp_path / "report.html").write_text("lost")
    code, said, _ = run("report", tmp_path)
    assert (code, said) == (0, f"Written: {tmp_path / 'report.html'}\n")
    assert (tmp_path / "report.html").read_bytes() == (mined.out / "report.html").read_bytes()


def test_criteria_are_evaluated_on_other_pairs(mined, tmp_path):
    other = write_pairs(tmp_path / "other.jsonl", letter_dataset(40, seed=9, liked="etao"))
    code, said, _ = run("evaluate", mined.out / "criteria.yaml", other, "--out", tmp_path / "e.json")
    assert code == 0
    assert "weighted vote" in said
    assert "plain majority" in said
    assert "ties left out" in said
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["weighted"]["kind"] == "test"
    assert len(found["criteria"]) == 4


def test_an_evaluation_as_json_is_one_document(mined):
    code, said, progress = run("evaluate", mined.out / "criteria.yaml", mined.pairs, "--json")
    assert (code, progress) == (0, "")
    assert json.loads(said)["weighted"]["kind"] == "mining"


def test_an_edited_criteria_file_is_evaluated_and_said_to_be_edited(mined, tmp_path):
    text = (mined.out / "criteria.yaml").read_text().replace("\n  weight: ", "\n  weight: 1", 1)
    (tmp_path / "c.yaml").write_text(text)
    code, said, _ = run("evaluate", tmp_path / "c.yaml", mined.pairs)
    assert code == 0
    assert "but was edited; it is now" in " ".join(said.split())


def test_another_run_replaces_one_only_by_force(mined, tmp_path):
    for file in mined.out.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    order = ["mine", mined.pairs, "--out", tmp_path, "--quiet", "--rounds", 1, "--size", 2]
    code, _, message = run(*order)
    assert code == 1
    assert "is of another run" in message
    assert (tmp_path / "result.json").read_bytes() == (mined.out / "result.json").read_bytes()
    assert run(*order, "--force")[0] == 0
    assert (tmp_path / "result.json").read_bytes() != (mined.out / "result.json").read_bytes()


def test_a_folder_that_holds_an_earlier_run_and_a_note_keeps_the_note(mined, tmp_path):
    for file in mined.out.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "note.txt").write_text("mine")
    assert run("mine", mined.pairs, "--out", tmp_path, "--quiet", *SMALL)[0] == 0
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_a_test_file_of_its_own_is_what_is_reported_on(place, tmp_path):
    pairs = write_pairs(tmp_path / "p.jsonl", letter_dataset(30, liked="etao"))
    test = write_pairs(tmp_path / "t.jsonl", letter_dataset(20, seed=4, liked="etao"))
    code, said, _ = run("mine", pairs, "--test", test, "--out", tmp_path / "o", "--json", "--rounds", 1, "--size", 2)
    result = json.loads(said)["result"]
    assert code == 0
    assert result["facts"]["holdout"] == "test"
    assert result["dataset"]["mining"] == 30
    assert result["held_out_weighted"]["n"] + result["held_out_weighted"]["ties"] == 20


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(place, tmp_path):
    pairs = write_pairs(tmp_path / "p.jsonl", letter_dataset(70, liked="etao"))
    command = [
        sys.executable,
        "-c",
        "from services.cli import app; app()",
        "mine",
        pairs,
        "--out",
        tmp_path / "o",
        *SMALL,
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    slow = subprocess.Popen(
        command, env={**environment, "LETTER_MS": "20"}, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert slow.stderr is not None
    assert slow.stderr.readline().endswith(": round 1, comparing criteria\n")
    os.killpg(slow.pid, signal.SIGINT)
    said, progress = slow.communicate(timeout=60)
    assert slow.returncode == 130
    assert progress.splitlines()[-1] == "touchstone: stopped; nothing is lost: the same command resumes where it stood"
    assert "Traceback" not in progress
    assert (said, list(tmp_path.glob("o/*"))) == ("", [])
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert again.returncode == 0
    assert "Written: " in again.stdout


@pytest.mark.slow
def test_the_demo_mines_the_samples_it_is_given(place, tmp_path, monkeypatch):
    shortened = tmp_path / "samples"
    shortened.mkdir()
    for sample in samples_shipped.SAMPLES:
        (shortened / sample.path.name).write_text("\n".join(sample.path.read_text().splitlines()[:16]))
    monkeypatch.setattr(samples_shipped, "FOLDER", shortened)
    monkeypatch.chdir(tmp_path)
    code, said, _ = run("demo", "--out", "d")
    assert code == 0
    assert "Answers to how-to questions" in said
    assert "Python functions" in said
    for name in ("howto_answers", "python_functions"):
        result = RunResult.model_validate_json((tmp_path / "d" / name / "result.json").read_text())
        assert result.dataset.description
        assert (tmp_path / "d" / name / "report.html").exists()


def test_both_samples_are_shipped_and_can_be_read():
    for sample in samples_shipped.SAMPLES:
        assert len(read_dataset(sample.path).dataset.pairs) >= 30
