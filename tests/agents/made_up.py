"""Small made-up criteria, pairs and votes, and parties that follow a script, for tests of the pure core.

A judge's answers on all pairs are written as a string, one character a pair: `A` and `B` are decisions, `-` an
abstention, `?` a judgment that never came, a space one that was never asked. People's preferences are written with
`A`, `B` and `=` for a tie.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.assessment import Assessment
from agents.criteria_set import Lineage
from agents.judge import Question
from agents.judgments import Judgment, Status, Verdict
from agents.manager import Brief, Case, Proposal
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.pairs import Pair, Preference
from agents.panel import Panel, Seat
from agents.policy import Policy
from agents.votes import ABSTAINED, DECIDED, MISSING, Votes
from knowledge_base.criterion import Criterion, Direction, Domain, Provenance

SOURCE = Provenance(kind="guideline", source="A made-up guideline", year=2001)
PREFERRED: dict[str, Preference] = {"A": "a", "B": "b", "=": "tie"}
STATUS: dict[str, Status] = {"A": "decided", "B": "decided", "-": "abstained", "?": "failed", "!": "invalid"}
VERDICT: dict[str, Verdict] = {"A": "A", "B": "B"}
LINEAGE = Lineage(
    dataset="d", pairs=0, judge="scripted/1", manager="scripted/1", policy="paper", rounds=1, size=1, seed=0
)


def criterion(
    name: str,
    expression: str = "",
    direction: Direction = "higher",
    margin: float = 0.0,
    domains: Mapping[Domain, int] | None = None,
) -> Criterion:
    """A criterion that differs from others by its name."""
    return Criterion.model_validate(
        {
            "name": name, "description": f"What the tests of the core call {name}.", "provenance": SOURCE,
            "expression": expression, "direction": direction, "margin": margin, "domains": dict(domains or {}),
        }
    )  # fmt: skip


def pair(number: int, preferred: str = "A", **fields: object) -> Pair:
    """Pair number `number` of a dataset."""
    given = {"a": f"left text {number}", "b": f"right text {number}", "preferred": PREFERRED[preferred]} | fields
    return Pair.model_validate({"id": str(number), **given})


def pairs(preferred: str) -> tuple[Pair, ...]:
    """One pair for each character: `A`, `B` or `=`."""
    return tuple(pair(i, p) for i, p in enumerate(preferred))


def truth(preferred: str) -> NDArray[np.int8]:
    """People's signs."""
    return np.array([{"A": 1, "B": -1, "=": 0}[p] for p in preferred], dtype=np.int8)


def votes(rows: Mapping[str, str], flipped: Mapping[str, str] | None = None) -> Votes:
    """Votes of criteria (by their hash, here any name) written as strings; `flipped` marks cells with `x`."""
    signs = np.array([[{"A": 1, "B": -1}.get(c, 0) for c in row] for row in rows.values()], dtype=np.int8)
    known = {"A": DECIDED, "B": DECIDED, "-": ABSTAINED, "?": MISSING, " ": 0}
    states = np.array([[known[c] for c in row] for row in rows.values()], dtype=np.uint8)
    marks = [[c == "x" for c in (flipped or {}).get(name, row)] for name, row in rows.items()]
    names = tuple(str(i) for i in range(signs.shape[1]))
    twice = np.isin(states, (DECIDED, ABSTAINED))
    return Votes(tuple(rows), names, signs, states, np.array(marks), np.abs(signs).astype(np.float32), twice)


def assessment(name: str, **fields: float) -> Assessment:
    """An assessment with a coverage of 1 and an accuracy of .5 unless said otherwise."""
    plain: dict[str, object] = dict.fromkeys(Assessment.model_fields, 0)
    plain |= {"criterion": name, "asked": 20, "decided": 20, "right": 10, "coverage": 1.0, "accuracy": 0.5}
    return Assessment.model_validate(plain | {"prior": 0.5, "shrunken": 0.5, "p_value": 1.0, "q_value": 1.0} | fields)


class ScriptedJudge:
    """Answers pair number i by a criterion as character i of the script under the criterion's name says.

    Characters beyond the script, and criteria without one, are abstentions. `second` scripts the order `ba`, where it
    differs.
    """

    fingerprint = "scripted/1"

    def __init__(self, script: Mapping[str, str], second: Mapping[str, str] | None = None) -> None:
        self._script, self._second = script, {**script, **(second or {})}
        self.symmetric = second is None
        self.asked: list[Question] = []

    def can_judge(self, criterion: Criterion) -> bool:
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        self.asked.extend(questions)
        for ask, by, of in questions:
            told = (self._script if ask.order == "ab" else self._second).get(by.name, "")
            mark = told[int(of.id)] if int(of.id) < len(told) else "-"
            rationale = f"{ask.order}: {mark}"
            verdict = VERDICT.get(mark, "abstain")
            yield Judgment(key=ask.key, status=STATUS[mark], verdict=verdict, rationale=rationale, margin=0.5)


class ScriptedManager:
    """Proposes what it was given: `seeds` first, then `later[i]` in replacement i; rewrites by `rewrites[name]`.

    Asked the same again, it proposes the same again. It records everything that it is shown, so that tests can look
    for what it should never see.
    """

    fingerprint = "scripted/1"

    def __init__(
        self,
        seeds: Sequence[Criterion] = (),
        later: Sequence[Sequence[Criterion]] = (),
        rewrites: Mapping[str, Criterion] | None = None,
    ) -> None:
        self._seeds, self._later, self._rewrites = seeds, list(later), rewrites or {}
        self._turns: dict[tuple[str, ...], int] = {}
        self.briefs: list[Brief] = []
        self.refined: list[list[Case]] = []
        self.kept: list[list[Criterion]] = []
        self.failures: list[list[Case]] = []
        self.banned: list[list[Criterion]] = []
        self.rooms: list[int] = []
        self.known: Sequence[Criterion] = ()

    def base(self, brief: Brief) -> list[Criterion]:
        return list(self.known)

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        self.briefs.append(brief)
        return [Proposal(c, "manager", "scripted") for c in self._seeds[:n]]

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        self.briefs.append(brief)
        self.refined.append(list(cases))
        found = [self._rewrites.get(case.criterion.name) for case in cases]
        return [Proposal(c, "rewrite", "scripted") if c else None for c in found]

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        self.briefs.append(brief)
        self.kept.append(list(kept))
        self.failures.append(list(failures))
        self.banned.append(list(banned))
        self.rooms.append(n)
        at = self._turns.setdefault(tuple(c.hash for c in (*kept, *banned)), len(self._turns))
        return [Proposal(c, "manager", "scripted") for c in (self._later[at] if at < len(self._later) else ())][:n]


def mining(
    mined: Sequence[Pair],
    manager: ScriptedManager,
    policy: Policy,
    sealed: Sequence[Pair] = (),
    symmetric: bool = True,
) -> Mining:
    """A thread over these pairs, with a ledger of its own."""
    brief = Brief(tuple(mined), "made-up pairs", "answers", 0)
    ledger = MemoryLedger([*mined, *sealed])
    return Mining(brief, tuple(sealed), ledger, manager, policy, panel(symmetric))


def likeness(one: NDArray[np.int8], other: NDArray[np.int8]) -> float:
    """Cosine of two vote vectors, by definition; 0 if either never decides."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    length = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / length if length else 0.0


def panel(symmetric: bool = True) -> Panel:
    """The scripted judge alone."""
    return Panel(seats=(Seat(judge=ScriptedJudge.fingerprint, symmetric=symmetric),))
