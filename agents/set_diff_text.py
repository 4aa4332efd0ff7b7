"""The difference of two criteria sets as plain text, for a terminal, a mail or a review."""

from __future__ import annotations

from collections.abc import Iterator

from agents.set_diff import Change, SetDiff, Standing
from agents.word_edits import marked

_KINDS = ("reworded", "new", "dropped", "kept")
"""What asks for most attention comes first."""


def diff_text(diff: SetDiff) -> str:
    """The counts, then every change: weight and accuracy on mining pairs before and after, why, and changed words."""
    return "\n".join([diff.headline, *_lines(diff)]) + "\n"


def _lines(diff: SetDiff) -> Iterator[str]:
    for kind in _KINDS:
        changes: tuple[Change, ...] = getattr(diff, kind)
        if changes:
            yield f"\n{kind}"
        for change in changes:
            yield f"  {change.name}"
            yield f"    {figures(change)}"
            yield f"    why: {change.reason}"
            yield from (f"    {field}: {marked(found)}" for field, found in change.edits.items())


def figures(change: Change) -> str:
    """Weight and accuracy on mining pairs, before and after where there are both."""
    standings = [s for s in (change.before, change.after) if s is not None]
    weights = " -> ".join(f"{s.weight:+.2f}" for s in standings)
    return f"weight {weights}; mining pairs {' -> '.join(map(accuracy, standings))}"


def accuracy(standing: Standing) -> str:
    """Right of decided with the share, or that it was not measured."""
    if standing.accuracy is None:
        return "not measured"
    return f"right on {standing.right} of {standing.decided} ({standing.accuracy:.0%})"
