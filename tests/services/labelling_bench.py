"""Labelling in one process over a real queue and database: criteria about letters, files of random words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from letter_parties import LetterJudge, LetterParties, letter_criterion, letter_dataset, letter_judgment
from sqlalchemy import func, select
from workbench import take_job

from agents.assessment import assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.early_stop import StopRule, outcome
from agents.judge import Judge
from agents.judgments import Ask
from agents.pairs import Pair
from agents.panel import Panel, seat_of
from agents.votes import tally
from services.deployment import Deployment
from services.labelling.jobs import label_pairs
from services.labelling.labelled import LabelledPair, pages
from services.labelling.register import create_labelling, load_labelling
from services.labelling.sheet import Sheet, voters_of
from services.labelling.sweeping import LabelSweeper
from services.labelling.unlabelled import PairsFile
from services.tables import JudgmentRow

WEIGHTS = {"e": 0.6, "t": 0.55, "a": 0.5, "o": 0.45, "i": 0.4, "n": 0.35}
LINEAGE = Lineage(
    dataset="", pairs=0, judge="letters/1", manager="letters/1", policy="by hand", rounds=0, size=0, seed=0
)
ALL = StopRule(kind="none")


def letter_set(weights: dict[str, float] = WEIGHTS) -> CriteriaSet:
    """A set of criteria about letters, never measured."""
    criteria = {letter: letter_criterion(letter) for letter in weights}
    blank = {c.hash: assess(tally([c.hash], [], []), np.empty(0, dtype=np.int8))[0] for c in criteria.values()}
    members = [Member(criterion=c, weight=weights[x], mining=blank[c.hash]) for x, c in criteria.items()]
    return CriteriaSet(members=tuple(members), method="by hand", lineage=LINEAGE)


def letter_sheet(weights: dict[str, float] = WEIGHTS, rule: StopRule | None = None, *judges: Judge) -> Sheet:
    """The set as judges vote by it; one letter judge if none is given."""
    asked = judges or (LetterJudge(),)
    panel, made = Panel(seats=tuple(map(seat_of, asked))), letter_set(weights)
    return Sheet(made, panel, voters_of(made, panel, asked), rule or StopRule())


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A JSONL file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs_file(folder: Path, pairs: int, seed: int = 0, name: str = "pairs.jsonl") -> Path:
    """A file of random words with ids and the preference of people."""
    found = letter_dataset(pairs, seed).pairs
    return write_rows(folder / name, (p.model_dump(include={"id", "a", "b", "preferred"}) for p in found))


def created(
    deployment: Deployment, path: Path, rule: StopRule | None = None, criteria_set: CriteriaSet | None = None
) -> str:
    """A labelling by the deployment's parties."""
    made, file = criteria_set or letter_set(), PairsFile(path)
    return create_labelling(deployment.database, deployment.parties, made, file, rule or StopRule())


def sweep(deployment: Deployment, labelling: str) -> None:
    """Hand out what is open."""
    LabelSweeper(deployment, load_labelling(deployment.database, labelling)).sweep()


def next_chunk(deployment: Deployment) -> str | None:
    """Take the next chunk off the queue."""
    job = take_job(deployment)
    if job is None:
        return None
    assert job.func_name == "services.labelling.jobs.label_chunk"
    [chunk] = job.args
    assert job.id == chunk
    return str(chunk)


def work_off_chunks(deployment: Deployment) -> int:
    """Label chunks until the queue is empty; returns how many pairs that were."""
    done = 0
    while (chunk := next_chunk(deployment)) is not None:
        done += label_pairs(deployment, chunk)
    return done


def labelled(deployment: Deployment, labelling: str) -> dict[str, LabelledPair]:
    """What a labelling came to, by the user's ids."""
    found = load_labelling(deployment.database, labelling)
    return {pair.name: pair for page in pages(deployment.database, found) for pair in page}


def full_vote(pair: Pair, weights: dict[str, float] = WEIGHTS) -> int:
    """The outcome of asking everything, worked out without any of the machinery."""
    signs = {letter: letter_judgment("", letter, pair).sign for letter in weights}
    return outcome(sum(weights[letter] * sign for letter, sign in signs.items()))


def judgments(deployment: Deployment) -> int:
    """How many judgments are stored."""
    with deployment.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(JudgmentRow)).scalar_one())


class CountingJudge(LetterJudge):
    """Remembers what it was asked, and may do something before it answers."""

    def __init__(self, name: str = "letters/1", before: Callable[[Ask, Pair], None] | None = None) -> None:
        super().__init__(name)
        self.asked: list[tuple[Ask, Pair]] = []
        self.calls = 0
        self._before = before

    async def answer(self, questions: Sequence[Any]) -> Any:
        self.calls += 1
        for question in questions:
            ask, _, pair = question
            self.asked.append((ask, pair))
            if self._before is not None:
                self._before(ask, pair)
            async for judgment in super().answer([question]):
                yield judgment


class JudgedBy(LetterParties):
    """The letter parties with other judges."""

    def __init__(self, *judges: LetterJudge) -> None:
        self._judges = judges

    def workers(self) -> tuple[LetterJudge, ...]:
        return self._judges
