"""Vote correlation as a heat map: criteria that vote alike share a colour and count for less than they seem to."""

from __future__ import annotations

from dataclasses import dataclass

from services.run_result import RunResult

LABELS, TOP = 216, 26
ROOM = 520
LARGEST, SMALLEST = 34.0, 9.0
WRITTEN = 24.0
"""Cells at least this large hold their number."""

NAME_LIMIT = 30


@dataclass(frozen=True)
class Cell:
    """Two criteria: `strength` in [0, 1] is the size of their correlation, `value` the correlation in words."""

    x: float
    y: float
    strength: float
    negative: bool
    value: str
    title: str


@dataclass(frozen=True)
class HeatMap:
    """The drawing; `names` are (number, name, y), `written` says whether cells hold their value."""

    cells: tuple[Cell, ...]
    names: tuple[tuple[int, str, float], ...]
    side: float
    width: float
    height: float
    written: bool


def heat_map(result: RunResult) -> HeatMap:
    """Lay the correlations out: the lower triangle, strongest criterion first."""
    names = [m.criterion.name for m in result.criteria_set.members]
    side = round(min(LARGEST, max(SMALLEST, ROOM / max(len(names), 1))), 1)
    cells = [_cell(names, i, j, result.correlation[i][j], side) for i in range(len(names)) for j in range(i + 1)]
    rows = [(i + 1, _short(name), round(TOP + side * (i + 0.5), 1)) for i, name in enumerate(names)]
    extent = side * len(names)
    return HeatMap(tuple(cells), tuple(rows), side, LABELS + extent + 8, TOP + extent + 8, side >= WRITTEN)


def _cell(names: list[str], row: int, column: int, value: float, side: float) -> Cell:
    x, y = round(LABELS + side * column, 1), round(TOP + side * row, 1)
    told = f"{value:.2f}".replace("-", "\u2212")
    title = f"{names[row]} and {names[column]}: {told}"
    return Cell(x, y, round(abs(value), 2), value < 0, told.replace("0.", "."), title)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1].rstrip() + "…"
