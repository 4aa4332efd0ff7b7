"""How the set came about: every contender of every round by rank, and the lines that lead into the final set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agents.chronicle import Entry, Fate, RoundRecord
from services.run_result import RunResult

WIDTH = 760
LEFT, LABELS, TOP, BOTTOM = 40, 230, 34, 12
STEP, LABEL_STEP = 8.0, 14.5
NAME_LIMIT = 31


@dataclass(frozen=True)
class Node:
    """A contender in a round; `final` if it is in the set that was handed over."""

    x: float
    y: float
    name: str
    fate: Fate
    final: bool
    title: str


@dataclass(frozen=True)
class Link:
    """The same criterion in two rounds, or (`rewrite`) a criterion and its rewrite; `final` if it ends in the set."""

    x1: float
    y1: float
    x2: float
    y2: float
    rewrite: bool
    final: bool

    @property
    def path(self) -> str:
        """A smooth line, as SVG path data."""
        middle = round((self.x1 + self.x2) / 2, 1)
        return f"M{self.x1} {self.y1}C{middle} {self.y1} {middle} {self.y2} {self.x2} {self.y2}"


@dataclass(frozen=True)
class Label:
    """A final criterion's name, and the line to it from its last node."""

    number: int
    name: str
    x: float
    y: float
    from_x: float
    from_y: float


@dataclass(frozen=True)
class Column:
    """A round's heading and what became of its contenders."""

    number: int
    x: float
    candidates: int
    raced_out: int
    kept: int
    refined: int
    replaced: int
    rewritten: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Evolution:
    """The drawing."""

    columns: tuple[Column, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    labels: tuple[Label, ...]
    height: float
    width: int = WIDTH


Places = dict[tuple[int, str], tuple[float, float]]
"""(round, criterion hash) -> where its node stands."""


def evolution(result: RunResult) -> Evolution:
    """Lay the rounds of a run out."""
    final = [m.criterion.hash for m in result.criteria_set.members]
    columns = [_column(record, x) for record, x in zip(result.rounds, _across(len(result.rounds)), strict=True)]
    places = {
        (c.number, e.criterion): (c.x, round(TOP + STEP * (rank + 0.5), 1))
        for c in columns
        for rank, e in enumerate(c.entries)
    }
    ancestry = _ancestry(columns, final)
    nodes = [_node(e, places[c.number, e.criterion], e.criterion in ancestry) for c in columns for e in c.entries]
    labels = _labels(result, columns, places)
    tallest = max([len(c.entries) for c in columns], default=0)
    height = TOP + max(STEP * tallest, LABEL_STEP * len(labels)) + BOTTOM
    return Evolution(tuple(columns), tuple(nodes), tuple(_links(columns, places, ancestry)), tuple(labels), height)


def _across(rounds: int) -> list[float]:
    if rounds < 2:
        return [float(LEFT)] * rounds
    room = WIDTH - LABELS - 2 * LEFT
    return [round(LEFT + room * i / (rounds - 1), 1) for i in range(rounds)]


def _column(record: RoundRecord, x: float) -> Column:
    fates = [e.fate for e in record.entries]
    return Column(
        number=record.number, x=x, candidates=record.candidates, raced_out=record.raced_out, kept=fates.count("keep"),
        refined=fates.count("refine"), replaced=fates.count("replace"),
        rewritten=sum(e.origin == "rewrite" for e in record.entries), entries=record.entries,
    )  # fmt: skip


def _ancestry(columns: Sequence[Column], final: Sequence[str]) -> set[str]:
    """The final criteria and everything that they were rewritten from."""
    parents = {e.criterion: e.parent for c in columns for e in c.entries if e.parent}
    found, open_ = set(final), list(final)
    while open_:
        parent = parents.get(open_.pop(), "")
        if parent and parent not in found:
            found.add(parent)
            open_.append(parent)
    return found


def _node(entry: Entry, place: tuple[float, float], final: bool) -> Node:
    return Node(*place, entry.name, entry.fate, final, f"{entry.name}: {entry.fate} ({entry.why})")


def _links(columns: Sequence[Column], places: Places, ancestry: set[str]) -> Iterator[Link]:
    for before, after in pairwise(columns):
        for entry in after.entries:
            for source, rewrite in ((entry.criterion, False), (entry.parent, True)):
                start = places.get((before.number, source))
                if start:
                    end = places[after.number, entry.criterion]
                    yield Link(*start, *end, rewrite, entry.criterion in ancestry)


def _labels(result: RunResult, columns: Sequence[Column], places: Places) -> list[Label]:
    """Names right of the last round, by rank, pushed apart so that none overlaps another."""
    last: list[tuple[float, float, int, str]] = []
    for number, member in enumerate(result.criteria_set.members, start=1):
        keys = [(c.number, member.criterion.hash) for c in columns]
        stands = [places[key] for key in keys if key in places]
        if stands:
            x, y = stands[-1]
            last.append((y, x, number, member.criterion.name))
    labels, free = [], TOP + LABEL_STEP / 2
    for y, x, number, name in sorted(last):
        at = round(max(y, free), 1)
        free = at + LABEL_STEP
        labels.append(Label(number, _short(name), WIDTH - LABELS + 10, at, x, y))
    return labels


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1].rstrip() + "…"
