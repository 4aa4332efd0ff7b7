"""What a row says, before rows that say it of the same texts are merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from agents.pairs import Preference, Vote
from services.datasets.record import Record


@dataclass(slots=True)
class PairDraft:
    """A row about two texts.

    Attributes:
        row: number of the row.
        preferred: the answer that the row states; None if it only has votes.
        votes: the votes that the row lists; empty if it only states an answer.
        annotator: who gave the stated answer; empty if not said.
        The other fields are those of `agents.pairs.Pair`; an empty id was not given.
    """

    row: int
    id: str
    a: str
    b: str
    preferred: Preference | None
    prompt: str = ""
    votes: tuple[Vote, ...] = ()
    annotator: str = ""
    reason: str = ""
    group: str = ""
    weight: float = 1.0


@dataclass(slots=True)
class PointDraft:
    """A row about one text; see `agents.pairs.Point`. An empty id was not given."""

    row: int
    id: str
    text: str
    label: Literal[0, 1]
    prompt: str = ""
    group: str = ""


Draft = TypeVar("Draft", PairDraft, PointDraft)


@dataclass(frozen=True)
class Format(Generic[Draft]):
    """A way to write rows.

    Attributes:
        name: as the user sees it.
        needs: columns that must all be there.
        answers: columns of which at least one must be there; empty if `needs` says all.
        also: further columns that are understood.
        read: makes a draft of a record, or None (with faults noted on the record).
    """

    name: str
    needs: frozenset[str]
    answers: frozenset[str]
    also: frozenset[str]
    read: Callable[[Record], Draft | None]

    @property
    def knows(self) -> frozenset[str]:
        """Every column that is understood; others are ignored."""
        return self.needs | self.answers | self.also

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a file with these columns is written so."""
        return self.needs <= columns and (not self.answers or bool(self.answers & columns))


class PairFormat(Format[PairDraft]):
    """A format whose rows are about two texts."""


class PointFormat(Format[PointDraft]):
    """A format whose rows are about one text."""


def pair_draft(record: Record, fields: tuple[str, str], texts: tuple[str, str], draft: PairDraft) -> PairDraft | None:
    """`draft` if the record is free of faults; texts that are identical are one unless the answer is a tie.

    Args:
        record: the row.
        fields: the columns of the two texts.
        texts: the two texts.
        draft: what the row says.
    """
    said = {vote.preferred for vote in draft.votes} if draft.preferred is None else {draft.preferred}
    if texts[0] == texts[1] and texts[0] and said != {"tie"}:
        record.fault(fields[1], f'the same text as "{fields[0]}"', "remove the row, or mark it as a tie")
    return None if record.faults else draft
