"""What a refresh asks of the judge, and what it was told.

A pair is shown in the one order in which it is looked at first, as sealed pairs are; so the votes of a refresh and
those that a set was approved by are of one kind. What stands in the judgment store is not asked again, except of
anchors: they are asked under sample numbers of their own, so that the judge is really asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import and_, select

from agents.judgments import Ask, Judgment
from agents.panel import Panel, first_look
from agents.votes import Votes, tally
from services.database import Database
from services.sql_ledger import CHUNK
from services.tables import JudgmentRow, WantRow

SAMPLES = 16
"""Sample numbers that belong to one refresh: no seat of a panel has more. Number 0 to 15 are everybody's."""


def usual_asks(panel: Panel, criteria: Sequence[str], pairs: Sequence[str]) -> list[Ask]:
    """Every criterion on every pair (content hashes), as anybody would ask."""
    looks = [(p, first_look(p, panel.symmetric)) for p in pairs]
    return [ask for p, order in looks for c in criteria for ask in panel.asks(c, p, (order,))]


def fresh_asks(panel: Panel, criteria: Sequence[str], pairs: Sequence[str], refresh: int) -> list[Ask]:
    """The same asked anew for a refresh, by its number (>= 1)."""
    return [_anew(ask, refresh) for ask in usual_asks(panel, criteria, pairs)]


def votes_of(
    database: Database, thread: str, criteria: Sequence[str], pairs: Sequence[str], asks: Sequence[Ask]
) -> Votes:
    """What a thread was told of these asks, as votes; what it wanted and never got counts as missing."""
    by_key = {ask.key: ask for ask in asks}
    cells = (
        (ask.criterion, ask.pair, ask.order, judgment)
        for key, judgment in _told(database, thread, list(by_key))
        if (ask := by_key[key])
    )
    return tally(criteria, pairs, cells)


def standing_votes(database: Database, criteria: Sequence[str], pairs: Sequence[str], asks: Sequence[Ask]) -> Votes:
    """What the judgment store holds of these asks, whoever asked."""
    by_key = {ask.key: ask for ask in asks}
    cells = (
        (by_key[key].criterion, by_key[key].pair, by_key[key].order, judgment)
        for key, judgment in _told(database, "", list(by_key))
    )
    return tally(criteria, pairs, cells)


def _anew(ask: Ask, refresh: int) -> Ask:
    sample = refresh * SAMPLES + ask.sample
    return Ask(judge=ask.judge, criterion=ask.criterion, pair=ask.pair, order=ask.order, sample=sample)


def _told(database: Database, thread: str, keys: Sequence[str]) -> Iterator[tuple[str, Judgment]]:
    """Answered judgments in the order of their keys, as the thread sees them; of no thread, as they stand."""
    row, ours = JudgmentRow, and_(WantRow.key == JudgmentRow.key, WantRow.thread == thread)
    query = select(row.key, row.status, row.verdict, row.margin, WantRow.void).join(WantRow, ours, isouter=not thread)
    ordered = sorted(keys)
    with database.read() as connection:
        for start in range(0, len(ordered), CHUNK):
            for r in connection.execute(query.where(row.key.in_(ordered[start : start + CHUNK])).order_by(row.key)):
                if r.void:
                    yield r.key, Judgment(key=r.key, status=r.void)
                elif r.status != "missing":
                    yield r.key, Judgment(key=r.key, status=r.status, verdict=r.verdict, margin=r.margin)
