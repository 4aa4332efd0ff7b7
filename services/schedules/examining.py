"""Drift examined: the evidence of a refresh added to that of those before it, in the transaction that moves it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, select

from agents.drift import CorpusBatch, DriftReport, DriftState, NewVote, RefreshData, examine
from agents.judgments import Verdict
from agents.pairs import Pair, Vote
from agents.splitting import unit_labels
from agents.votes import ABSTAINED, DECIDED, Votes
from services.database import upsert
from services.schedules.anchors import pin, pins_in, together
from services.schedules.announcing import tell_of_drift
from services.schedules.asking import votes_of
from services.schedules.refreshes import move_on
from services.schedules.standards import VERDICTS, embedded, reference_of, repeated, shares, texts_of
from services.schedules.tables import DriftRow
from services.schedules.work import Pause, Pins, Work


def examine_set(work: Work) -> Pause:
    """Examine the approved set, keep report and evidence, and tell of what has moved.

    The evidence before is read, and that after it written, under the protection of the step: a refresh that was moved
    on by somebody else writes nothing, so no observation counts twice.
    """
    pins = together(work.pins, pins_in(_votes(work, work.plan.anchors, "pinning")))
    before = _state_before(work) or DriftState.begin(reference_of(work, pins), work.refresh.terms.alpha)
    after, report = examine(before, data_of(work))
    kept = {
        "schedule": work.refresh.schedule, "version": work.refresh.old, "state": after.model_dump_json(),
        "dataset": work.refresh.dataset, "votes_until": work.groundwork.until, "refresh": work.refresh.id,
    }  # fmt: skip
    with work.database.write() as connection:
        if move_on(connection, work.refresh, "mine", report.sentence, drift=report.model_dump_json()):
            _keep(connection, work, kept, pins, report)
    return "none"


def data_of(work: Work) -> RefreshData:
    """What the refresh brings."""
    votes = _votes(work, work.plan.free, "pairs")
    return RefreshData(
        anchor_answers=_answers(_votes(work, work.plan.anchors, "again"), work.pins),
        new_votes=_new_votes(work, votes),
        repeats=repeated(work, work.groundwork.since, work.groundwork.until),
        corpus=_corpus(work, votes),
    )


def new_causes(report: DriftReport) -> tuple[str, ...]:
    """Causes whose alarm was raised by the very refresh that the report is of."""
    return tuple(found.cause for found in report.causes if found.alarm == report.refresh)


def _keep(connection: Connection, work: Work, kept: Mapping[str, object], pins: Pins, report: DriftReport) -> None:
    upsert(connection, DriftRow, [dict(kept)])
    pin(connection, work, {pair: answers for pair, answers in pins.items() if answers != work.pins.get(pair)})
    if causes := new_causes(report):
        tell_of_drift(connection, work.refresh, work.approved.name, causes)


def _state_before(work: Work) -> DriftState | None:
    row = DriftRow
    query = select(row.state).where(row.schedule == work.refresh.schedule, row.version == work.refresh.old)
    with work.database.read() as connection:
        found = connection.execute(query).scalar()
    return DriftState.model_validate_json(found) if found else None


def _votes(work: Work, pairs: Sequence[str], asked: str) -> Votes:
    return votes_of(work.database, work.refresh.thread, work.hashes, pairs, getattr(work.asks, asked))


def _answers(votes: Votes, pins: Pins) -> dict[tuple[str, str], Verdict | None]:
    """What was said of anchors when asked again; None where an answer was wanted and is no evidence."""
    found: dict[tuple[str, str], Verdict | None] = {}
    for column, pair in enumerate(votes.pairs):
        for row, criterion in enumerate(votes.criteria):
            if criterion in pins.get(pair, {}):
                there = votes.states[row, column] in (DECIDED, ABSTAINED)
                found[criterion, pair] = VERDICTS[int(votes.signs[row, column])] if there else None
    return found


def _new_votes(work: Work, votes: Votes) -> tuple[NewVote, ...]:
    """People's votes on pairs that the set is measured on for the first time."""
    fresh = set(work.plan.fresh) - set(work.groundwork.steered)
    units = dict(zip((p.hash for p in work.run.dataset.pairs), unit_labels(work.run.dataset.pairs), strict=True))
    said = np.sign(np.round(work.old.ballot.log_odds(votes), 9)).astype(int)
    column = {pair: i for i, pair in enumerate(votes.pairs)}
    return tuple(
        NewVote(
            pair=pair.hash, preferred=vote.preferred, annotator=vote.annotator, unit=units[pair.hash],
            verdicts=_verdicts(votes, column[pair.hash]), vote=VERDICTS[int(said[column[pair.hash]])],
        )
        for pair in work.run.dataset.pairs
        if pair.hash in fresh
        for vote in _cast(pair)
    )  # fmt: skip


def _cast(pair: Pair) -> tuple[Vote, ...]:
    return pair.votes or (Vote(preferred=pair.preferred),)


def _verdicts(votes: Votes, column: int) -> dict[str, Verdict]:
    return {
        criterion: VERDICTS[int(votes.signs[row, column])]
        for row, criterion in enumerate(votes.criteria)
        if votes.states[row, column] in (DECIDED, ABSTAINED)
    }


def _corpus(work: Work, votes: Votes) -> CorpusBatch:
    """A sample of the corpus as it is now: one pair of each unit that is met for the first time."""
    fresh = [p for p in _one_of_each_unit(work) if p in set(votes.pairs)]
    coverage, abstention = shares(votes, fresh)
    texts = texts_of(work.database, fresh) if work.refresh.terms.texts else []
    return CorpusBatch(
        coverage=tuple(coverage), abstention=tuple(abstention), embeddings=tuple(map(tuple, embedded(texts)))
    )


def _one_of_each_unit(work: Work) -> list[str]:
    fresh = set(work.plan.fresh) - set(work.groundwork.steered)
    pairs = [p for p in work.run.dataset.pairs if p.hash in fresh]
    return sorted({unit: p.hash for unit, p in zip(unit_labels(pairs), pairs, strict=True)}.values())
