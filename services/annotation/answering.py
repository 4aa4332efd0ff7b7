"""Answers to what was handed out: one vote for each assignment, whoever sends it how often."""

from __future__ import annotations

from sqlalchemy import select, update

from knowledge_base.errors import Conflict, InputError, NotThere
from services.annotation.assignment import Answer, Assignment, assignment_where
from services.annotation.dataset import row_of
from services.annotation.moment import Held, held
from services.annotation.tables import AssignmentRow, VoteRow
from services.annotation.vote import StoredVote, VoteIn, cast
from services.annotation.votes import keep, vote_row
from services.database import Database


def load_assignment(database: Database, dataset: str, assignment: str) -> Assignment:
    """An assignment by its id.

    Raises:
        NotThere: there is no such dataset, or no such assignment in it.
    """
    with database.read() as connection:
        here = AssignmentRow.dataset == row_of(connection, dataset).id
        found = assignment_where(connection, here, AssignmentRow.id == assignment)
    if found is None:
        raise NotThere(f"there is no assignment {assignment[:64]!r} in this dataset; ask for the next pair")
    return found[0]


def answer(
    database: Database,
    dataset: str,
    assignment: str,
    annotator: str,
    said: Answer,
    *,
    confidence: float | None = None,
    reason: str = "",
    seconds: float | None = None,
) -> StoredVote:
    """Keep the answer to an assignment. Sending the same answer again gives the same vote.

    Args:
        said: `first` or `second` of the texts as shown, `tie`, or `skip`.
        The others are as in `VoteIn`. A lease that is over does not matter: work that was done is kept.

    Raises:
        NotThere: there is no such dataset or assignment.
        InputError: the assignment is another person's, or a value will not do.
        Conflict: it was answered otherwise before; a change of mind is a vote of its own (`add_votes`).
    """
    with held(database, dataset) as now:
        found = assignment_where(now.connection, AssignmentRow.dataset == now.id, AssignmentRow.id == assignment)
        if found is None:
            raise NotThere(f"there is no assignment {assignment[:64]!r} in this dataset; ask for the next pair")
        given, vote = found
        if given.annotator != annotator:
            raise InputError(f"assignment {assignment!r} was not handed to {annotator[:60]!r}; ask for the next pair")
        choice = given.choice(said)
        if vote:
            return _same(now, vote, choice)
        vote_in = cast(
            pair=given.pair, annotator=annotator, choice=choice, confidence=confidence, reason=reason,
            seconds=seconds, shown=given.shown,
        )  # fmt: skip
        return _keep(now, given, vote_in)


def _keep(held: Held, given: Assignment, vote: VoteIn) -> StoredVote:
    name = f"v{given.id}"
    row = vote_row(held, vote, name, "page") | {"why": given.why, "probability": given.probability}
    keep(held, [row])
    values = {"vote": name} | ({"slot": None} if vote.choice == "skip" else {})
    held.connection.execute(update(AssignmentRow).where(AssignmentRow.id == given.id).values(**values))
    return _stored(held, name)


def _same(held: Held, vote: str, choice: str) -> StoredVote:
    stored = _stored(held, vote)
    if stored.choice != choice:
        raise Conflict(f"the assignment was answered {stored.choice!r} before; send a vote of its own to change it")
    return stored


def _stored(held: Held, vote: str) -> StoredVote:
    return StoredVote.of(held.connection.execute(select(VoteRow.__table__).where(VoteRow.id == vote)).one())
