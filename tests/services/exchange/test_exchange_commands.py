"""`touchstone export`, `export-pairs` and `import` as a user types them."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
import typer
import yaml
from exchange_cases import sample_set, write_json, write_lines
from typer.testing import CliRunner

from services.cli.export import export, export_pairs
from services.cli.import_ import import_
from services.criteria_file import write_criteria
from services.exchange.targets import ENDINGS

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
for name, command in {"export": export, "export-pairs": export_pairs, "import": import_}.items():
    app.command(name)(command)

TASKS = [
    {"id": n, "data": {"text1": f"one {n}", "text2": f"two {n}"}, "annotations": [
        {"id": n, "completed_by": 7, "was_cancelled": n == 3, "result": [
            {"from_name": "pw", "to_name": "pw", "type": "pairwise", "value": {"selected": ("right", "left")[n % 2]}}
        ]}]}
    for n in (1, 2, 3)
]  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; exit code, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def criteria(tmp_path: Path) -> Path:
    path = tmp_path / "criteria.yaml"
    write_criteria(sample_set(), path)
    return path


@pytest.mark.parametrize("target", ENDINGS)
def test_a_set_is_exported_in_every_format(target: str, criteria: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{ENDINGS[target][0]}"  # type: ignore[index]  # parametrised by its keys
    code, said, _ = run("export", criteria, "--as", target, "--out", out)
    assert code == 0
    assert said.splitlines()[-1] == f"Written: {out}"
    assert sample_set().version in out.read_text(encoding="utf-8")


def test_without_a_file_the_text_goes_to_stdout_and_notes_to_stderr(criteria: Path) -> None:
    code, said, told = run("export", criteria, "--as", "promptfoo", "--mode", "pairwise")
    assert code == 0
    assert yaml.safe_load(said)["defaultTest"]["assert"][0]["type"] == "select-best"
    assert told.startswith("note: ")


def test_json_tells_file_version_and_notes(criteria: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.py"
    _, said, told = run("export", criteria, "--as", "deepeval", "--out", out, "--json")
    body = json.loads(said)
    assert (body["file"], body["version"], told) == (str(out), sample_set().version, "")
    assert any("cannot run" in note for note in body["notes"])
    _, said, _ = run("export", criteria, "--as", "prompt", "--language", "zh", "--json")
    assert "减分项" in json.loads(said)["text"]


def test_nobodys_file_is_written_over_unless_they_say_so(criteria: Path, tmp_path: Path) -> None:
    out = tmp_path / "rubric.md"
    out.write_text("mine")
    code, _, told = run("export", criteria, "--as", "markdown", "--out", out)
    assert (code, out.read_text()) == (1, "mine")
    assert told == f"touchstone: {out} exists; give another name, or --force to replace it\n"
    assert run("export", criteria, "--as", "markdown", "--out", out, "--force")[0] == 0
    assert out.read_text().startswith("# How to compare")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_file_that_is_read_is_never_written_over(force: list[str], criteria: Path) -> None:
    before = criteria.read_bytes()
    code, _, told = run("export", criteria, "--as", "yaml", "--out", criteria, *force)
    assert (code, criteria.read_bytes()) == (1, before)
    assert "is a file that is read" in told


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "is a folder"),
        ("plain/x.md", "is a file, so"),
        ("x.txt", "a .md file"),
        ("noending", "has no ending"),
    ],
)
def test_places_that_cannot_be_are_told(name: str, message: str, criteria: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    code, _, told = run("export", criteria, "--as", "markdown", "--out", tmp_path / name)
    assert code == 1
    assert message in told
    assert "Traceback" not in told


def test_an_edited_criteria_file_is_exported_as_it_is_now_and_says_so(criteria: Path) -> None:
    criteria.write_text(criteria.read_text().replace("the shorter is better", "the shorter one is better"))
    code, said, told = run("export", criteria, "--as", "markdown")
    assert code == 0
    assert "the shorter one is better" in said
    assert "was edited" in told


def test_pairs_are_exported_with_their_counts(tmp_path: Path) -> None:
    rows = [{"a": "x", "b": "y", "preferred": "b"}, {"a": "u", "b": "v", "preferred": "tie"}]
    path, out = write_lines(tmp_path / "p.jsonl", rows), tmp_path / "o.jsonl"
    code, said, _ = run("export-pairs", path, "--out", out)
    assert code == 0
    assert said.startswith("1 of 2 pairs written; left out: 1 ties, 0 below the least margin\n")
    _, said, _ = run("export-pairs", path, "--out", out, "--as", "trl-chat", "--force", "--json")
    assert json.loads(said)["target"] == "trl-chat"
    assert run("export-pairs", path, "--out", out, "--min-margin", 2)[0] == 2


def test_an_export_of_a_tool_is_imported(tmp_path: Path) -> None:
    path, out = write_json(tmp_path / "x.json", TASKS), tmp_path / "pairs.jsonl"
    code, said, _ = run("import", "label-studio", path, "--out", out)
    assert code == 0
    assert said.startswith("2 of 3 records written, with 2 votes of 1 annotator\n")
    assert "note: left out: 1 annotations were cancelled or skipped; 1 records have no response that counts" in said
    assert [json.loads(line)["votes"][0]["preferred"] for line in out.read_text().splitlines()] == ["a", "b"]


def test_an_import_takes_what_the_user_says_of_the_export(tmp_path: Path) -> None:
    path, out = write_json(tmp_path / "x.json", TASKS), tmp_path / "pairs.jsonl"
    options = ["--a", "text2", "--b", "text1", "--means", "left=b; right=a", "--question", "pw", "--prompt", "-"]
    code, said, _ = run("import", "label-studio", path, "--out", out, *options, "--json")
    assert (code, json.loads(said)["votes"]) == (0, 2)
    first = json.loads(out.read_text().splitlines()[0])
    assert (first["a"], first["votes"][0]["preferred"]) == ("two 1", "b")
    code, _, told = run("import", "label-studio", path, "--out", out, "--force", "--means", "left=up")
    assert code == 1
    assert '--means holds "left=up"; write answer=a' in told


def test_faults_are_told_and_skipped_if_asked(tmp_path: Path) -> None:
    path, out = write_json(tmp_path / "x.json", [*TASKS, {"image": 1}]), tmp_path / "pairs.jsonl"
    code, _, told = run("import", "label-studio", path, "--out", out)
    assert code == 1
    assert told.startswith("touchstone: x.json:4: the row is no record of label-studio")
    assert not out.exists()
    code, said, _ = run("import", "label-studio", path, "--out", out, "--skip-faulty")
    assert code == 0
    assert "skipped, 1 faults:\n  x.json:4" in said


def test_the_wrong_tool_is_told(tmp_path: Path) -> None:
    code, _, told = run("import", "argilla", write_json(tmp_path / "x.json", TASKS), "--out", tmp_path / "o.jsonl")
    assert code == 1
    assert "holds no vote that counts" in told or "no record of argilla" in told


def test_votes_go_to_json_lines_alone(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", TASKS)
    code, _, told = run("import", "label-studio", path, "--out", tmp_path / "o.csv")
    assert code == 1
    assert "ends in .jsonl" in told


@pytest.mark.parametrize("command", [export, export_pairs, import_])
def test_every_command_says_what_it_does(command: object) -> None:
    assert len(inspect.getdoc(command) or "") > 60
