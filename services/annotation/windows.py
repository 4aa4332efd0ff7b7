"""Which pairs may be handed out, in the dataset's random order, and as many at a time as can be weighed at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from services.annotation.moment import AHEAD, Held
from services.annotation.tables import AssignmentRow, OpenPairRow, VoteRow

WINDOW = 400
"""Most pairs that are weighed against each other for one assignment."""

ANSWERED = ("a", "b", "tie")


def live(row: Any, now: float) -> Any:
    """Condition on an assignment: it is not answered, and its lease not over. One from the future is no lease."""
    return and_(row.vote == "", row.until > now, row.made_at <= now + AHEAD)


def _fresh() -> tuple[Any, Any]:
    """Conditions on a pair: neither drawn nor answered (the second says nothing new; with it, an index has it all)."""
    return OpenPairRow.state == "fresh", OpenPairRow.voters == 0


class Windows:
    """The pairs of one dataset, as one annotator may be given them.

    Args:
        held: the dataset.
        annotator: their name.
    """

    def __init__(self, held: Held, annotator: str) -> None:
        self._held, self._annotator = held, annotator

    def fresh(self) -> int:
        """Pairs that were neither drawn nor answered."""
        return self._count(*_fresh())

    def around(self, start: int, size: int) -> list[str]:
        """Fresh pairs from this place of the random order on, beginning again after the last."""
        first = self._fresh_from(start, size)
        return first + (self._fresh_from(0, size - len(first)) if len(first) < size else [])

    def at(self, place: int) -> Any:
        """The pair at this place (from 0) of the random order of all pairs: `pair`, `lot`, `position`, `state`."""
        row = OpenPairRow
        query = select(row.pair, row.lot, row.position, row.state).where(row.dataset == self._held.id)
        return self._run(query.order_by(row.lot, row.position).offset(place).limit(1)).one()

    def first_fresh(self) -> Any:
        """The first fresh pair of the random order; None if there is none."""
        row = OpenPairRow
        query = select(row.pair, row.lot, row.position).where(row.dataset == self._held.id, *_fresh())
        return self._run(query.order_by(row.lot, row.position).limit(1)).one_or_none()

    def fresh_before(self, place: Any) -> int:
        """Fresh pairs before this one in the random order."""
        row = OpenPairRow
        earlier = or_(row.lot < place.lot, and_(row.lot == place.lot, row.position < place.position))
        return self._count(*_fresh(), earlier)

    def pending(self) -> Any:
        """The pair longest without an answer that was drawn, or had one that was withdrawn, and nobody holds."""
        row = OpenPairRow
        query = select(row.pair, row.why, row.probability, row.state).where(
            row.dataset == self._held.id,
            row.state.in_(("drawn", "known")),
            row.voters == 0,
            ~self._done(),
            self._holders() == 0,
        )
        # Those of the random sample first: the estimates wait for them.
        return self._run(query.order_by(row.why.desc(), row.drawn, row.lot).limit(1)).one_or_none()

    def further(self, wanted: int) -> list[Any]:
        """Answered pairs that more people are wanted for: `pair`, `for_a`, `for_b`, `ties`."""
        row = OpenPairRow
        query = select(row.pair, row.for_a, row.for_b, row.ties).where(
            row.dataset == self._held.id, row.voters >= 1, row.voters < wanted, ~self._done(),
            row.voters + self._holders() < wanted,
        )  # fmt: skip
        return list(self._run(query.order_by(row.voters, row.lot).limit(WINDOW)))

    def repeatable(self, after: int) -> list[Any]:
        """Pairs that the annotator answered here at least so many answers ago, least often repeated first."""
        row = AssignmentRow
        mine = and_(row.dataset == self._held.id, row.annotator == self._annotator)
        query = select(row.pair, row.turn, row.vote).where(mine, row.vote != "").order_by(row.turn.desc())
        latest: dict[str, tuple[int, int]] = {}
        for age, found in enumerate(self._run(query.limit(after + WINDOW))):
            times = latest.get(found.pair, (0, age))[0]
            latest[found.pair] = (times + 1, latest.get(found.pair, (0, age))[1])
        ripe = [pair for pair, (times, age) in latest.items() if age >= after]
        fewest = min((latest[pair][0] for pair in ripe), default=0)
        return self._answered_by_me([pair for pair in ripe if latest[pair][0] == fewest])

    def occasions(self, pair: str) -> int:
        """How often the annotator was handed this pair."""
        row = AssignmentRow
        query = select(func.count()).where(
            row.dataset == self._held.id, row.pair == pair, row.annotator == self._annotator
        )
        return int(self._run(query).scalar_one())

    def _answered_by_me(self, pairs: list[str]) -> list[str]:
        row = VoteRow
        query = (
            select(row.pair)
            .distinct()
            .where(
                row.dataset == self._held.id,
                row.annotator == self._annotator,
                row.pair.in_(pairs),
                row.choice.in_(ANSWERED),
            )
        )
        return sorted(found.pair for found in self._run(query))

    def _done(self) -> Any:
        """Condition: the annotator has answered or skipped the pair, or voted on it elsewhere."""
        given, cast = AssignmentRow, VoteRow
        handed = exists().where(
            given.dataset == OpenPairRow.dataset, given.pair == OpenPairRow.pair,
            given.annotator == self._annotator, given.vote != "",
        )  # fmt: skip
        voted = exists().where(
            cast.dataset == OpenPairRow.dataset, cast.pair == OpenPairRow.pair, cast.annotator == self._annotator,
            cast.choice.in_(ANSWERED),
        )  # fmt: skip
        return or_(handed, voted)

    def _holders(self) -> Any:
        """How many people hold the pair now, repeats aside."""
        row = aliased(AssignmentRow)
        return (
            select(func.count())
            .where(
                row.dataset == OpenPairRow.dataset, row.pair == OpenPairRow.pair, row.occasion == 0,
                live(row, self._held.now),
            )
            .scalar_subquery()
        )  # fmt: skip

    def _fresh_from(self, start: int, size: int) -> list[str]:
        row = OpenPairRow
        query = select(row.pair).where(row.dataset == self._held.id, *_fresh())
        return [r.pair for r in self._run(query.order_by(row.lot, row.position).offset(start).limit(size))]

    def _count(self, *conditions: Any) -> int:
        query = select(func.count()).select_from(OpenPairRow).where(OpenPairRow.dataset == self._held.id, *conditions)
        return int(self._run(query).scalar_one())

    def _run(self, query: Any) -> Any:
        return self._held.connection.execute(query)
