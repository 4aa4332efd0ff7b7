"""Pairs of which is known which text is better, from the two places that say so: people, and a labelling.

A labelling's output is streamed, so that it may be larger than the memory. A file of people's pairs is read as a whole,
for its votes decide together; how large it may be is said in docs/data-formats.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from agents.pairs import Pair, Preference
from knowledge_base.errors import InputError
from services.datasets import read_dataset
from services.datasets.ballots import ANSWERS
from services.datasets.faults import Fault, Faults, quoted, shown
from services.datasets.record import Record
from services.datasets.rows import Row, Source, open_rows

LABELLED = frozenset({"a", "b", "label", "probability", "margin", "labelling"})
"""Columns by which the output of `touchstone label` is known."""

_WANTED = LABELLED | {"id", "prompt", "criteria_set"}
_REMEDY = "give the file as `touchstone label` wrote it"


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair and which text is better.

    Attributes:
        id: the user's name for the pair.
        probability: that `a` is the better one, in [0, 1]: of a labelling its vote, of people how far their votes
            support the answer (1 for a single vote).
        preferred: the answer.
        source: `people`, or the labelling's id.
        criteria_set: version that labelled it; empty for people.
        weight: how much the pair counts (> 0).
    """

    id: str
    a: str
    b: str
    prompt: str
    preferred: Preference
    probability: float
    source: str
    criteria_set: str = ""
    weight: float = 1.0

    @property
    def margin(self) -> float:
        """How far the answer is from undecided, in [0, 1]."""
        return max(0.0, 2 * self.support - 1)

    @property
    def support(self) -> float:
        """How sure the answer is, in [0, 1]."""
        return 1 - self.probability if self.preferred == "b" else self.probability


class Comparisons(Protocol):
    """Pairs that can be gone through more than once.

    Attributes:
        notes: what a reader should know, a sentence each.
    """

    notes: tuple[str, ...]

    def __iter__(self) -> Iterator[Compared]: ...


def comparisons(path: Path) -> Comparisons:
    """The pairs of a file: of `touchstone label`, or any that `touchstone mine` reads.

    Raises:
        FaultyRows: rows are at fault.
        InputError: the file cannot be read, or is neither.
    """
    if path.suffix.lower() != ".json" and frozenset(open_rows(path).columns()) >= LABELLED:
        return _Labelled(path)
    return _People(path)


class _Labelled:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        faults = Faults()
        for found in self._rows(open_rows(path)):
            if not isinstance(found, Compared):
                for fault in found:
                    faults.add(fault)
        faults.check()

    def __iter__(self) -> Iterator[Compared]:
        for found in self._rows(open_rows(self.path)):
            if not isinstance(found, Compared):
                raise InputError(f"{self.path.name} was changed while it was read; run the same command again")
            yield found

    def _rows(self, source: Source) -> Iterator[Compared | list[Fault]]:
        for row in source.rows(_WANTED):
            yield [row] if isinstance(row, Fault) else self._read(row)

    def _read(self, row: Row) -> Compared | list[Fault]:
        record = Record(self.path.name, row, textual=False)
        label, probability = record.choice("label", ANSWERS), record.raw("probability")
        if label is None and not record.faults:
            record.fault("label", "missing", f"use {quoted(ANSWERS)}")
        if not isinstance(probability, (int, float)) or not 0 <= probability <= 1:
            record.fault("probability", shown(probability), _REMEDY)
        a, b = record.text("a"), record.text("b")
        words = {name: record.words(name) for name in ("prompt", "labelling", "criteria_set")}
        if record.faults or not isinstance(probability, (int, float)):
            return record.faults
        return Compared(
            id=record.name("id"), a=a, b=b, prompt=words["prompt"], preferred=_preference(label),
            probability=float(probability), source=words["labelling"], criteria_set=words["criteria_set"],
        )  # fmt: skip


class _People:
    def __init__(self, path: Path) -> None:
        reading = read_dataset(path)
        self.notes = reading.notes
        self._pairs = reading.dataset.pairs

    def __iter__(self) -> Iterator[Compared]:
        return map(_of_people, self._pairs)


def _of_people(pair: Pair) -> Compared:
    probability = {"a": pair.confidence, "b": 1 - pair.confidence, "tie": 0.5}[pair.preferred]
    return Compared(
        id=pair.id, a=pair.a, b=pair.b, prompt=pair.prompt, preferred=pair.preferred, probability=probability,
        source="people", weight=pair.weight,
    )  # fmt: skip


def _preference(label: str | None) -> Preference:
    sides: dict[str | None, Preference] = {"a": "a", "b": "b"}
    return sides.get(label, "tie")


def first_prompt(found: Comparisons) -> bool:
    """Whether any pair has a prompt."""
    return any(True for _ in islice((pair for pair in found if pair.prompt), 1))
