"""A generated block inside a page that a person writes, and Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def filled(page: str, name: str, body: str) -> str:
    """The page with everything between the markers of block `name` replaced by `body`.

    Raises:
        ValueError: the page does not hold `<!-- generated: name -->` and, after it, `<!-- end: name -->`, once each.
    """
    start, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    if page.count(start) != 1 or page.count(end) != 1 or page.index(start) > page.index(end):
        raise ValueError(f"the page needs one {start!r} and, after it, one {end!r}; add both lines")
    before, after = page.split(start)[0], page.split(end)[1]
    return f"{before}{start}\n{body.strip()}\n{end}{after}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a `|` or a line break inside a cell cannot break it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
