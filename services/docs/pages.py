"""Which pages are generated, wholly or in a marked block, and whether they are as the code has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.cli.reference import cli_reference
from services.docs.blocks import filled
from services.docs.catalogue_page import catalogue_page
from services.docs.graph_figure import graph_figure
from services.docs.settings_table import settings_table
from services.docs.signals_page import signals_page

Page = Callable[[str], str]
"""(text of the page as it is, empty if there is none) -> text as it should be."""

PAGES: dict[str, Page] = {
    "signals.md": lambda _: signals_page(),
    "catalogue.md": lambda _: catalogue_page(),
    "cli.md": lambda _: cli_reference(),
    "how-it-works.md": lambda text: filled(text, "graph", graph_figure()),
    "getting-started.md": lambda text: filled(text, "settings", settings_table()),
}
"""File name in `docs/` -> how it is made."""


def stale(folder: Path) -> list[str]:
    """Names of the pages in `folder` that differ from what the code says. Raises ValueError as `filled`."""
    return [name for name, made in _made(folder).items() if _text(folder / name) != made]


def write(folder: Path) -> list[str]:
    """Write the stale pages; returns their names. Raises ValueError as `filled`, before anything is written."""
    made = _made(folder)
    names = [name for name, text in made.items() if _text(folder / name) != text]
    for name in names:
        (folder / name).write_text(made[name], encoding="utf-8")
    return names


def _made(folder: Path) -> dict[str, str]:
    return {name: page(_text(folder / name)) for name, page in PAGES.items()}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
