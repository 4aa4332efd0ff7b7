"""A criteria set put to the test on pairs: what its vote is worth there, and what each criterion is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment, assess
from agents.ballot import effective_votes, majority
from agents.criteria_set import CriteriaSet, Member
from agents.judge import Judge
from agents.judgments import Ask, Judgment
from agents.memory_ledger import MemoryLedger
from agents.outcome import VoteAccuracy, measure
from agents.pairs import Dataset
from agents.panel import Panel, first_look, turned
from agents.splitting import unit_labels
from agents.votes import DECIDED, Votes
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError
from services.judging import judge_questions


class Answers(Protocol):
    """Judgments that outlive an evaluation."""

    def known(self, asks: Sequence[Ask]) -> Mapping[str, Judgment]:
        """Those of these asks that somebody answered before, by key."""
        ...

    def keep(self, answers: Sequence[tuple[Ask, Judgment]]) -> None:
        """Keep what came."""
        ...


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
        version: of the criteria set; judge: name of the panel that applied it.
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


def evaluate(
    criteria_set: CriteriaSet, dataset: Dataset, judges: Sequence[Judge], panel: Panel, answers: Answers | None = None
) -> Evaluation:
    """Apply a set to every pair and compare with people.

    A judge that is not provably symmetric is shown a pair in the other order, too, where the first came to a decision.

    Args:
        criteria_set: the set.
        dataset: the pairs.
        judges: one for each seat of `panel`.
        panel: who answers how often.
        answers: what was answered before, and where to keep what is answered now; None keeps nothing.

    Raises:
        InputError: some judge can judge by none of the criteria.
    """
    able = [m for m in criteria_set.members if all(judge.can_judge(m.criterion) for judge in judges)]
    if not able:
        raise InputError(f"judge {panel.name} can judge by none of these criteria; give them expressions")
    votes = _Evaluating(dataset, judges, panel, answers).votes([m.criterion for m in able])
    truth, units = np.array([p.sign for p in dataset.pairs], dtype=np.int8), unit_labels(dataset.pairs)
    kind: Literal["mining", "test"] = "mining" if dataset.hash == criteria_set.lineage.dataset else "test"
    return Evaluation(
        version=criteria_set.version,
        judge=panel.name,
        dataset=dataset.name,
        dataset_hash=dataset.hash,
        weighted=measure(_weighted(criteria_set, votes), truth, kind, units),
        majority=measure(majority(votes), truth, kind, units),
        effective_votes=effective_votes(votes),
        criteria=_rows(able, assess(votes, truth)),
        left_out=tuple(m.criterion.name for m in criteria_set.members if m not in able),
        notes=_notes(criteria_set, dataset, panel),
    )


class _Evaluating:
    """Every criterion on every pair, asked of the judges in this process."""

    def __init__(self, dataset: Dataset, judges: Sequence[Judge], panel: Panel, answers: Answers | None) -> None:
        self._judges, self._panel, self._answers = judges, panel, answers
        self._pairs = {p.hash: p for p in dataset.pairs}
        self._known: dict[str, Judgment] = {}
        self._ledger = MemoryLedger(dataset.pairs, self._known)

    def votes(self, criteria: Sequence[Criterion]) -> Votes:
        """What they say, both orders merged."""
        by_hash = {c.hash: c for c in criteria}
        self._ledger.remember(criteria)
        grid = [(c, p) for p in self._pairs for c in by_hash]
        self._answer(grid, by_hash, again=False)
        first = self._ledger.votes(list(by_hash), list(self._pairs))
        if not self._panel.symmetric:
            rows, columns = np.nonzero((first.states == DECIDED) | first.flipped)
            decided = {(first.criteria[c], first.pairs[p]) for c, p in zip(rows, columns, strict=True)}
            self._answer([cell for cell in grid if cell in decided], by_hash, again=True)
        return self._ledger.votes(list(by_hash), list(self._pairs))

    def _answer(self, cells: Sequence[tuple[str, str]], criteria: Mapping[str, Criterion], *, again: bool) -> None:
        asks = {a.key: a for cell in cells for a in self._asks(*cell, again=again)}
        if self._answers is not None:
            self._known.update(self._answers.known(list(asks.values())))
        new = [ask for key, ask in asks.items() if key not in self._known]
        questions = [(a, criteria[a.criterion], self._pairs[a.pair]) for a in new]
        if questions:
            judge_questions(self._judges, questions, lambda some: self._keep(some, asks))
        self._ledger.want(list(asks.values()))
        self._ledger.take(self._known.values())

    def _asks(self, criterion: str, pair: str, *, again: bool) -> list[Ask]:
        order = first_look(pair, self._panel.symmetric)
        return self._panel.asks(criterion, pair, (turned(order) if again else order,))

    def _keep(self, some: Sequence[Judgment], asks: Mapping[str, Ask]) -> None:
        self._known.update({j.key: j for j in some})
        if self._answers is not None:
            self._answers.keep([(asks[j.key], j) for j in some])


def _weighted(criteria_set: CriteriaSet, votes: Votes) -> NDArray[np.int8]:
    return np.sign(np.round(criteria_set.ballot.log_odds(votes), 9)).astype(np.int8)


def _rows(members: Sequence[Member], assessed: Sequence[Assessment]) -> tuple[EvaluatedCriterion, ...]:
    return tuple(
        EvaluatedCriterion(name=m.criterion.name, weight=m.weight, here=a, mining=m.mining)
        for m, a in zip(members, assessed, strict=True)
    )


def _notes(criteria_set: CriteriaSet, dataset: Dataset, panel: Panel) -> tuple[str, ...]:
    notes = list(dataset.notes)
    if dataset.hash == criteria_set.lineage.dataset:
        notes.append("the set was mined from pairs of this very file, which flatters it; test it on other pairs")
    mined_with = criteria_set.lineage.judge
    if mined_with and mined_with != panel.name:
        notes.append(f"the set was mined with another judge ({mined_with}); its weights were fitted to that one")
    return tuple(notes)
