"""The shape of the repository: three rooms, one direction, small files, names that say something."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("services", "agents", "knowledge_base")
MODULES = sorted(p for room in (*ROOMS, "tests", "benchmarks") for p in (ROOT / room).rglob("*.py"))
IN_ROOMS = [p for p in MODULES if p.relative_to(ROOT).parts[0] in ROOMS]

MOST_LINES = 400
BANNED = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
REQUIRED = {
    *ROOMS, "tests", "benchmarks", "docs", ".ci", ".github", "docker-compose.yml", "Dockerfile", "Makefile",
    "pyproject.toml", "constraints.txt", "langgraph.json", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
    "NOTICE", ".pre-commit-config.yaml", ".gitignore", ".dockerignore",
}  # fmt: skip
MADE = {"build", "dist", "demo-out", "data"}


def relative(paths: list[Path]) -> list[str]:
    return [str(p.relative_to(ROOT)) for p in paths]


def imported(path: Path) -> Iterator[str]:
    """Top-level names of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([tool, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=60)


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    assert relative([p for p in MODULES if len(p.read_text(encoding="utf-8").splitlines()) > MOST_LINES]) == []


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    assert [name for name in relative(MODULES) if BANNED & set(Path(name).with_suffix("").parts)] == []


def test_every_module_in_a_room_says_why_it_exists() -> None:
    silent = [p for p in IN_ROOMS if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert relative(silent) == []


def test_the_top_level_is_as_designed() -> None:
    present = {p.name for p in ROOT.iterdir()}
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert REQUIRED - present == set()
    assert {name for name in folders if not name.endswith(".egg-info")} - REQUIRED - MADE == set()


def test_tests_mirror_the_rooms() -> None:
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders == {*ROOMS, "benchmarks"}


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_in_a_room_can_read_a_pickle(room: str) -> None:
    assert relative([p for p in IN_ROOMS if p.is_relative_to(ROOT / room) and UNSAFE & set(imported(p))]) == []


def test_nothing_in_a_room_calls_eval_or_exec() -> None:
    guilty = [
        p
        for p in IN_ROOMS
        for node in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")
    ]
    assert relative(guilty) == []


def test_imports_point_only_rightwards() -> None:
    found = lint_imports(ROOT)
    assert found.returncode == 0, found.stdout[-2000:]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("knowledge_base/wrong.py", "import agents\n"),
        ("agents/wrong.py", "import services\n"),
        ("agents/wrong.py", "import redis\n"),
        ("knowledge_base/wrong.py", "import langgraph.graph\n"),
    ],
)
def test_an_import_that_points_leftwards_or_out_of_its_room_is_found(tmp_path: Path, module: str, line: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / module).write_text(line, encoding="utf-8")
    assert "BROKEN" in lint_imports(tmp_path).stdout
