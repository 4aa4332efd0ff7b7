"""What every tool's export comes down to: texts under names, and answers of people to named questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["submitted", "unstated", "draft", "discarded", "cancelled"]
"""`unstated`: the export does not say; it is taken for submitted. The last three do not count."""

COUNTS: frozenset[State] = frozenset({"submitted", "unstated"})


@dataclass(frozen=True, slots=True)
class Answered:
    """One person's answers to the questions on one record.

    Attributes:
        annotator: the tool's id or address of the person; empty if not said.
        state: whether it was handed in.
        values: question -> answer, as the tool wrote it.
        at: when, as the tool wrote it; empty if not said.
        expert: marked as ground truth.
    """

    annotator: str
    state: State
    values: dict[str, object]
    at: str = ""
    expert: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """One record: its texts by name, and what people answered.

    Attributes:
        number: of the record in the export.
        id: the tool's id of the record; empty if it has none.
        texts: name -> text, or chat messages.
        answers: in the order of the export.
        sides: names of the left and the right text, where the answers themselves say so.
        flaws: (field, value, remedy) of what could not be read.
    """

    number: int
    id: str
    texts: dict[str, object]
    answers: tuple[Answered, ...]
    sides: tuple[str, str] | None = None
    flaws: tuple[tuple[str, str, str], ...] = field(default=())


class Tool(Protocol):
    """Reads one tool's records.

    Attributes:
        name: as users name it.
    """

    name: str

    def knows(self, fields: dict[str, object]) -> bool:
        """Whether a record is one of this tool's."""
        ...

    def read(self, number: int, fields: dict[str, object]) -> Filled:
        """The record, normalised."""
        ...
