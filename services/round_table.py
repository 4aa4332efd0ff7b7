"""What a round did to each criterion, as a table for a terminal and as lines for a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from agents.assessment import Assessment
from agents.chronicle import Entry, RoundRecord
from services.inert import shown

BEST, OTHERS = 8, 6
"""Entries of a round that are shown: the best, and those to be refined or replaced. The report shows all of them."""

STYLES = {"keep": "green", "refine": "yellow", "replace": "red"}


def round_table(record: RoundRecord) -> Table:
    """A round's criteria, best first, with figures on the mining pairs, fate and why."""
    table = Table(
        title=Text(headline(record)), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("criterion", max_width=34)
    for name in ("right", "raw", "shrunken", "95%", "coverage", "flips"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("fate")
    table.add_column("why", style="dim")
    for entry in chosen(record):
        table.add_row(*_cells(entry))
    if rest := _rest(record):
        table.caption = Text(rest)
        table.caption_justify = "left"
    return table


def round_lines(record: RoundRecord) -> Iterator[str]:
    """The same as lines: one for the round, one for each criterion shown, one for how many there are besides."""
    yield headline(record)
    for entry in chosen(record):
        a = entry.assessment
        accuracy = f"right on {a.right} of {a.decided}, shrunken {a.shrunken:.0%} ({span(a)}%)"
        figures = f"{accuracy}, coverage {a.coverage:.0%}, flips {a.flip_rate:.0%}"
        yield f"  {entry.fate:<8}{entry.name}: {figures}; {entry.why}"
    if rest := _rest(record):
        yield f"  {rest}"


def headline(record: RoundRecord) -> str:
    """A round in a sentence."""
    fates = Counter(e.fate for e in record.entries)
    told = f"{fates['keep']} kept, {fates['refine']} to refine, {fates['replace']} to replace"
    return f"Round {record.number}: {record.candidates} candidates, {record.raced_out} lost the race; {told}"


def chosen(record: RoundRecord) -> list[Entry]:
    """The entries that are shown: `BEST` of all, then `OTHERS` of those further down that were not kept."""
    lower = [e for e in record.entries[BEST:] if e.fate != "keep"]
    return [*record.entries[:BEST], *lower[:OTHERS]]


def raw(assessment: Assessment) -> str:
    """Right / decided; `-` where nothing was decided."""
    return f"{assessment.accuracy:.0%}" if assessment.decided else "-"


def span(assessment: Assessment) -> str:
    """The ends of the accuracy's interval, in percent."""
    return f"{100 * assessment.low:.0f}-{100 * assessment.high:.0f}"


def _rest(record: RoundRecord) -> str:
    number = len(record.entries) - len(chosen(record))
    return f"and {number} more, all of them in the report" if number else ""


def _cells(entry: Entry) -> Sequence[str | Text]:
    a = entry.assessment
    return [
        Text(shown(entry.name)), f"{a.right} of {a.decided}", raw(a), f"{a.shrunken:.0%}", span(a), f"{a.coverage:.0%}",
        f"{a.flip_rate:.0%}", Text(entry.fate, style=STYLES[entry.fate]), Text(shown(entry.why)),
    ]  # fmt: skip
