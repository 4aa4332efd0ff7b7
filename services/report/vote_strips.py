"""The four figures a set is judged by, on one axis: held-out and mining pairs, weighted vote and plain majority."""

from __future__ import annotations

from dataclasses import dataclass

from agents.outcome import VoteAccuracy
from services.report.findings import PAIRS_NAMED
from services.report.scale import Scale, accuracy_scale
from services.run_result import RunResult

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 236, 190, 24, 30


@dataclass(frozen=True)
class Strip:
    """One vote on one kind of pair; `honest` if nobody mined from them."""

    label: str
    accuracy: VoteAccuracy
    honest: bool
    y: float
    x: float
    low: float
    high: float


@dataclass(frozen=True)
class VoteStrips:
    """The drawing."""

    strips: tuple[Strip, ...]
    across: Scale
    height: float
    left: int = LEFT
    width: int = WIDTH


def vote_strips(result: RunResult) -> VoteStrips:
    """Lay the votes out, the honest ones first."""
    named = PAIRS_NAMED[result.facts.holdout]
    rows = [
        (f"Weighted vote, {named}", result.held_out_weighted, True),
        (f"Plain majority, {named}", result.held_out_majority, True),
        ("Weighted vote, mining pairs", result.mining_weighted, False),
        ("Plain majority, mining pairs", result.mining_majority, False),
    ]
    found = [(label, vote, honest) for label, vote, honest in rows if vote is not None]
    across = accuracy_scale([vote.low for _, vote, _ in found], LEFT, WIDTH - RIGHT)
    strips = tuple(_strip(i, *row, across) for i, row in enumerate(found))
    return VoteStrips(strips, across, TOP + ROW * len(found) + 24)


def _strip(row: int, label: str, vote: VoteAccuracy, honest: bool, across: Scale) -> Strip:
    y = TOP + ROW * (row + 0.5)
    return Strip(label, vote, honest, y, across.at(vote.accuracy), across.at(vote.low), across.at(vote.high))
