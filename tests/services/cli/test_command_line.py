"""Usage, errors and exit codes of every command; nothing here starts a worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
import typer
from report_cases import sealed_result
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from knowledge_base.errors import InputError
from services.cli import app
from services.cli.outcome import guarded
from services.cli.output_folder import check_folder, read_result, write_folder
from services.criteria_file import write_criteria

ROOT = Path(__file__).parents[3]
GOOD = '{"a": "one", "b": "two", "preferred": "a"}\n{"a": "three", "b": "four", "preferred": "b"}\n'


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    (tmp_path / "pairs.jsonl").write_text(GOOD)
    return tmp_path / "pairs.jsonl"


def test_help_comes_before_anything_heavy_is_imported():
    heavy = {"torch", "numpy", "scipy", "pydantic", "sqlalchemy", "langgraph", "redis", "jinja2", "agents"}
    code = f"import sys, services.cli; print(sorted({heavy!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_help_takes_less_than_half_a_second_of_work():
    child = subprocess.Popen(
        [sys.executable, "-c", "from services.cli import app; app()", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    assert usage.ru_utime + usage.ru_stime < 0.5


def test_the_version_is_printed():
    code, said, _ = run("--version")
    assert code == 0
    assert said.startswith("touchstone ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["mine"], ["mine", "PAIRS"], ["mine", "PAIRS", "--out", "o", "--policy", "best"], ["no-such-command"],
        ["mine", "PAIRS", "--out", "o", "--rounds", "0"], ["mine", "PAIRS", "--out", "o", "--sealed-share", "1"],
        ["mine", "PAIRS", "--out", "o", "--sealed-share", "0"], ["mine", "PAIRS", "--out", "o", "--workers", "0"],
        ["evaluate", "c.yaml"], ["report"], ["mine", "PAIRS", "--out", "o", "--colour", "red"],
        ["mine", "PAIRS", "--out", "o", "--sealed-share", "nan"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(pairs, arguments):
    code, said, message = run(*(pairs if a == "PAIRS" else a for a in arguments))
    assert code == 2
    assert said == ""
    assert message


def test_a_file_that_is_not_there_is_told_in_one_line_without_a_traceback(place, tmp_path):
    code, said, message = run("mine", tmp_path / "no.jsonl", "--out", tmp_path / "o")
    assert (code, said) == (1, "")
    assert message.startswith("touchstone: ")
    assert "no.jsonl" in message
    assert "Traceback" not in message


def test_faults_of_a_file_are_told_with_their_rows(place, tmp_path):
    (tmp_path / "p.jsonl").write_text(GOOD + '{"a": "x", "b": "y", "preferred": "A "}\n')
    code, _, message = run("mine", tmp_path / "p.jsonl", "--out", tmp_path / "o", "--json")
    assert code == 1
    assert 'p.jsonl:3: "preferred" is "A "' in message


def test_a_hostile_value_in_a_message_cannot_draw_on_the_terminal(place, tmp_path):
    path = tmp_path / "x\x1b[31m\u202e.jsonl"
    _, _, message = run("mine", path, "--out", tmp_path / "o")
    assert "\x1b" not in message
    assert "\u202e" not in message
    assert "[U+202E]" in message


def test_a_setting_that_cannot_be_used_is_named(place, pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_BATCH_SIZE", "0")
    code, _, message = run("mine", pairs, "--out", tmp_path / "o")
    assert code == 1
    assert "TOUCHSTONE_BATCH_SIZE is '0'" in message


def test_a_folder_of_somebody_else_is_refused_before_any_work(place, pairs, tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.txt").write_text("years of work")
    code, _, message = run("mine", pairs, "--out", tmp_path / "o")
    assert code == 1
    assert "holds files that Touchstone did not write" in message
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["thesis.txt"]
    assert not (place / "home").exists()


def test_a_file_in_place_of_the_folder_is_refused(place, pairs):
    assert "is a file; give a folder" in run("mine", pairs, "--out", pairs)[2]


@pytest.mark.parametrize("content", ["{}", "[1]", "no json", '{"run": 1}', ""])
def test_a_result_that_is_not_ours_does_not_make_the_folder_ours(tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(InputError, match="did not write"):
        check_folder(tmp_path)


def test_a_folder_that_is_absent_empty_or_ours_may_be_written(tmp_path):
    check_folder(tmp_path / "absent")
    check_folder(tmp_path)
    files = write_folder(sealed_result(), tmp_path)
    check_folder(tmp_path)
    assert read_result(tmp_path) == sealed_result()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in files.values())


def test_a_folder_that_cannot_be_written_leaves_none_of_the_files(tmp_path):
    (tmp_path / "o").mkdir()
    write_folder(sealed_result(), tmp_path / "o")
    (tmp_path / "o" / "criteria.yaml").unlink()
    (tmp_path / "o" / "criteria.yaml").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_folder(sealed_result(), tmp_path / "o")
    assert not [p for p in (tmp_path / "o").iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"result\.json cannot be read"),
        ("{}", r"result\.json: run: Field required"),
        ("[", r"result\.json: the file"),
    ],
)
def test_a_report_without_a_readable_result_says_what_to_give(tmp_path, content, message):
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_result(tmp_path)
    assert run("report", tmp_path)[0] == 1


def test_a_criteria_file_with_faults_is_told_by_field(place, pairs, tmp_path):
    (tmp_path / "c.yaml").write_text("touchstone: criteria/1\ncriteria:\n- name: x\n")
    code, _, message = run("evaluate", tmp_path / "c.yaml", pairs)
    assert code == 1
    assert 'c.yaml:3: "criteria.1.name" is "x"' in message


def unusable_home(place: Path, kind: str) -> Path:
    (place / "file").write_text("x")
    return place / "file" if kind == "a file" else place / "file" / "home"


@pytest.mark.parametrize("kind", ["a file", "under a file"])
@pytest.mark.parametrize("command", ["mine", "evaluate"])
def test_a_home_that_cannot_be_used_is_told_in_one_line(place, pairs, tmp_path, monkeypatch, command, kind):
    monkeypatch.setenv("TOUCHSTONE_HOME", str(unusable_home(place, kind)))
    write_criteria(sealed_result().criteria_set, tmp_path / "c.yaml")
    order = [pairs, "--out", tmp_path / "o"] if command == "mine" else [tmp_path / "c.yaml", pairs]
    code, said, message = run(command, *order)
    assert (code, said, message.count("\n")) == (1, "", 1)
    assert "cannot be written to" in message
    assert "set TOUCHSTONE_HOME to a folder that is" in message


def test_a_redis_that_does_not_answer_is_told_before_anything_else(place, tmp_path, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    code, said, message = run("mine", tmp_path / "no.jsonl", "--out", tmp_path / "o")
    assert (code, said, message.count("\n")) == (1, "", 1)
    assert message.startswith("touchstone: redis://127.0.0.1:1/0: ")
    assert "mend TOUCHSTONE_REDIS_URL" in message
    assert "secret" not in message


@pytest.mark.parametrize("command", ["mine", "evaluate"])
def test_a_damaged_database_is_told_in_one_line(place, pairs, tmp_path, command):
    (place / "home").mkdir()
    (place / "home" / "touchstone.sqlite").write_bytes(b"no database, whatever its name says" * 100)
    write_criteria(sealed_result().criteria_set, tmp_path / "c.yaml")
    order = [pairs, "--out", tmp_path / "o", "--quiet"] if command == "mine" else [tmp_path / "c.yaml", pairs]
    code, said, message = run(command, *order)
    assert (code, said, message.count("\n")) == (1, "", 1)
    assert "touchstone.sqlite is not a database or is damaged" in message
    assert "move it away" in message


def test_a_pipe_of_pairs_is_refused_without_waiting_for_it(place, tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    code, said, message = run("mine", tmp_path / "pipe.jsonl", "--out", tmp_path / "o")
    assert (code, said, message.count("\n")) == (1, "", 1)
    assert "save it to a file first" in message


def test_edited_criteria_are_refused_before_any_work(place, pairs, tmp_path):
    write_folder(sealed_result(), tmp_path / "o")
    text = (tmp_path / "o" / "criteria.yaml").read_text().replace("\n  weight: ", "\n  weight: 1", 1)
    (tmp_path / "o" / "criteria.yaml").write_text(text)
    code, _, message = run("mine", pairs, "--out", tmp_path / "o")
    assert code == 1
    assert "add --force" in message
    assert not (place / "home").exists()


def test_another_run_in_the_folder_is_refused_before_mining(place, pairs, tmp_path):
    before = {p.name: p.read_bytes() for p in write_folder(sealed_result(), tmp_path / "o").values()}
    code, _, message = run("mine", pairs, "--out", tmp_path / "o")
    assert code == 1
    assert "is of another run" in message
    assert "round 1" not in message
    assert {p.name: p.read_bytes() for p in (tmp_path / "o").iterdir()} == before


def test_a_test_file_of_pairs_that_are_all_mined_is_refused_before_mining(place, pairs, tmp_path):
    (tmp_path / "t.jsonl").write_text(GOOD.splitlines()[1] + "\n")
    code, _, message = run("mine", pairs, "--test", tmp_path / "t.jsonl", "--out", tmp_path / "o")
    assert code == 1
    assert "all 1 pairs also stand in" in message
    assert "none is left to test on" in message
    assert not (tmp_path / "o").exists()


def test_too_few_pairs_are_warned_of_before_mining_begins(place, pairs, tmp_path):
    write_folder(sealed_result(), tmp_path / "o")
    assert "WARNING: only 2 pairs" in run("mine", pairs, "--out", tmp_path / "o")[2]
    assert "WARNING" not in run("mine", pairs, "--out", tmp_path / "o", "--quiet")[2]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (redis.exceptions.ConnectionError("gone"), "the Redis server failed: gone"),
        (OperationalError("SELECT", {}, Exception("locked")), "the database failed: "),
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/x/y"), "Permission denied: '/x/y'"),
    ],
)
def test_a_fault_from_outside_is_one_line_wherever_it_arises(capsys, error, words):
    @guarded
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as left:
        command()
    said = capsys.readouterr().err
    assert left.value.exit_code == 1
    assert said.count("\n") == 1
    assert words in said


def test_a_fault_of_the_program_itself_keeps_its_traceback():
    @guarded
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


@pytest.mark.parametrize(("sent", "lines"), [(">/dev/full", 1), (">&-", 1), ("| true", 0)])
def test_output_that_cannot_be_written_ends_with_1_and_a_line_at_most(place, sent, lines):
    program = f"{sys.executable} -c 'from services.cli import app; app()' doctor --json"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{program} {sent}"], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}"},
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == lines
    assert "Traceback" not in ended.stderr


def test_the_help_names_arguments_as_the_page_does():
    assert "PAIRS" in run("mine", "--help")[1].splitlines()[0] + run("mine", "--help")[1].splitlines()[1]
    assert "CRITERIA" in run("evaluate", "--help")[1]
    assert "FOLDER" in run("report", "--help")[1]


def test_the_doctor_says_ok_line_by_line_and_ends_with_0(place):
    code, said, _ = run("doctor")
    assert code == 0
    assert len(said.splitlines()) == 10
    assert all(line.startswith("ok ") for line in said.splitlines())


def test_the_doctor_ends_with_1_and_a_remedy_where_something_is_wrong(place, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://127.0.0.1:1/0")
    code, said, _ = run("doctor")
    assert code == 1
    problem = next(i for i, line in enumerate(said.splitlines()) if line.startswith("PROBLEM redis"))
    assert "leave that empty for an embedded server" in said.splitlines()[problem + 1]


def test_the_doctor_as_json_is_one_document(place):
    code, said, _ = run("doctor", "--json")
    body = json.loads(said)
    assert code == 0
    assert body["ok"] is True
    assert {check["name"] for check in body["checks"]} >= {"python", "redis", "database", "signals"}
