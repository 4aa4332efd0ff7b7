"""Criteria by coverage and accuracy: where each stands, its interval, and as many names as fit without overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from services.report.criteria_view import CriterionView
from services.report.scale import Scale, accuracy_scale

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 44
RADIUS = 8.5
LETTER, LINE = 5.7, 13.0
"""Width of an average letter and height of a line at the drawing's text size."""

NAME_LIMIT = 34


@dataclass(frozen=True)
class Dot:
    """A criterion in the drawing; `label` is empty where its name found no room."""

    number: int
    name: str
    x: float
    y: float
    low: float
    high: float
    label: str
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Scatter:
    """The drawing: dots with their axes."""

    dots: tuple[Dot, ...]
    across: Scale
    up: Scale
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Box:
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


FRAME = Box(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)


def scatter(views: Sequence[CriterionView]) -> Scatter:
    """Lay the criteria out; the strongest get their names first."""
    up = accuracy_scale([v.member.mining.low for v in views], HEIGHT - BOTTOM, TOP)
    across = _across([v.member.mining.coverage for v in views])
    places = [(across.at(v.member.mining.coverage), up.at(v.member.mining.shrunken)) for v in views]
    taken = [_round(x, y) for x, y in places]
    dots = [_dot(view, place, up, taken) for view, place in zip(views, places, strict=True)]
    return Scatter(tuple(dots), across, up)


def _across(coverages: Sequence[float]) -> Scale:
    """From the fifth below the smallest coverage, so that criteria which all decide often do not crowd."""
    low = floor(5 * min(coverages, default=0.0)) / 5
    return Scale(min(low, 0.8), 1.0, LEFT + RADIUS + 4, WIDTH - RIGHT - RADIUS - 4)


def _dot(view: CriterionView, place: tuple[float, float], up: Scale, taken: list[Box]) -> Dot:
    x, y = place
    label = _short(view.name)
    found = next((c for c in _candidates(x, y, label) if _free(c[0], taken)), None)
    if found:
        taken.append(found[0])
    _, label_x, label_y, anchor = found or (None, x, y, "middle")
    mining = view.member.mining
    low, high = up.at(mining.low), up.at(mining.high)
    return Dot(view.number, view.name, x, y, low, high, label if found else "", label_x, label_y, anchor)


def _candidates(x: float, y: float, label: str) -> list[tuple[Box, float, float, str]]:
    """Boxes for a name around a dot, best first, each with where its text starts and how it is anchored."""
    wide, gap = len(label) * LETTER, RADIUS + 4
    right = [(Box(x + gap, y + d - LINE, x + gap + wide, y + d), x + gap, y + d - 3, "start") for d in (6, -2, 14)]
    left = [(Box(x - gap - wide, y + d - LINE, x - gap, y + d), x - gap, y + d - 3, "end") for d in (6, -2, 14)]
    half = wide / 2
    over = (Box(x - half, y - gap - LINE, x + half, y - gap), x, y - gap - 3, "middle")
    under = (Box(x - half, y + gap, x + half, y + gap + LINE), x, y + gap + LINE - 3, "middle")
    return [*right, *left, over, under]


def _free(box: Box, taken: Sequence[Box]) -> bool:
    inside = box.left >= FRAME.left and box.right <= FRAME.right and box.top >= FRAME.top and box.bottom <= FRAME.bottom
    return inside and not any(box.meets(other) for other in taken)


def _round(x: float, y: float) -> Box:
    return Box(x - RADIUS - 1, y - RADIUS - 1, x + RADIUS + 1, y + RADIUS + 1)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1].rstrip() + "…"
