"""The pages say what the code does: generated parts are fresh, commands and links exist, no machine is named."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from agents.expression import FUNCTIONS
from agents.signals.signal import Scope
from services.cli import app
from services.docs import PAGES, stale, write
from services.docs.signals_page import FUNCTION_MEANINGS, SCOPES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
WRITTEN = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "services").rglob("*.md")])
SCRIPTS = [ROOT / ".ci" / "run", ROOT / ".github" / "workflows" / "ci.yml", ROOT / ".pre-commit-config.yaml"]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z-]+):(.*)$", re.MULTILINE)
MACHINE_PATH = re.compile(r"/(?:root|Users)/\w|/home/(?!touchstone\b)\w|/work/(?:main|shared)|/opt/\w")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_lines(page: str) -> Iterator[str]:
    """Lines of code blocks and spans, comments cut off."""
    for block, span in CODE.findall(page):
        yield from (line.split("#")[0].strip() for line in (block or span).splitlines())


def make_targets() -> set[str]:
    return {name for name, _ in TARGET.findall(read(ROOT / "Makefile"))}


def made(line: str) -> list[str]:
    """Targets that a shell line makes."""
    found = re.match(r"(?:- )?(?:run: |entry: )?make((?: [a-z][a-z-]*)+)", line.strip())
    return found.group(1).split() if found else []


def commands() -> dict[str, Any]:
    """Command name -> command, as typer builds them; one of a group as `group command`."""
    whole: Any = typer.main.get_command(app)
    within = {f"{g} {n}": c for g, found in whole.commands.items() for n, c in getattr(found, "commands", {}).items()}
    return dict(whole.commands) | within


def anchors(page: str) -> set[str]:
    """What a link may point at inside a page: headings as GitHub names them, and explicit anchors."""
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    slugs = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return {*slugs, *re.findall(r'<a id="([^"]+)">', page)}


def test_every_generated_page_is_as_the_code_has_it() -> None:
    assert stale(DOCS) == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_that_was_changed_by_hand_counts_as_stale_and_is_mended(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DOCS, tmp_path / "docs"))
    fresh = read(folder / name)
    generated = r"TOUCHSTONE_HOME|seed\(seed\)|# Signals|# Criteria catalogue|# The command line"
    broken = re.sub(generated, "something else", fresh, count=1)
    (folder / name).write_text(broken, encoding="utf-8")
    assert stale(folder) == [name]
    assert write(folder) == [name]
    assert read(folder / name) == fresh


def test_the_reference_explains_every_scope_and_function() -> None:
    assert set(SCOPES) == set(get_args(Scope))
    assert set(FUNCTION_MEANINGS) == set(FUNCTIONS)


def test_every_target_has_a_help_line_and_is_phony_and_stands_in_contributing() -> None:
    makefile, contributing = read(ROOT / "Makefile"), read(ROOT / "CONTRIBUTING.md")
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[0].split())
    assert make_targets() == phony
    assert [name for name, rest in TARGET.findall(makefile) if "## " not in rest] == []
    assert [name for name in sorted(phony) if f"`make {name}`" not in contributing] == []


@pytest.mark.parametrize("path", [*WRITTEN, *SCRIPTS], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_target_that_is_named_exists(path: Path) -> None:
    lines = code_lines(read(path)) if path.suffix == ".md" else read(path).splitlines()
    named = {target for line in lines for target in made(line)}
    assert named - make_targets() == set()


def test_the_workflow_and_the_ci_script_call_the_same_targets() -> None:
    script, workflow = ({t for line in read(p).splitlines() for t in made(line)} for p in SCRIPTS[:2])
    assert script == workflow - {"install"} == {"test", "lint", "types", "imports", "demo"}


def test_every_command_and_every_option_is_on_the_command_line_page() -> None:
    page = read(DOCS / "cli.md")
    missing = [f"touchstone {name}" for name in commands() if f"touchstone {name}" not in page]
    options = [(name, o) for name, c in commands().items() for p in c.params for o in p.opts if o.startswith("--")]
    assert missing + [f"{name} {option}" for name, option in options if option not in page] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_and_option_that_is_shown_exists(path: Path) -> None:
    known = commands()
    for line in code_lines(read(path)):
        used = re.search(r"(?:^|\s|/)touchstone ([a-z][a-z-]*)(.*)", line)
        if used is None or line.startswith(("import", "-", "docker")):
            continue
        assert used.group(1) in known, line
        second = re.match(r" ([a-z][a-z-]*)", used.group(2))
        name = f"{used.group(1)} {second.group(1)}" if second else ""
        command = known.get(name, known[used.group(1)])
        options = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
        assert set(re.findall(r"--[a-z][a-z-]*", used.group(2))) <= options | {"--help"}, line


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_inside_the_repository_resolves(path: Path) -> None:
    broken = []
    for target in LINK.findall(CODE.sub("", read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file) if file else path
        if not place.exists() or (anchor and anchor not in anchors(read(place))):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {target.split("#")[0] for target in LINK.findall(read(DOCS / "README.md"))}
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} - linked == set()


def test_no_file_names_a_path_of_one_machine() -> None:
    texts = (".py", ".md", ".toml", ".yml", ".yaml", ".json", ".jsonl", ".txt", ".jinja", ".css", "")
    skipped = {".venv", ".git", "build", "dist", "demo-out", "__pycache__"}
    guilty = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in texts
        and not any(part in skipped or part.endswith(("_cache", ".egg-info")) for part in path.relative_to(ROOT).parts)
        and ".hypothesis" not in path.parts
        and MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert guilty == []


def test_contributing_explains_every_marker() -> None:
    options = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["pytest"]["ini_options"]
    names = [line.split(":")[0] for line in options["markers"]]
    assert [name for name in names if f"`{name}`" not in read(ROOT / "CONTRIBUTING.md")] == []
