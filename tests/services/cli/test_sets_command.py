"""`touchstone sets`: what a lead reads and decides, on a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from knowledge_bench import criterion, light_knowledge, set_of
from report_cases import sealed_result
from typer.testing import CliRunner

from agents.criteria_set import CriteriaSet
from services.cli.output_folder import write_folder
from services.cli.sets import app
from services.criteria_file import write_criteria
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.standing import decisions_of
from services.database import Database
from services.settings import load_settings

FIRST = set_of(criterion("Depth of thought"), criterion("Tone of voice"))
SECOND = set_of(criterion("Depth of thought"), criterion("Warmth"), parent=FIRST.version)


@pytest.fixture
def database(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    with light_knowledge(monkeypatch):
        made = Database(load_settings().database).create()
        yield made
        made.close()


@pytest.fixture
def line(database: Database) -> Database:
    keep_set(database, FIRST, name="web", why={"Tone of voice": "it was kept"})
    keep_set(database, SECOND, name="web", why={"Warmth": "round 2, keep: it fits"})
    return database


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def said(*arguments: object) -> str:
    code, out, error = run(*arguments)
    assert (code, error) == (0, "")
    return out


def told(*arguments: object) -> Any:
    return json.loads(said(*arguments, "--json"))


def test_a_list_shows_every_version_with_its_status(line: Database) -> None:
    run("approve", "web", FIRST.version, "--as", "ann")
    out = said("list")
    for words in (FIRST.version, SECOND.version, "approved", "proposed", "40 pairs"):
        assert words in out
    assert out.index(SECOND.version) < out.index("approved"), "newest first"
    rows = told("list", "web")
    assert [(r["version"], r["status"], r["criteria"]) for r in rows] == [
        (SECOND.version, "proposed", 2), (FIRST.version, "approved", 2),
    ]  # fmt: skip


def test_an_empty_list_says_what_to_do(database: Database) -> None:
    assert "touchstone sets import" in said("list")
    assert told("list") == []


def test_a_version_is_shown_with_criteria_evidence_and_decisions(database: Database) -> None:
    result = sealed_result()
    keep_set(database, result.criteria_set, name="letters", run=result.run, result=result)
    run("approve", "letters", result.criteria_set.version, "--note", "holds on new pairs", "--as", "Ann Lee")
    out = said("show", "letters")
    for member in result.criteria_set.members:
        assert member.criterion.name in out
    assert "weighted vote   sealed pairs: " in out
    assert "coverage" in out
    assert "Ann Lee chose to approve: holds on new pairs" in out
    body = told("show", "letters")
    assert body["details"]["evidence"]["holdout"] == "sealed"
    assert CriteriaSet.model_validate(body["set"]["criteria_set"]) == result.criteria_set


def test_without_a_version_the_approved_one_is_shown_or_else_the_newest(line: Database) -> None:
    assert told("show", "web")["set"]["version"] == SECOND.version
    run("approve", "web", FIRST.version)
    assert told("show", "web")["set"]["version"] == FIRST.version
    assert "no evidence here" in said("show", "web")


def test_a_difference_is_from_the_approved_version_to_the_newest(line: Database) -> None:
    run("approve", "web", FIRST.version)
    out = said("diff", "web")
    assert out.startswith(f"{FIRST.version} -> {SECOND.version}: 1 kept, 0 reworded, 1 dropped, 1 new")
    assert "why: round 2, keep: it fits" in out
    body = told("diff", "web", SECOND.version, FIRST.version[:6])
    assert [c["after"]["name"] for c in body["new"]] == ["Tone of voice"]


def test_decisions_are_put_on_record(line: Database) -> None:
    assert said("approve", "web", FIRST.version[:5], "--as", "ann") == f"web {FIRST.version}: approved by ann\n"
    out = said("approve", "web", SECOND.version, "--note", "better", "--as", "bo")
    assert out == f"web {SECOND.version}: approved by bo; it takes the place of {FIRST.version}\n"
    assert told("reject", "web", SECOND.version, "--as", "cy")["decision"] == "reject"
    made = [(d.who, d.decision, d.note) for d in decisions_of(line, "web")]
    assert made == [("ann", "approve", ""), ("bo", "approve", "better"), ("cy", "reject", "")]


def test_whoever_is_logged_in_decides(line: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "dana")
    run("approve", "web", FIRST.version)
    assert [d.who for d in decisions_of(line, "web")] == ["dana"]


def test_a_file_is_proposed_with_what_was_noticed_on_reading_it(line: Database, tmp_path: Path) -> None:
    write_criteria(FIRST, tmp_path / "criteria.yaml")
    assert "is proposed: 2 criteria" in said("import", tmp_path / "criteria.yaml", "--name", "forum")
    text = (tmp_path / "criteria.yaml").read_text().replace("Tone of voice", "Calm voice")
    (tmp_path / "criteria.yaml").write_text(text)
    code, out, error = run("import", tmp_path / "criteria.yaml", "--name", "web", "--json")
    assert code == 0
    assert json.loads(out)[0]["parent"] == FIRST.version
    assert error == ""
    assert "note: the file states version" in run("import", tmp_path / "criteria.yaml", "--name", "web")[2]


def test_the_result_beside_a_file_gives_its_evidence(database: Database, tmp_path: Path) -> None:
    result = sealed_result()
    write_folder(result, tmp_path / "out")
    said("import", tmp_path / "out" / "criteria.yaml", "--name", "letters")
    body = told("show", "letters")
    assert body["set"]["run"] == result.run
    assert body["details"]["evidence"]["weighted"]["n"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "forum"], "there is no line 'forum'"),
        (["show", "web", "ffff"], "there is no version 'ffff'"),
        (["show", "web", FIRST.version[:2]], "is short for"),
        (["approve", "web", "0" * 12], "there is no version '000000000000'"),
        (["approve", "web", FIRST.version, "--as", ""], ""),
        (["diff", "forum"], "there is no line 'forum'"),
        (["import", "/nowhere/criteria.yaml", "--name", "web"], "cannot be read"),
        (["import", "/nowhere/criteria.yaml", "--name", "two words"], ""),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_without_a_traceback(
    line: Database, arguments: list[str], words: str
) -> None:
    code, _, error = run(*arguments)
    if words:
        assert code == 1
        assert words in error
    assert "Traceback" not in error
    assert error.count("\n") <= 1


def test_a_decision_that_does_not_fit_is_told(line: Database) -> None:
    run("approve", "web", FIRST.version)
    code, _, error = run("approve", "web", FIRST.version)
    assert (code, "is approved: it can be rejected, not approved" in error) == (1, True)


def test_hostile_words_cannot_draw_on_the_terminal(database: Database) -> None:
    keep_set(database, set_of(criterion("Red \x1b[31m alert")), name="web", why={"Red \x1b[31m alert": "\x1b[2J"})
    keep_set(database, FIRST, name="web")
    for arguments in (["show", "web"], ["list"], ["diff", "web", set_of(criterion("Red \x1b[31m alert")).version]):
        assert "\x1b" not in run(*arguments)[1]
