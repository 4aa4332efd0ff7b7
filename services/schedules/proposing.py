"""Old and new compared, and the new version put before a person; or approved, where schedule and evidence allow it."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from agents.comparison import SetComparison, compare_sets
from agents.criteria_set import CriteriaSet
from agents.outcome import Outcome
from agents.votes import MISSING
from knowledge_base.errors import Conflict
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import approved_set
from services.criteria_sets.standing import Decision, decisions_of
from services.schedules.announcing import finish, tell_of_proposal
from services.schedules.approval import Ruling, rule
from services.schedules.asking import votes_of
from services.schedules.refreshes import move_on
from services.schedules.work import Pause, Work
from services.tables import OutcomeRow
from services.webhooks.outbox import announce


class _Overtaken(Exception):
    """Somebody else has moved the refresh on; what this transaction wrote must not stand."""


def propose(work: Work) -> Pause:
    """Compare the two versions and keep the new one, proposed."""
    outcome = _outcome(work)
    new, comparison = outcome.criteria_set, compare(work, outcome)
    if not new.members or _content(new) == _content(work.old):
        told = "the run mined no criterion" if not new.members else "the run came to the very set that is approved"
        with work.database.write() as connection:
            columns = {"comparison": comparison.model_dump_json()}
            finish(connection, work.refresh, work.approved.name, told, time.time(), **columns)
        return "none"
    ruling = rule(work.refresh.terms.bar, comparison, work.causes)
    kept: list[bool] = []

    def within(connection: Connection) -> None:
        kept.append(True)
        _write(connection, work, new.version, comparison, ruling)

    try:
        keep_set(
            work.database, new, name=work.approved.name, dataset=work.refresh.source, run=work.refresh.mining,
            parent=work.refresh.old, within=within,
        )  # fmt: skip
        if not kept:
            # The very same version was proposed before, by another refresh or a person.
            with work.database.write() as connection:
                _write(connection, work, new.version, comparison, ruling)
    except _Overtaken:
        pass
    return "none"


def approve(work: Work) -> Pause:
    """Approve the new version without a person, unless the line has moved on since it was proposed."""
    name, refresh = work.approved.name, work.refresh
    line = decisions_of(work.database, name)
    current = approved_set(work.database, name)
    if current is None or current.version != refresh.old:
        return _leave(work, "meanwhile a person decided about the line, so this version is left to a person, too")
    assert refresh.comparison is not None
    note = f"approved by schedule {work.schedule.name!r}: {refresh.comparison.told}"

    def within(connection: Connection, made: Decision) -> None:
        decided = made.model_dump(include={"name", "version", "decision", "note", "who"})
        announce(connection, "set.decided", decided, once=refresh.id)
        if not finish(connection, refresh, name, note, time.time()):
            raise _Overtaken

    try:
        who = f"schedule {work.schedule.id}"
        decide(work.database, name, refresh.new, "approve", note, who, seen=len(line), within=within)
    except _Overtaken:
        pass
    except Conflict as conflict:
        return _leave(work, f"not approved: {conflict}")
    return "none"


def compare(work: Work, outcome: Outcome) -> SetComparison:
    """Both sets on the sealed pairs, which neither was mined from."""
    if not outcome.sealed:
        return SetComparison(n=0)
    pairs = [p.pair for p in outcome.sealed]
    votes = votes_of(work.database, work.refresh.thread, work.hashes, pairs, work.asks.on(pairs))
    old = np.sign(np.round(work.old.ballot.log_odds(votes), 9)).astype(np.int8)
    new = _signs([p.probability - 0.5 for p in outcome.sealed])
    truth = np.array([p.truth for p in outcome.sealed], dtype=np.int8)
    answered = (votes.states != MISSING).any(axis=0) & (votes.states != 0).any(axis=0)
    return compare_sets(old, new, truth, [p.unit for p in outcome.sealed], answered)


def _write(connection: Connection, work: Work, version: str, comparison: SetComparison, ruling: Ruling) -> None:
    columns = {"new": version, "comparison": comparison.model_dump_json()}
    tell_of_proposal(connection, work.refresh, work.approved.name, version)
    told = f"{comparison.told}; {ruling.told}"
    if ruling.approves:
        moved = move_on(connection, work.refresh, "approve", told, **columns)
    else:
        moved = finish(connection, work.refresh, work.approved.name, told, time.time(), **columns)
    if not moved:
        raise _Overtaken


def _leave(work: Work, told: str) -> Pause:
    with work.database.write() as connection:
        finish(connection, work.refresh, work.approved.name, told, time.time())
    return "none"


def _outcome(work: Work) -> Outcome:
    query = select(OutcomeRow.body).where(OutcomeRow.thread == f"{work.refresh.mining}-main")
    with work.database.read() as connection:
        return Outcome.model_validate_json(connection.execute(query).scalar_one())


def _content(criteria_set: CriteriaSet) -> list[tuple[str, float]]:
    return sorted((m.criterion.hash, round(m.weight, 9)) for m in criteria_set.members)


def _signs(log_odds: list[float]) -> NDArray[np.int8]:
    return np.sign(np.round(np.array(log_odds), 9)).astype(np.int8)
