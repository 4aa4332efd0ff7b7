"""When a new version needs no person: the bar of a schedule, applied to the evidence. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agents.comparison import SetComparison
from services.schedules.terms import Bar

UNFIT = frozenset({"judge", "corpus", "fit"})
"""Causes of drift that make the approved version unfit, so that one no worse may replace it."""


@dataclass(frozen=True)
class Ruling:
    """Whether the schedule approves, and why or why not, in a clause."""

    approves: bool
    told: str


def rule(bar: Bar | None, comparison: SetComparison, causes: Collection[str]) -> Ruling:
    """Rule on a new version.

    It passes if it was compared on enough pairs and is better (interval and exact test leave 0 out), or, where drift
    made the old one unfit, is at worst `bar.margin` worse. Where the annotators moved it never passes: their votes are
    the measure of both.

    Args:
        bar: of the schedule; None leaves it to a person.
        comparison: old against new.
        causes: of drift that were found.
    """
    if bar is None:
        return Ruling(False, "a person decides")
    if "annotators" in causes:
        return Ruling(False, "a person decides, for the annotators moved and both sets are measured by their votes")
    if comparison.effective < bar.pairs:
        few = f"{comparison.effective:.0f} separate sealed pairs are fewer than the {bar.pairs} that the bar asks for"
        return Ruling(False, f"a person decides, for {few}")
    if comparison.verdict == "better":
        return Ruling(True, "it passes the schedule's bar: it is better")
    if bar.margin and UNFIT.intersection(causes) and comparison.low >= -bar.margin:
        drift = ", ".join(sorted(UNFIT.intersection(causes)))
        worst = f"drift was found ({drift}), and it is at worst {bar.margin:.1%} worse"
        return Ruling(True, f"it passes the schedule's bar: {worst}")
    return Ruling(False, "a person decides, for it does not pass the schedule's bar")
