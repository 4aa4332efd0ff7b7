"""Votes as they come in, one by one: kept for ever, never overwritten, each with the moment it came in."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, and_, or_, select

from knowledge_base.errors import InputError, NotThere
from services.annotation.dataset import row_of
from services.annotation.moment import Held, check_time, held
from services.annotation.tables import OpenDatasetRow, OpenPairRow, VoteRow
from services.annotation.tallies import chunks, recount
from services.annotation.vote import StoredVote, VoteIn, cast
from services.database import Database, insert_new

MOST = 50_000
"""Most votes in one call; files hold more."""

PAGE = 2000
"""Votes read at a time by an export."""


class VotesAdded(BaseModel):
    """What came of votes that were sent.

    Attributes:
        ids: of all that were sent, in order; added: how many are new; already: how many were there.
        repeats: of the new ones, how many are by a person who had answered the same pair before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: tuple[str, ...]
    added: int
    already: int
    repeats: int


def add_votes(
    database: Database, dataset: str, votes: Iterable[VoteIn], *, source: Literal["page", "import"] = "import"
) -> VotesAdded:
    """Keep votes: all of them or none. Sending the same votes again, with their ids or times, adds nothing.

    Raises:
        NotThere: there is no such dataset.
        InputError: a pair is not in the dataset, a time lies ahead, or there are too many.
    """
    given = list(votes)
    if len(given) > MOST:
        raise InputError(f"{len(given):,} votes in one call; send at most {MOST:,}, or upload a file")
    for vote in given:
        check_time(vote.at)
    with held(database, dataset) as now:
        _demand_pairs(now, [vote.pair for vote in given])
        rows = [vote_row(now, vote, _id(now.id, vote), source) for vote in given]
        return keep(now, rows)


def withdraw(database: Database, dataset: str, vote: str, *, annotator: str = "", reason: str = "") -> StoredVote:
    """Have a vote stand no longer; it stays on record. Doing so again changes nothing.

    Args:
        vote: its id.
        annotator: whose vote it must be; empty: anybody's.
        reason: why.

    Raises:
        NotThere: there is no such dataset, or no such vote in it.
        InputError: the vote is another person's, or itself a withdrawal.
    """
    with held(database, dataset) as now:
        found = _vote(now.connection, now.id, vote)
        if found.choice == "withdrawn":
            raise InputError(f"{vote!r} is itself a withdrawal; give the id of the vote")
        if annotator and found.annotator != annotator:
            raise InputError(f"vote {vote!r} is not by {annotator[:60]!r}; withdraw your own")
        gone = cast(pair=found.pair, annotator=found.annotator, choice="skip", reason=reason)
        row = vote_row(now, gone, f"w.{vote}"[:64], "page") | {"choice": "withdrawn", "withdraws": vote}
        keep(now, [row])
        return StoredVote.of(_vote(now.connection, now.id, row["id"]))


def votes_since(database: Database, dataset: str, at: float, limit: int | None = None) -> list[StoredVote]:
    """Votes, skips and withdrawals that came in after a moment, in the order they came in.

    None is missed if `at` is the `recorded_at` of the last vote seen (or 0, or `changed_at` of the dataset at a
    freeze): each vote has a moment of its own, later than all that could be seen before. A clock's time will not do: a
    vote may appear after it with an earlier moment.

    Raises:
        NotThere: there is no such dataset.
    """
    with database.read() as connection:
        query = _stored(row_of(connection, dataset).id).where(VoteRow.recorded_at > at)
        return [StoredVote.of(row) for row in connection.execute(query.limit(limit) if limit else query)]


def votes_export(database: Database, dataset: str) -> Iterator[StoredVote]:
    """Everything that was ever cast, skipped and withdrawn, in the order it came in; a page is held at a time.

    Texts of people are data: whoever writes them to a spreadsheet must keep it from reading them as formulas.

    Raises:
        NotThere: there is no such dataset.
    """
    with database.read() as connection:
        name = row_of(connection, dataset).id
    moment, last = -1.0, ""
    while True:
        later = or_(VoteRow.recorded_at > moment, and_(VoteRow.recorded_at == moment, VoteRow.id > last))
        with database.read() as connection:
            page = [StoredVote.of(row) for row in connection.execute(_stored(name).where(later).limit(PAGE))]
        yield from page
        if len(page) < PAGE:
            return
        moment, last = page[-1].recorded_at, page[-1].id


def keep(held: Held, rows: Sequence[dict[str, Any]]) -> VotesAdded:
    """Insert vote rows whose ids are not there yet, and count the pairs anew."""
    ids = tuple(row["id"] for row in rows)
    there = _ids(held.connection, ids)
    fresh = {row["id"]: row for row in rows if row["id"] not in there}
    for row, moment in zip(fresh.values(), held.moments(len(fresh)), strict=True):
        row["recorded_at"] = moment
    repeats = _repeats(held, list(fresh.values()))
    for some in chunks(list(fresh.values()), 5000):
        insert_new(held.connection, VoteRow, some)
    if fresh:
        recount(held, {row["pair"] for row in fresh.values()})
        held.change(votes=OpenDatasetRow.votes + len(fresh))
    return VotesAdded(ids=ids, added=len(fresh), already=len(rows) - len(fresh), repeats=repeats)


def vote_row(held: Held, vote: VoteIn, name: str, source: str) -> dict[str, Any]:
    """A vote as a row of `votes`."""
    return {
        "id": name, "dataset": held.id, "pair": vote.pair, "annotator": vote.annotator, "choice": vote.choice,
        "confidence": vote.confidence, "reason": vote.reason, "seconds": vote.seconds,
        "at": held.moment if vote.at is None else vote.at, "recorded_at": held.moment, "source": source, "why": "",
        "probability": None, "shown": vote.shown, "withdraws": "",
    }  # fmt: skip


def _id(dataset: str, vote: VoteIn) -> str:
    """The sender's id, or one made of a vote that says when it was given; else a new one."""
    if vote.id:
        return hashlib.sha256(json.dumps([dataset, "id", vote.id]).encode()).hexdigest()[:40]
    if vote.at is None:
        return secrets.token_hex(20)
    said = [dataset, vote.pair, vote.annotator, vote.choice, vote.reason, vote.at]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:40]


def _demand_pairs(held: Held, pairs: Sequence[str]) -> None:
    missing = set(pairs)
    for some in chunks(sorted(set(pairs))):
        query = select(OpenPairRow.pair).where(OpenPairRow.dataset == held.id, OpenPairRow.pair.in_(some))
        missing -= {row.pair for row in held.connection.execute(query)}
    if missing:
        named = ", ".join(repr(pair) for pair in sorted(missing)[:5])
        raise InputError(f"{len(missing)} pairs are not in the dataset ({named}); add them first, or mend their hashes")


def _ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(sorted(set(ids))):
        found.update(row.id for row in connection.execute(select(VoteRow.id).where(VoteRow.id.in_(some))))
    return found


def _repeats(held: Held, rows: Sequence[dict[str, Any]]) -> int:
    """How many of these new votes are by a person who has answered the pair, before or among them."""
    named = [row for row in rows if row["annotator"] and row["choice"] in ("a", "b", "tie")]
    before: set[tuple[str, str]] = set()
    for some in chunks(sorted({row["pair"] for row in named})):
        query = select(VoteRow.pair, VoteRow.annotator).where(
            VoteRow.dataset == held.id, VoteRow.pair.in_(some), VoteRow.choice.in_(("a", "b", "tie"))
        )
        before.update((row.pair, row.annotator) for row in held.connection.execute(query))
    repeats = 0
    for row in named:
        mine = (row["pair"], row["annotator"])
        repeats += mine in before
        before.add(mine)
    return repeats


def _vote(connection: Connection, dataset: str, vote: str) -> Any:
    columns: list[Any] = list(VoteRow.__table__.columns)
    found = connection.execute(select(*columns).where(VoteRow.id == vote, VoteRow.dataset == dataset)).one_or_none()
    if found is None:
        raise NotThere(f"there is no vote {vote[:64]!r} in this dataset; list its votes")
    return found


def _stored(dataset: str) -> Any:
    row = VoteRow
    columns: list[Any] = list(row.__table__.columns)
    return select(*columns).where(row.dataset == dataset).order_by(row.recorded_at, row.id)
