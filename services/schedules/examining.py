"""Drift examined: the evidence of a refresh added to that of those before it, in the transaction that moves it on."""

from __future__ import annotations

import time
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
from services.schedules.announcing import fail, tell_of_drift
from services.schedules.asking import votes_of
from services.schedules.past import overtaken_by
from services.schedules.refreshes import move_on
from services.schedules.standards import (
    VERDICTS,
    embedded,
    one_of_each_unit,
    reference_of,
    repeated,
    shares,
    texts_of,
)
from services.schedules.tables import DriftRow
from services.schedules.work import Pause, Pins, Work


def examine_set(work: Work) -> Pause:
    """Examine the approved set, keep report and evidence, and tell of what has moved.

    The evidence before is read, and that after it written, under the protection of the step: a refresh that was moved
    on by somebody else writes nothing, so no observation counts twice. Nor does one that was stopped amid this step and
    taken up again while the evidence before became another: it does the step again, or fails where the votes that it
    gathered were examined meanwhile.
    """
    pins = together(work.pins, pins_in(_votes(work, work.plan.anchors, "pinning")))
    with work.database.read() as connection:
        stood = _state(connection, work)
    before = DriftState.model_validate_json(stood) if stood else None
    before = before or DriftState.begin(reference_of(work, pins), work.refresh.terms.alpha)
    after, report = examine(before, data_of(work))
    kept = {
        "schedule": work.refresh.schedule, "version": work.refresh.old, "state": after.model_dump_json(),
        "dataset": work.refresh.dataset, "votes_until": work.groundwork.until, "refresh": work.refresh.id,
    }  # fmt: skip
    with work.database.write() as connection:
        if later := overtaken_by(connection, work.refresh.schedule, work.refresh.old, work.groundwork.since):
            told = f"refresh {later} has examined the votes that this one gathered; begin another one"
            fail(connection, work.refresh, work.approved.name, told, time.time())
        elif _state(connection, work) == stood and _moved(connection, work, report):
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


def _moved(connection: Connection, work: Work, report: DriftReport) -> bool:
    return move_on(connection, work.refresh, "mine", report.sentence, drift=report.model_dump_json())


def _state(connection: Connection, work: Work) -> str:
    """The evidence that stands, as it is kept; empty before the first examination."""
    row = DriftRow
    query = select(row.state).where(row.schedule == work.refresh.schedule, row.version == work.refresh.old)
    return connection.execute(query).scalar() or ""


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
    fresh = _of_new_units(work)
    coverage, abstention = shares(votes, fresh)
    texts = texts_of(work.database, fresh) if work.refresh.terms.texts else []
    return CorpusBatch(
        coverage=tuple(coverage), abstention=tuple(abstention), embeddings=tuple(map(tuple, embedded(texts)))
    )


def _of_new_units(work: Work) -> list[str]:
    """One pair of each unit that is met for the first time: a text that was met before would count again."""
    pairs, fresh = work.run.dataset.pairs, set(work.plan.fresh)
    units = dict(zip((p.hash for p in pairs), unit_labels(pairs), strict=True))
    met = {unit for pair, unit in units.items() if pair not in fresh}
    new = fresh - set(work.groundwork.steered)
    return one_of_each_unit([p for p in pairs if units[p.hash] not in met], new)
