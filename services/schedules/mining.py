"""The new version mined: a run like any other, which starts from the approved set and leaves the sealed pairs alone."""

from __future__ import annotations

import time

from sqlalchemy import select, update

from agents.pairs import Dataset
from agents.policies import POLICY_NAMES
from services.budget import BILLION, Amount, Budget
from services.database import Database
from services.estimating import estimate_run, with_share
from services.halting import halt
from services.reservations import spending
from services.run_config import RunConfig
from services.runs import create_run
from services.schedules.announcing import finish
from services.schedules.refreshes import kept_json, move_on
from services.schedules.stopping import own_mining
from services.schedules.tables import RefreshRow
from services.schedules.work import Pause, Work
from services.tables import ThreadRow


def advance_mining(work: Work) -> Pause:
    """Have the new version mined, and go on once that is done."""
    if not work.refresh.mining:
        why_not = _why_not(work)
        return _finish(work, why_not) if why_not else _begin(work)
    if standing(work.database, work.refresh.mining) != "finished":
        return "mining"
    with work.database.write() as connection:
        move_on(connection, work.refresh, "propose", f"run {work.refresh.mining} has mined a set")
    return "none"


def standing(database: Database, run: str) -> str:
    """Where a run stands: `failed`, `running`, `finished`; or empty if there is no such run."""
    with database.read() as connection:
        found = set(connection.execute(select(ThreadRow.status).where(ThreadRow.run == run)).scalars())
    return next((s for s in ("failed", "waiting", "running", "finished") if s in found), "")


def faults(database: Database, run: str) -> str:
    """What the failed threads of a run say."""
    query = select(ThreadRow.name, ThreadRow.fault).where(ThreadRow.run == run, ThreadRow.status == "failed")
    with database.read() as connection:
        return "; ".join(f"{name}: {fault}" for name, fault in connection.execute(query.order_by(ThreadRow.name)))


def _why_not(work: Work) -> str:
    """Why no new version is to be mined; empty if one is."""
    if work.refresh.terms.remine == "drift" and not work.causes:
        return "no drift was found, so no new version was mined, as the schedule has it"
    if not work.plan.mining:
        return "all pairs are sealed, so there is none to mine from"
    if _left(work) is None:
        return "judging used up the budget, so no new version was mined"
    return ""


def _finish(work: Work, told: str) -> Pause:
    with work.database.write() as connection:
        finish(connection, work.refresh, work.approved.name, told, time.time())
    return "none"


def _begin(work: Work) -> Pause:
    """Create the run. Its configuration is written down first: what is left of the budget must not decide it twice."""
    _write_order(work)
    config = RunConfig.model_validate_json(kept_json(work.database, work.refresh.id, "order"))
    mining, sealed = _cut(work)
    run = create_run(work.database, work.deployment.parties, mining, config, sealed)
    row = RefreshRow
    with work.database.write() as connection:
        here = (row.id == work.refresh.id, row.status == "running")
        if not connection.execute(update(row).where(*here).values(mining=run)).rowcount:
            # It was stopped while the run was made, and whoever stopped it did not know of the run.
            halt(connection, own_mining(connection, work.refresh.id, run), "the refresh that it mines for was stopped")
            return "none"
        # The same inputs may have made it before, and something may have failed it.
        failed = update(ThreadRow).where(ThreadRow.run == run, ThreadRow.status == "failed")
        connection.execute(failed.values(status="running", attempts=0, fault=""))
        running = select(ThreadRow.id).where(ThreadRow.run == run, ThreadRow.status == "running")
        threads = list(connection.execute(running.order_by(ThreadRow.id)).scalars())
    work.deployment.queue.advance(threads)
    return "none"


def _write_order(work: Work) -> None:
    if kept_json(work.database, work.refresh.id, "order"):
        return
    row = RefreshRow
    with work.database.write() as connection:
        here = update(row).where(row.id == work.refresh.id, row.order == "")
        connection.execute(here.values(order=_config(work).model_dump_json()))


def _config(work: Work) -> RunConfig:
    """As the approved set was mined, with what is left of the budget."""
    lineage = work.old.lineage
    mined = lineage.policy in POLICY_NAMES
    _, sealed = _cut(work)
    config = RunConfig(
        policy=lineage.policy if mined else "robust", size=lineage.size or None if mined else None,
        rounds=lineage.rounds or None if mined else None, seed=lineage.seed, domain=work.run.facts.domain,
        holdout="auto" if sealed else "none", budget=_left(work) or Budget(), parent=work.approved.version,
    )  # fmt: skip
    mining, sealed = _cut(work)
    deployment = work.deployment
    expected = estimate_run(work.database, deployment.parties, deployment.settings, mining, config, sealed)
    return with_share(config, deployment.settings, expected) if expected else config


def _cut(work: Work) -> tuple[Dataset, Dataset | None]:
    """The pairs to mine, and those to compare on; None where no sealed pair was decided by people."""
    whole, sealed = work.run.dataset, set(work.plan.sealed)
    apart = tuple(p for p in whole.pairs if p.hash in sealed)
    rest = tuple(p for p in whole.pairs if p.hash not in sealed)
    mining = Dataset(name=whole.name, description=whole.description, pairs=rest, notes=whole.notes)
    if all(p.preferred == "tie" for p in apart):
        return mining, None
    return mining, Dataset(name=f"{whole.name}, sealed", description=whole.description, pairs=apart)


def _left(work: Work) -> Budget | None:
    """What judging has left of the budget; None if nothing."""
    budget = work.run.config.budget
    with work.database.read() as connection:
        spent = sum(spending(connection, work.refresh.id).values(), Amount())
    left = {
        "calls": budget.calls and budget.calls - spent.calls,
        "tokens": budget.tokens and budget.tokens - spent.tokens,
        "cost": budget.cost and budget.cost - spent.money / BILLION,
    }
    if any(part is not None and part <= 0 for part in left.values()):
        return None
    return Budget.model_validate(left)
