"""A pair handed to a person, as it is kept and as it is shown."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from services.annotation.tables import AssignmentRow, OpenPairRow
from services.annotation.vote import Choice, Shown, Why
from services.tables import PairRow

Answer = Literal["first", "second", "tie", "skip"]


class Task(BaseModel):
    """What an annotator is shown: nothing that says why, or which text is which.

    Attributes:
        assignment: id to answer with.
        prompt, first, second: the texts, in the order to show them; prompt is empty if there is none.
        until: when the pair may be handed to somebody else, seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment: str
    dataset: str
    prompt: str
    first: str
    second: str
    until: float


class Assignment(BaseModel):
    """A pair handed to an annotator.

    Attributes:
        id: to answer with.
        pair: content hash; name: the user's id, empty if none.
        prompt, a, b: the texts as the pair has them; shown: the order in which to show them.
        why: `random`, `information`, `further` or `repeat`; not to be shown to the annotator.
        probability: chance with which the pair was drawn, given everything before; None where it was not drawn.
        occasion: 0 for the first time this annotator sees the pair, higher for repeats.
        until: end of the lease, seconds since the epoch. A later answer is taken all the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    dataset: str
    annotator: str
    pair: str
    name: str
    prompt: str
    a: str
    b: str
    shown: Shown
    why: Why
    probability: float | None
    occasion: int
    until: float

    @property
    def task(self) -> Task:
        """What the annotator is shown."""
        first, second = (self.a, self.b) if self.shown == "ab" else (self.b, self.a)
        return Task(
            assignment=self.id, dataset=self.dataset, prompt=self.prompt, first=first, second=second, until=self.until
        )

    def choice(self, answer: Answer) -> Choice:
        """An answer about the texts as shown, in terms of the pair's own."""
        if answer in ("tie", "skip"):
            return "tie" if answer == "tie" else "skip"
        return "a" if (answer == "first") == (self.shown == "ab") else "b"


def assignment_where(connection: Connection, *conditions: Any) -> tuple[Assignment, str] | None:
    """The latest assignment that meets the conditions, and the id of its vote (empty: none yet); None if none does."""
    row, place, text = AssignmentRow, OpenPairRow, PairRow
    columns = (
        row.id, row.dataset, row.annotator, row.pair, row.shown, row.why, row.probability, row.occasion, row.until,
        place.name, text.prompt, text.a, text.b,
    )  # fmt: skip
    query = select(*columns, row.vote).join(text, text.hash == row.pair)
    query = query.join(place, (place.dataset == row.dataset) & (place.pair == row.pair))
    found = connection.execute(query.where(*conditions).order_by(row.turn.desc()).limit(1)).mappings().first()
    if found is None:
        return None
    fields = dict(found)
    vote = fields.pop("vote")
    return Assignment(**fields), str(vote)
