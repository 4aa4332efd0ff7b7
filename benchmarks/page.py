"""Results on the page: each benchmark owns one marked section of docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def write_section(name: str, command: str, body: str, page: Path = PAGE) -> None:
    """Replace the section `name` of the page by these results, with command, machine and date.

    Raises:
        ValueError: the page has no such section; its text says where results go.
    """
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- results: {name} -->", f"<!-- end: {name} -->"
    if start not in text or end not in text:
        raise ValueError(f"{page.name} has no section {name!r}; add {start!r} and {end!r} where it belongs")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    told = f"{start}\n`{command}`, {today}, {machine()}\n\n{body.strip()}\n{end}"
    page.write_text(
        re.sub(f"{re.escape(start)}.*?{re.escape(end)}", lambda _: told, text, flags=re.S), encoding="utf-8"
    )


def machine() -> str:
    """Cores, processor architecture, system and Python; no host name."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column left-aligned, the others right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
