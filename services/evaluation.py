"""A criteria set put to the test on pairs: what its vote is worth there, and what each criterion is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment, assess
from agents.ballot import effective_votes, majority
from agents.criteria_set import CriteriaSet, Member
from agents.judge import Judge
from agents.judgments import Ask, Order
from agents.memory_ledger import MemoryLedger
from agents.outcome import VoteAccuracy, measure
from agents.pairs import Dataset
from agents.splitting import unit_labels
from agents.votes import Votes
from knowledge_base.errors import InputError


class EvaluatedCriterion(BaseModel):
    """One criterion of the set.

    Attributes:
        name: its name.
        weight: of its vote, in log-odds.
        here: how it did on these pairs.
        mining: how it did on the pairs it was mined from; `asked` is 0 if nobody ever measured that.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    weight: float
    here: Assessment
    mining: Assessment


class Evaluation(BaseModel):
    """A criteria set on pairs.

    Attributes:
        version: of the criteria set; judge: fingerprint of the judge that applied it.
        dataset, dataset_hash: name and content hash of the pairs.
        weighted, majority: the weighted vote, and one criterion one vote. Their `kind` is `mining` if these are
            the pairs that the set was mined from (then they flatter it), else `test`.
        effective_votes: how many independent votes the criteria are worth on these pairs.
        criteria: in the set's order.
        left_out: names of criteria that this judge cannot judge by; they do not vote.
        notes: what a reader should know, a sentence each.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    judge: str
    dataset: str
    dataset_hash: str
    weighted: VoteAccuracy
    majority: VoteAccuracy
    effective_votes: float
    criteria: tuple[EvaluatedCriterion, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def evaluate(criteria_set: CriteriaSet, dataset: Dataset, judge: Judge) -> Evaluation:
    """Apply a set to every pair, in both orders unless the judge is provably symmetric, and compare with people.

    Raises:
        InputError: the judge can judge by none of the criteria.
    """
    able = [m for m in criteria_set.members if judge.can_judge(m.criterion)]
    if not able:
        raise InputError(f"judge {judge.fingerprint} can judge by none of these criteria; give them expressions")
    votes = _votes(able, dataset, judge)
    truth, units = np.array([p.sign for p in dataset.pairs], dtype=np.int8), unit_labels(dataset.pairs)
    kind: Literal["mining", "test"] = "mining" if dataset.hash == criteria_set.lineage.dataset else "test"
    return Evaluation(
        version=criteria_set.version,
        judge=judge.fingerprint,
        dataset=dataset.name,
        dataset_hash=dataset.hash,
        weighted=measure(_weighted(criteria_set, votes), truth, kind, units),
        majority=measure(majority(votes), truth, kind, units),
        effective_votes=effective_votes(votes),
        criteria=_rows(able, assess(votes, truth)),
        left_out=tuple(m.criterion.name for m in criteria_set.members if m not in able),
        notes=_notes(criteria_set, dataset, judge),
    )


def _votes(members: Sequence[Member], dataset: Dataset, judge: Judge) -> Votes:
    ledger, orders = MemoryLedger(dataset.pairs), _orders(judge)
    ledger.remember([m.criterion for m in members])
    hashes, pairs = [m.criterion.hash for m in members], [p.hash for p in dataset.pairs]
    grid = [(p, c, o) for p in pairs for c in hashes for o in orders]
    ledger.want([Ask(judge=judge.fingerprint, criterion=c, pair=p, order=o) for p, c, o in grid])
    asyncio.run(ledger.answer_missing(judge))
    return ledger.votes(hashes, pairs)


def _orders(judge: Judge) -> tuple[Order, ...]:
    return ("ab",) if judge.symmetric else ("ab", "ba")


def _weighted(criteria_set: CriteriaSet, votes: Votes) -> NDArray[np.int8]:
    return np.sign(np.round(criteria_set.ballot.log_odds(votes), 9)).astype(np.int8)


def _rows(members: Sequence[Member], assessed: Sequence[Assessment]) -> tuple[EvaluatedCriterion, ...]:
    return tuple(
        EvaluatedCriterion(name=m.criterion.name, weight=m.weight, here=a, mining=m.mining)
        for m, a in zip(members, assessed, strict=True)
    )


def _notes(criteria_set: CriteriaSet, dataset: Dataset, judge: Judge) -> tuple[str, ...]:
    notes = list(dataset.notes)
    if dataset.hash == criteria_set.lineage.dataset:
        notes.append("the set was mined from pairs of this very file, which flatters it; test it on other pairs")
    mined_with = criteria_set.lineage.judge
    if mined_with and mined_with != judge.fingerprint:
        notes.append(f"the set was mined with another judge ({mined_with}); its weights were fitted to that one")
    return tuple(notes)
