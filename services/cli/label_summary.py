"""A finished labelling on a terminal: what was asked, what was spared, and how far the labels may be trusted."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.inert import shown
from services.labelling.summary import LabelSummary, Share


def print_labelling(summary: LabelSummary, console: Console) -> None:
    """Each criterion's part in it, then the labels, the judgments they took, and what to beware of."""
    console.print(_table(summary))
    labels = summary.labels
    console.print(
        Text(
            f"{summary.pairs:,} pairs: {labels['a']:,} prefer a, {labels['b']:,} prefer b, {labels['tie']:,} ties",
            style="bold",
        )
    )
    console.print(Text(_judgments(summary)))
    if summary.turned is not None:
        console.print(Text(_turned(summary, summary.turned)))
    if summary.given is not None:
        console.print(Text(f"labelled as the file's own preference: {_told(summary.given)}, ties left out"))
    console.print(Text(f"{summary.effective_votes:.1f} effective votes in {len(summary.criteria)} criteria"))
    if summary.exported is not None:
        console.print(Text(f"{summary.exported:,} preferences for TRL"))
    left_out = [f"left out, nobody here can judge by it: {name}" for name in summary.left_out]
    for note in (*left_out, *summary.notes):
        console.print(Text(f"note: {shown(note)}", style="dim"))


def _judgments(summary: LabelSummary) -> str:
    whole = summary.asked + summary.reused + summary.saved
    counts = f"{summary.asked:,} judgments asked, {summary.reused:,} reused"
    if not summary.saved:
        return counts
    share = summary.saved / whole
    return (
        f"{counts}; early stopping saved {summary.saved:,} of {whole:,} ({share:.0%}), on {summary.early:,} pairs "
        f"({'no label would differ' if summary.stop == 'exact' else f'accepted error {summary.error:g}'})"
    )


def _turned(summary: LabelSummary, turned: Share) -> str:
    if not turned.n:
        return "no pair was asked to the end after it could have stopped, so the error of stopping is not known"
    return f"labels that asking on would have changed: {_told(turned)} asked to the end ({summary.error:g} accepted)"


def _told(share: Share) -> str:
    if not share.n:
        return "not known, none can be compared"
    return f"{share.right / share.n:.1%} ({share.low:.1%} to {share.high:.1%}), {share.right:,} of {share.n:,} pairs"


def _table(summary: LabelSummary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("criterion", min_width=24)
    for name in ("weight", "asked of", "decided", "abstained", "missing"):
        table.add_column(name, justify="right", no_wrap=True)
    for c in summary.criteria:
        counts = (f"{n:,}" for n in (c.asked, c.decided, c.abstained, c.missing))
        table.add_row(Text(shown(c.name)), f"{c.weight:+.2f}", *counts)
    return table
