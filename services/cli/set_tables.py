"""Criteria sets on a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.criteria_set import Member
from services.cli.summary import told
from services.criteria_sets.standing import Decision
from services.criteria_sets.stored import SetDetails, StoredSet
from services.inert import shown
from services.round_table import raw, span

STYLES = {"approved": "green", "proposed": "yellow", "rejected": "red", "superseded": "dim"}


def print_sets(found: Sequence[StoredSet], console: Console) -> None:
    """Versions, a line each."""
    if not found:
        console.print(Text("no criteria sets yet; `touchstone sets import criteria.yaml --name NAME` proposes one"))
        return
    table = _table("line", "version", "status", "criteria", "mined from", "run", "parent", "since")
    for s in found:
        table.add_row(
            Text(shown(s.name)), s.version, Text(s.status, style=STYLES[s.status]), str(len(s.criteria_set.members)),
            f"{s.criteria_set.lineage.pairs} pairs" if s.dataset else "-", Text(shown(s.run) or "-"), s.parent or "-",
            moment(s.created_at),
        )  # fmt: skip
    console.print(table)


def print_set(stored: StoredSet, details: SetDetails, console: Console) -> None:
    """Criteria, evidence and decisions of a version."""
    by = f" by {shown(details.created_by)}" if details.created_by else ""
    console.print(Text(f"{stored.name} {stored.version}: {stored.status}, since {moment(stored.created_at)}{by}"))
    table = _table("criterion", "weight", "right", "raw", "shrunken", "95%", "coverage", "held out")
    held_out = {a.criterion: a for a in details.evidence.criteria} if details.evidence else {}
    for m in stored.criteria_set.members:
        other = held_out.get(m.criterion.hash)
        honest = f"{raw(other)} of {other.decided}" if other else "-"
        table.add_row(Text(shown(m.criterion.name)), f"{m.weight:+.2f}", *_figures(m), honest)
    console.print(table)
    for line in (*_evidence(details), *_decisions(details.decisions)):
        console.print(Text(shown(line)))


def sets_json(found: Sequence[StoredSet]) -> str:
    """Versions without their criteria's texts, which `touchstone sets show` gives."""
    rows = [s.model_dump(mode="json", exclude={"criteria_set"}) for s in found]
    sizes = [len(s.criteria_set.members) for s in found]
    return json.dumps([row | {"criteria": size} for row, size in zip(rows, sizes, strict=True)])


def set_json(stored: StoredSet, details: SetDetails) -> str:
    """A version with everything that belongs to it."""
    return json.dumps({"set": stored.model_dump(mode="json"), "details": details.model_dump(mode="json")})


def moment(at: float) -> str:
    """Seconds since the epoch as a date and time, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _evidence(details: SetDetails) -> Iterator[str]:
    found = details.evidence
    if found is None:
        yield "no evidence here: the set was not mined by a run that this database knows"
        return
    for label, vote in (("weighted vote ", found.weighted), ("plain majority", found.majority)):
        if vote is not None:
            yield f"{label}  {found.holdout} pairs: {told(vote)}"
    yield f"weighted vote   mining pairs (flattered): {told(found.mining)}"
    yield f"{found.effective_votes:.1f} effective votes; run {found.run}, policy {found.policy}, judge {found.judge}"


def _decisions(made: Sequence[Decision]) -> Iterator[str]:
    for d in made:
        note = f": {d.note}" if d.note else ""
        instead = f" in place of {d.superseded}" if d.superseded else ""
        yield f"{moment(d.at)}  {d.who} chose to {d.decision}{instead}{note}"


def _figures(member: Member) -> tuple[str, ...]:
    a = member.mining
    if not a.asked:
        return "-", "-", "-", "-", "-"
    return f"{a.right} of {a.decided}", raw(a), f"{a.shrunken:.0%}", span(a), f"{a.coverage:.0%}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, min_width=12)
    for name in others:
        table.add_column(name, no_wrap=True)
    return table
