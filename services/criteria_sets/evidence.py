"""What speaks for a criteria set: how it did on pairs that nobody mined from, judged by whom, under which policy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment
from agents.criteria_set import CriteriaSet
from agents.outcome import VoteAccuracy
from agents.set_diff import parents_in, reasons_in
from knowledge_base.errors import RunError
from services.database import Database
from services.result_reading import result_of
from services.run_facts import Holdout
from services.run_result import RunResult


class SetEvidence(BaseModel):
    """Evidence of a set; every accuracy carries n, interval and coverage.

    Attributes:
        run: that gave it.
        holdout: which pairs `weighted` and `majority` come from: `sealed`, `crossfit`, `test` or `none`.
        weighted, majority: the votes on held-out pairs; None where nothing was held out.
        mining: the weighted vote on mining pairs, which flatters.
        criteria: each criterion on sealed or test pairs; empty in a cross-fit.
        judge, manager: fingerprints; policy: name.
        pairs: mined; dataset: their content hash.
        effective_votes: how many independent votes the set is worth.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    holdout: Holdout
    weighted: VoteAccuracy | None
    majority: VoteAccuracy | None
    mining: VoteAccuracy
    criteria: tuple[Assessment, ...]
    judge: str
    manager: str
    policy: str
    dataset: str
    pairs: int
    effective_votes: float


class Reasons(BaseModel):
    """Why a set is as it is: reasons by criterion hash or name, and which criteria were rewritten from which."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: dict[str, str] = {}
    parents: dict[str, str] = {}


def evidence_of_run(database: Database, run: str, criteria_set: CriteriaSet) -> tuple[SetEvidence | None, Reasons]:
    """As `evidence_in` the result of a run; nothing where the run is not finished here."""
    try:
        return evidence_in(result_of(database, run), criteria_set) if run else (None, Reasons())
    except RunError:
        return None, Reasons()


def evidence_in(result: RunResult, criteria_set: CriteriaSet) -> tuple[SetEvidence | None, Reasons]:
    """What a run's result tells of a set: evidence, None unless the run gave just this set; and its reasons."""
    reasons = Reasons(why=reasons_in(result.rounds), parents=parents_in(result.rounds))
    if _content(result.criteria_set) != _content(criteria_set):
        return None, reasons
    evidence = SetEvidence(
        run=result.run, holdout=result.facts.holdout, weighted=result.held_out_weighted,
        majority=result.held_out_majority, mining=result.mining_weighted, criteria=result.held_out_assessments,
        judge=result.facts.judge, manager=result.facts.manager, policy=result.facts.policy, dataset=result.dataset.hash,
        pairs=result.dataset.mining, effective_votes=result.effective_votes,
    )  # fmt: skip
    return evidence, reasons


def _content(criteria_set: CriteriaSet) -> list[tuple[str, float]]:
    """What decides a vote; the lineage may name a parent that the run knew nothing of."""
    return [(m.criterion.hash, round(m.weight, 9)) for m in criteria_set.members]
