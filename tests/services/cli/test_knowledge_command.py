"""`touchstone knowledge`: searching, adding, deciding, on a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from knowledge_bench import SHIPPED, criterion, light_knowledge, set_of
from typer.testing import CliRunner

from services.cli.knowledge import app
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.database import Database
from services.knowledge.adding import add
from services.knowledge.approving import history
from services.knowledge.listing import list_entries, load_entry
from services.settings import load_settings

DEPTH = criterion("Depth of thought")

FILE = """\
- name: Depth of thought
  description: Prefer the text that thinks the matter through, and further than one line.
  provenance: {kind: person, source: Our editors}
"""


@pytest.fixture
def database(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    with light_knowledge(monkeypatch):
        made = Database(load_settings().database).create()
        yield made
        made.close()


@pytest.fixture
def entry(database: Database) -> str:
    return add(database, load_settings().home, DEPTH, "ann").entry.digest


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


def test_a_search_shows_what_is_near_where_it_is_from_and_how_it_did(database: Database) -> None:
    made = set_of(DEPTH)
    keep_set(database, made, name="web")
    decide(database, "web", made.version, "approve", "", "ann")
    out = said("search", DEPTH.words, "--domain", "answers", "--limit", "3")
    assert "Depth of thought" in out
    assert "entry" in out
    assert "80% of 30 mining pairs" in out
    found = told("search", SHIPPED[0].words, "--limit", "1")
    assert [(f["criterion"]["name"], f["origin"]) for f in found] == [("Reasons given", "catalogue")]


def test_a_list_shows_entries_and_says_what_to_do_where_there_are_none(database: Database) -> None:
    assert "touchstone knowledge add" in said("list")
    digest = add(database, load_settings().home, DEPTH, "ann").entry.digest
    out = said("list")
    for words in ("Depth of thought", digest[:12], "proposed", "person", "ann"):
        assert words in out
    assert told("list", "--status", "approved") == []
    assert [e["digest"] for e in told("list")] == [digest]


def test_a_file_is_added_once_and_what_resembles_it_is_told(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(FILE)
    assert "Depth of thought (" in said("add", path, "--note", "ours", "--as", "ann")
    (entry,) = list_entries(database)
    assert (entry.who, entry.note, entry.status) == ("ann", "ours", "proposed")
    assert "left out: 'Depth of thought' is in the knowledge base" in said("add", path)
    path.write_text(FILE.replace("one line", "one line or so"))
    assert "means the same as 'Depth of thought' (cosine 0.9" in said("add", path)
    assert len(list_entries(database)) == 2


def test_entries_are_decided_about_by_id_or_name(database: Database, entry: str) -> None:
    assert said("approve", entry[:8], "--as", "bo") == f"Depth of thought ({entry[:12]}): approved by bo\n"
    assert told("withdraw", "depth of thought", "--note", "vague", "--as", "cy")["number"] == 2
    assert load_entry(database, entry).status == "withdrawn"
    assert [(d.who, d.note) for d in history(database, entry)] == [("bo", ""), ("cy", "vague")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["approve", "nothing of that name"], "no entry of the knowledge base is named"),
        (["withdraw", "ffffff"], "no entry of the knowledge base is named"),
        (["add", "/nowhere/ours.yaml"], "cannot be read"),
        (["search", " "], "the search text has 1 characters"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_without_a_traceback(
    database: Database, entry: str, arguments: list[str], words: str
) -> None:
    code, _, error = run(*arguments)
    assert code == 1
    assert words in error
    assert error.count("\n") == 1


def test_a_decision_that_does_not_fit_is_told(database: Database, entry: str) -> None:
    run("approve", entry)
    code, _, error = run("approve", entry)
    assert (code, "is approved already" in error) == (1, True)
