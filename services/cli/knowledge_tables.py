"""The knowledge base on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.set_tables import moment
from services.inert import shown
from services.knowledge.entry import CriterionEvidence, PriorEntry
from services.knowledge.files import AddedFile
from services.knowledge.searching import Found

STYLES = {"approved": "green", "proposed": "yellow", "withdrawn": "dim"}


def print_found(found: Sequence[Found], console: Console) -> None:
    """Criteria found, most relevant first."""
    table = _table("criterion", "relevance", "from", "evidence", "source")
    for f in found:
        c = f.criterion
        cells = (f.origin, best(f.evidence), Text(shown(c.provenance.source)))
        table.add_row(Text(shown(c.name)), f"{f.relevance:.2f}", *cells)
    console.print(table)


def print_entries(found: Sequence[PriorEntry], console: Console) -> None:
    """Entries, a line each."""
    if not found:
        console.print(Text("nothing was added yet; `touchstone knowledge add FILE` proposes criteria"))
        return
    table = _table("criterion", "id", "status", "from", "by", "since", "evidence")
    for e in found:
        table.add_row(
            Text(shown(e.criterion.name)), e.digest[:12], Text(e.status, style=STYLES[e.status]), e.source,
            Text(shown(e.who)), moment(e.at), best(e.evidence),
        )  # fmt: skip
    console.print(table)


def best(evidence: Sequence[CriterionEvidence]) -> str:
    """The latest figures that flatter least, and which pairs they come from; `-` where there are none."""
    known = [e for e in evidence if e.best is not None and e.best.accuracy is not None]
    if not known:
        return "-"
    last = known[-1]
    figures = last.best
    assert figures is not None
    pairs = f"{last.kind} pairs" if last.held_out else "mining pairs"
    return f"{figures.accuracy:.0%} of {figures.decided} {pairs}"


def added_lines(done: AddedFile) -> Iterator[str]:
    """What was added, what it resembles, and what was there already."""
    for added in done.added:
        yield f"{added.entry.criterion.name} ({added.entry.digest[:12]}): proposed"
        yield from (f"  means the same as {a.name!r} (cosine {a.similarity:.2f})" for a in added.alike)
    yield from (f"left out: {told}" for told in done.left_out)


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, min_width=24)
    for name in others:
        table.add_column(name, no_wrap=name != "source")
    return table
