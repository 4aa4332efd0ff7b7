"""Generated blocks and tables, apart from what stands in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.graph import build
from agents.signals import SIGNALS
from knowledge_base.entries import load_catalogue
from services.docs.__main__ import main
from services.docs.blocks import filled, table
from services.docs.catalogue_page import catalogue_page
from services.docs.graph_figure import graph_figure
from services.docs.settings_table import settings_table
from services.docs.signals_page import signals_page
from services.settings import Settings

PAGE = "before\n<!-- generated: x -->\nold\n<!-- end: x -->\nafter\n"


def test_a_block_is_replaced_and_the_rest_is_kept() -> None:
    assert filled(PAGE, "x", "new\n") == "before\n<!-- generated: x -->\nnew\n<!-- end: x -->\nafter\n"


def test_filling_a_block_twice_changes_nothing_more() -> None:
    once = filled(PAGE, "x", "new")
    assert filled(once, "x", "new") == once


@pytest.mark.parametrize(
    "page",
    [
        "",
        PAGE * 2,
        PAGE.replace("<!-- end: x -->", ""),
        "<!-- end: x -->\n<!-- generated: x -->",
        PAGE.replace("x", "y"),
    ],
)
def test_a_page_without_exactly_one_block_is_refused_with_the_remedy(page: str) -> None:
    with pytest.raises(ValueError, match="add both lines"):
        filled(page, "x", "new")


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_no_cell_can_break_a_table(rows: list[tuple[str, str]]) -> None:
    lines = table(("left", "right"), rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3] * len(lines)


def test_every_signal_has_a_row_with_all_that_is_known_of_it() -> None:
    rows = {line.split("`")[1]: line for line in signals_page().splitlines() if line.startswith("| `")}
    assert set(SIGNALS) <= set(rows)
    incomplete = [s.name for s in SIGNALS.values() if not all(part in rows[s.name] for part in (s.unit, s.scope))]
    assert incomplete == []
    assert [s.name for s in SIGNALS.values() if not (s.definition and s.source and s.unit)] == []


def test_every_criterion_stands_in_the_catalogue_once_with_its_source() -> None:
    page = catalogue_page()
    headings = re.findall(r"^### (.+)$", page, flags=re.MULTILINE)
    assert sorted(headings) == sorted(c.name for c in load_catalogue())
    assert page.count("- Source: ") == len(headings)
    assert page.count("- Expression: `") == sum(c.programmatic for c in load_catalogue())


def test_the_figure_shows_every_node_of_the_graph() -> None:
    figure = graph_figure()
    assert figure.startswith("```mermaid\n")
    assert [node for node in build().nodes if f"{node}({node})" not in figure] == []


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = settings_table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    assert "| `TOUCHSTONE_BATCH_SIZE` | `64` |" in "\n".join(rows)


def test_check_fails_and_writes_nothing_where_a_page_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, block in (("how-it-works.md", "graph"), ("getting-started.md", "settings")):
        text = f"<!-- generated: {block} -->\n<!-- end: {block} -->\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["--check", "--folder", str(tmp_path)]) == 1
    assert "docs/signals.md is stale; run `make docs`" in capsys.readouterr().out
    assert not (tmp_path / "signals.md").exists()
    assert main(["--folder", str(tmp_path)]) == 0
    assert main(["--check", "--folder", str(tmp_path)]) == 0
