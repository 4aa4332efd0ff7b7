"""Labelled texts made into points, and points into pairs.

Pairs are made inside one prompt and one group, from a text labelled 1 and a text labelled 0. Texts are first dealt into
small blocks in an order set by their content alone; only texts of one block meet. So every text of the rarer label
stands in up to `MEETINGS` pairs, no text in more, and pairs that hang together by shared texts stay in their
block: the division into mining and sealed pairs keeps many small units instead of a single one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agents.pairs import Pair, Point
from services.datasets.allowance import Allowance
from services.datasets.drafts import PointDraft
from services.datasets.faults import Fault
from services.datasets.pooling import digest
from services.datasets.record import byte_size

MEETINGS = 3
"""Most pairs that one text stands in."""


@dataclass(slots=True)
class _Labelled:
    draft: PointDraft
    counts: list[int] = field(default_factory=lambda: [0, 0])


class PointPool:
    """Distinct texts (under their prompts) in the order of their first rows.

    Args:
        file: file name, for faults.
        allowance: counts what is taken in.
    """

    def __init__(self, file: str, allowance: Allowance) -> None:
        self._file = file
        self._allowance = allowance
        self._texts: dict[bytes, _Labelled] = {}
        self._ids: dict[str, bytes] = {}

    def add(self, draft: PointDraft) -> Fault | None:
        """Take in one row; gives back a fault if its id already belongs to another text.

        Raises:
            InputError: the allowance is used up.
        """
        self._allowance.row(byte_size(draft.text) + byte_size(draft.prompt), 0)
        key = digest(draft.prompt, draft.text)
        if draft.id and self._ids.setdefault(draft.id, key) != key:
            remedy = "give each text its own id, or leave ids out"
            return Fault(self._file, draft.row, "id", f'"{draft.id[:60]}" again, for another text', remedy)
        if key not in self._texts:
            self._allowance.item(len(self._texts) + 1)
            self._texts[key] = _Labelled(draft)
        self._texts[key].counts[draft.label] += 1
        return None

    def points(self) -> tuple[tuple[Point, ...], list[str]]:
        """Texts with the label that most of their rows give, and notes; evenly contradicted texts are left out."""
        clear = [entry for entry in self._texts.values() if entry.counts[0] != entry.counts[1]]
        unclear = len(self._texts) - len(clear)
        contested = sum(min(entry.counts) > 0 for entry in clear)
        repeats = sum(sum(entry.counts) - 1 for entry in self._texts.values())
        notes = {
            f"{repeats} rows repeat an earlier text and were merged with it": repeats,
            f"{contested} texts have rows that contradict each other; the majority's label was kept": contested,
            f"{unclear} texts are labelled 0 as often as 1 and were left out": unclear,
        }
        return tuple(map(_point, clear)), [note for note, count in notes.items() if count]


def pairs_of(points: Sequence[Point], limit: int) -> tuple[Pair, ...]:
    """Pairs of a text labelled 1 and a text labelled 0, the better one on either side about equally often.

    Args:
        points: distinct texts.
        limit: most pairs to make (>= 1).

    Returns:
        Pairs whose content depends on the points alone, not on their order; ids are made from the two texts' ids.
    """
    strata: dict[tuple[str, str], list[Point]] = {}
    for point in sorted(points, key=lambda p: digest(p.prompt, p.text)):
        strata.setdefault((point.group, point.prompt), []).append(point)
    split = [([p for p in s if p.label == 1], [p for p in s if p.label == 0]) for s in strata.values()]
    rarer = sum(min(len(good), len(poor)) for good, poor in split)
    meetings = max(1, min(MEETINGS, limit // max(rarer, 1)))
    made = [_pair(*both) for good, poor in split for both in _meetings(good, poor, meetings)]
    return tuple(made[:limit])


def _meetings(good: Sequence[Point], poor: Sequence[Point], each: int) -> Iterator[tuple[Point, Point]]:
    """(good, poor) couples: every text of the rarer label meets up to `each` others of its block."""
    few, many = (good, poor) if len(good) <= len(poor) else (poor, good)
    blocks = -(-len(few) // each)
    for block in range(blocks):
        mine, others = few[block::blocks], many[block::blocks]
        for i, point in enumerate(mine):
            for j in range(min(each, len(others))):
                other = others[(i * each + j) % len(others)]
                yield (point, other) if point.label == 1 else (other, point)


def _pair(good: Point, poor: Point) -> Pair:
    good_first = digest(good.prompt, *sorted((good.text, poor.text)))[0] & 1 == (good.text < poor.text)
    a, b = (good, poor) if good_first else (poor, good)
    return Pair(
        id=_pair_id(a, b),
        a=a.text,
        b=b.text,
        preferred="a" if good_first else "b",
        prompt=good.prompt,
        group=good.group,
    )


def _pair_id(a: Point, b: Point) -> str:
    """The two ids, unless one holds the mark between them and two couples could read alike."""
    if "~" in a.id + b.id:
        return digest(a.prompt, a.text, b.text)[:8].hex()
    return f"{a.id}~{b.id}"


def _point(entry: _Labelled) -> Point:
    draft = entry.draft
    return Point(
        id=draft.id or digest(draft.prompt, draft.text)[:8].hex(),
        text=draft.text,
        label=1 if entry.counts[1] > entry.counts[0] else 0,
        prompt=draft.prompt,
        group=draft.group,
    )
