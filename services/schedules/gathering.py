"""The first step of a refresh: the votes as they are now, frozen; and whether there are enough new ones to go on.

It is short and done by the scheduler itself. It may be done twice, even by two schedulers at once: only one of them
moves the refresh on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.pairs import Dataset
from agents.panel import Panel
from agents.refresh_plan import plan_refresh
from knowledge_base.criterion import Domain
from services.annotation.dataset import open_dataset
from services.annotation.freezing import freeze
from services.annotation.vote import StoredVote
from services.annotation.votes import votes_since
from services.budget import Budget
from services.criteria_sets.reading import approved_set
from services.criteria_sets.stored import StoredSet
from services.database import insert_new
from services.deployment import Deployment
from services.run_config import RunConfig
from services.run_facts import RunFacts
from services.schedules.groundwork import Groundwork
from services.schedules.past import Past, guessed, past_of, steered_pairs
from services.schedules.refreshes import Refresh, end, move_on
from services.tables import RunRow, ThreadRow

REFRESH = "refresh"
"""Name of the thread that wants a refresh's judgments; its run bears the id of the refresh. `services.jobs` knows such
a thread by its name."""


@dataclass(frozen=True)
class Gathered:
    """What a refresh has to work with."""

    approved: StoredSet
    past: Past
    frozen: Dataset
    groundwork: Groundwork


def gather(deployment: Deployment, refresh: Refresh, now: datetime) -> bool:
    """Freeze the votes and have judging begin, or skip the refresh; False if somebody else did.

    Raises:
        InputError: the open dataset is not there, or no pair of it has a vote.
    """
    database = deployment.database
    approved = approved_set(database, refresh.criteria_set)
    if approved is None:
        return _skip(deployment, refresh, f"no version of {refresh.criteria_set!r} is approved; approve one", now)
    past = past_of(database, refresh.schedule, approved)
    until = open_dataset(database, refresh.source).changed_at
    new = _answers(votes_since(database, refresh.source, past.since), until)
    if len(new) < refresh.terms.minimum and not refresh.forced:
        told = f"{len(new)} new votes are fewer than the {refresh.terms.minimum} that the schedule waits for"
        return _skip(deployment, refresh, told, now)
    frozen = freeze(database, refresh.source, until=until)
    groundwork = _lay(deployment, refresh, past, frozen, new, until)
    return _open(deployment, refresh, Gathered(approved, past, frozen, groundwork), now)


def _answers(votes: Sequence[StoredVote], until: float) -> list[StoredVote]:
    """Answers that came in up to a moment and were not taken back."""
    there = [v for v in votes if v.recorded_at <= until]
    gone = {v.withdraws for v in there}
    return [v for v in there if v.choice in ("a", "b", "tie") and v.id not in gone]


def _lay(
    deployment: Deployment,
    refresh: Refresh,
    past: Past,
    frozen: Dataset,
    new: Sequence[StoredVote],
    until: float,
) -> Groundwork:
    seen = past.seen if past.known else guessed(past.seen, frozen.pairs, Counter(v.pair for v in new))
    held_out = tuple(sorted(seen.held_out))
    return Groundwork(
        plan=plan_refresh(frozen.pairs, seen, refresh.terms.sealed_share, refresh.terms.anchors),
        known=tuple(sorted({*held_out, *(p.hash for p in seen.mined)})), held_out=held_out,
        steered=steered_pairs(deployment.database, refresh.source), dataset=refresh.source, since=past.since,
        until=until, votes=len(new),
    )  # fmt: skip


def _skip(deployment: Deployment, refresh: Refresh, why: str, now: datetime) -> bool:
    with deployment.database.write() as connection:
        moved = move_on(connection, refresh, "gather", why)
        return moved and end(connection, refresh, "skipped", why, now.timestamp())


def _open(deployment: Deployment, refresh: Refresh, gathered: Gathered, now: datetime) -> bool:
    """Write down what was found, and a thread to judge for it."""
    run, thread = _rows(deployment, refresh, gathered, now)
    plan = gathered.groundwork.plan
    told = (
        f"{gathered.groundwork.votes} new votes; {len(gathered.frozen.pairs)} pairs, {len(plan.fresh)} of them new to "
        f"version {gathered.approved.version}, {len(plan.sealed)} sealed, {len(plan.anchors)} anchors"
    )
    columns = {
        "dataset": gathered.frozen.hash, "old": gathered.approved.version,
        "plan": gathered.groundwork.model_dump_json(), "gathered_at": now.timestamp(),
    }  # fmt: skip
    with deployment.database.write() as connection:
        if not move_on(connection, refresh, "judge", told, **columns):
            return False
        insert_new(connection, RunRow, [run])
        insert_new(connection, ThreadRow, [thread])
    return True


def _rows(
    deployment: Deployment, refresh: Refresh, gathered: Gathered, now: datetime
) -> tuple[dict[str, object], dict[str, object]]:
    """A run whose only thread wants judgments and mines nothing: budget, lease and sweeping are those of any run."""
    config = RunConfig(budget=_budget(deployment, refresh), holdout="none")
    facts = _facts(deployment.parties.panel(), _domain(deployment, gathered))
    run: dict[str, object] = {
        "id": refresh.id, "dataset": gathered.frozen.hash, "test": "", "config": config.model_dump_json(),
        "facts": facts.model_dump_json(), "created_at": now.timestamp(),
    }  # fmt: skip
    thread: dict[str, object] = {
        "id": refresh.thread, "run": refresh.id, "name": REFRESH, "mining": "[]", "sealed": "[]",
        "sealed_of": gathered.frozen.hash, "stage": "judging",
    }  # fmt: skip
    return run, thread


def _budget(deployment: Deployment, refresh: Refresh) -> Budget:
    """The schedule's, and in what it does not limit the deployment's."""
    given, usual = refresh.terms.budget, deployment.settings.budget
    budget = Budget(
        calls=given.calls or usual.calls, tokens=given.tokens or usual.tokens, cost=given.cost or usual.cost
    )
    if budget.cost is not None:
        deployment.settings.demand_prices()
    return budget


def _domain(deployment: Deployment, gathered: Gathered) -> Domain:
    """The domain that the approved version was mined in: it is not to change from version to version."""
    thread = gathered.past.thread
    return thread.run.facts.domain if thread else deployment.parties.domain(gathered.frozen)


def _facts(panel: Panel, domain: Domain) -> RunFacts:
    return RunFacts(
        domain=domain, recognised=False, holdout="none", agreement=None, notes=(), panel=panel, manager="",
        policy=REFRESH, size=0, rounds=0, versions={},
    )  # fmt: skip
