"""How far annotators agree, with each other and with themselves, and whether the side of a text draws votes."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict
from scipy import stats
from sqlalchemy import select

import agents.agreement
from agents.statistics import wilson
from services.annotation.dataset import Sampling, row_of
from services.annotation.repeated import repeats
from services.annotation.standing import standing
from services.annotation.tables import VoteRow
from services.database import Database
from services.datasets.ballots import plain

SHOWN = 200
"""Annotators told of one by one, those with most votes first."""


class Share(BaseModel):
    """A share with its 95 % Wilson interval; the share is None where there is nothing to share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float | None
    low: float
    high: float
    n: int


class AnnotatorFigures(BaseModel):
    """One annotator.

    Attributes:
        votes: answers that stand; ties: the share of ties among them; skips: pairs they would not answer.
        with_others: pairs that others answered, too, and the mean share of those others who said the same.
        flips: planned repeats, and the share of them answered otherwise than before.
        seconds: median time of an answer; None where none is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str
    votes: int
    ties: float
    skips: int
    with_others: Share
    flips: Share
    seconds: float | None


class AgreementFigures(BaseModel):
    """A dataset's annotators.

    Attributes:
        alpha: Krippendorff's, nominal, sides exchangeable, in [-1, 1]; None without pairs of two votes, or if all tie.
        low, high: its 95 % bootstrap interval over pairs.
        raw: share of agreeing couples of votes, averaged over pairs, in [0, 1].
        pairs: with two votes or more, which is what the four above rest on; votes: on those.
        flips: over all planned repeats.
        annotators: those with most votes; more: how many are not told of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float | None
    low: float | None
    high: float | None
    raw: float | None
    pairs: int
    votes: int
    flips: Share
    annotators: tuple[AnnotatorFigures, ...]
    more: int


class PositionBias(BaseModel):
    """Whether people favour the text they see first.

    Attributes:
        first: share of decided answers that went to the text shown first; 1/2 where the side draws no votes.
        ties: answers that were ties, which say nothing here.
        p_value: two-sided, exact, against 1/2; None without answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Share
    ties: int
    p_value: float | None


@dataclass
class _Person:
    votes: int = 0
    ties: int = 0
    skips: int = 0
    shared: int = 0
    agreed: float = 0.0
    repeated: int = 0
    flipped: int = 0
    seconds: list[float] = field(default_factory=list)


def agreement(database: Database, dataset: str) -> AgreementFigures:
    """Agreement over the votes that stand, one pair at a time: 100,000 votes take about a second.

    Raises:
        NotThere: there is no such dataset.
    """
    people: dict[str, _Person] = defaultdict(_Person)
    ballots = [ballot for ballot in _ballots(database, dataset, people) if len(ballot) > 1]
    for repeat in repeats(database, dataset, planned=True):
        people[repeat.second.annotator].repeated += 1
        people[repeat.second.annotator].flipped += repeat.flipped
    found = agents.agreement.agreement(ballots)
    order = sorted(people, key=lambda name: (-people[name].votes, name))
    nan = found is None or found.alpha != found.alpha
    return AgreementFigures(
        alpha=None if nan or found is None else found.alpha,
        low=None if nan or found is None else found.low,
        high=None if nan or found is None else found.high,
        raw=found.raw if found else None,
        pairs=found.pairs if found else 0,
        votes=found.votes if found else 0,
        flips=_share(sum(p.flipped for p in people.values()), sum(p.repeated for p in people.values())),
        annotators=tuple(_figures(name, people[name]) for name in order[:SHOWN]),
        more=max(0, len(order) - SHOWN),
    )


def position_bias(database: Database, dataset: str, annotator: str = "") -> PositionBias:
    """Whether the text shown first gets more votes than chance has it, for all or for one annotator.

    Raises:
        NotThere: there is no such dataset.
    """
    row = VoteRow
    with database.read() as connection:
        name = row_of(connection, dataset).id
        gone = select(row.withdraws).where(row.dataset == name, row.withdraws != "")
        query = select(row.choice, row.shown).where(
            row.dataset == name, row.shown != "", row.choice.in_(("a", "b", "tie")), row.id.not_in(gone)
        )
        votes = list(connection.execute(query.where(row.annotator == annotator) if annotator else query))
    decided = [vote for vote in votes if vote.choice != "tie"]
    first = sum(vote.choice == vote.shown[0] for vote in decided)
    p_value = float(stats.binomtest(first, len(decided), 0.5).pvalue) if decided else None
    return PositionBias(first=_share(first, len(decided)), ties=len(votes) - len(decided), p_value=p_value)


def _ballots(database: Database, dataset: str, people: dict[str, _Person]) -> Iterator[Sequence[Any]]:
    """The ballot of each pair, bare of names; what each person did is noted on the way."""
    row = VoteRow
    columns = (row.id, row.pair, row.annotator, row.choice, row.at, row.upload, row.withdraws, row.seconds)
    with database.read() as connection:
        found = row_of(connection, dataset)
        rule = Sampling.model_validate_json(found.sampling).repeats
        query = select(*columns).where(row.dataset == found.id, row.recorded_at <= found.changed_at)
        rows = connection.execution_options(yield_per=5000).execute(query.order_by(row.pair))
        for _, group in groupby(rows, key=lambda vote: vote.pair):
            yield _ballot(list(group), rule, people)


def _ballot(cast: list[Any], rule: Any, people: dict[str, _Person]) -> Sequence[Any]:
    for vote in cast:
        person = people[vote.annotator]
        person.skips += vote.choice == "skip"
        if vote.seconds is not None and vote.choice in ("a", "b", "tie"):
            person.seconds.append(vote.seconds)
    stand = standing(cast, rule)
    counts = {choice: sum(vote.choice == choice for vote in stand) for choice in ("a", "b", "tie")}
    for vote in stand:
        person = people[vote.annotator]
        person.votes += 1
        person.ties += vote.choice == "tie"
        if len(stand) > 1:
            person.shared += 1
            person.agreed += (counts[vote.choice] - 1) / (len(stand) - 1)
    return [plain(vote.choice, "") for vote in stand]


def _figures(name: str, person: _Person) -> AnnotatorFigures:
    return AnnotatorFigures(
        annotator=name, votes=person.votes, ties=person.ties / person.votes if person.votes else 0.0,
        skips=person.skips, with_others=_share(person.agreed, person.shared),
        flips=_share(person.flipped, person.repeated),
        seconds=statistics.median(person.seconds) if person.seconds else None,
    )  # fmt: skip


def _share(hits: float, n: int) -> Share:
    ends = wilson(hits, n)
    return Share(share=hits / n if n else None, low=ends.low, high=ends.high, n=n)
