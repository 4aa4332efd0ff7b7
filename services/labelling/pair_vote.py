"""One pair on its way to a label: what to ask next, given what was answered. Pure; a worker runs a chunk of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from agents.early_stop import outcome, total_of
from agents.judgments import REUSABLE, Ask, Hesitation, Judgment, Order, Status, Verdict
from agents.pairs import Pair
from services.labelling.sheet import Sheet

Say = Literal["decided", "abstained", "missing"]


class Answer(BaseModel):
    """What one seat said of a pair by one criterion.

    Attributes:
        criterion: content hash.
        seat: number of the seat in the panel.
        order, sample: as asked; status, verdict, hesitation: as answered.
    """

    model_config = ConfigDict(frozen=True)

    criterion: str
    seat: int
    order: Order
    sample: int
    status: Status
    verdict: Verdict
    hesitation: Hesitation = ""

    @property
    def sign(self) -> int:
        """+1 for A, -1 for B, 0 otherwise."""
        return {"A": 1, "B": -1, "abstain": 0}[self.verdict] if self.status == "decided" else 0


ANSWERS = TypeAdapter(tuple[Answer, ...])
"""How answers are written to and read from JSON."""


@dataclass(frozen=True)
class PairResult:
    """A pair that is asked no more.

    Attributes:
        answers: all of them, in the order of asking.
        asked: judgments that this labelling had made; reused: those that were there before it.
        saved: judgments that early stopping left out; failed: those that nobody gave.
        early: whether the vote stopped early.
        audited: whether the pair was asked on after it could have stopped; turned: whether that changed the outcome.
    """

    answers: tuple[Answer, ...]
    asked: int
    reused: int
    saved: int
    failed: int
    early: bool
    audited: bool
    turned: bool


class PairVote:
    """The vote on one pair.

    `next_asks` says what to ask; once `take` was given an answer for each, ask it again. No asks: the vote is over.

    Args:
        pair: texts and prompt.
        sheet: what the vote is by.
    """

    def __init__(self, pair: Pair, sheet: Sheet) -> None:
        self.pair = pair
        self._sheet = sheet
        self._met = 0
        self._order: list[str] = []
        self._waiting: dict[str, tuple[Ask, int]] = {}
        self._answers: dict[str, Answer] = {}
        self._signs: dict[str, int] = {}
        self._asked = self._reused = 0
        self._stop: int | None = None

    @property
    def waiting(self) -> bool:
        """Whether something that was asked is not answered yet."""
        return bool(self._waiting)

    def next_asks(self) -> list[Ask]:
        """The next block of questions; none if the outcome is settled, or the two texts are one and the same."""
        size = self._next_block()
        members = self._sheet.members[self._met : self._met + size]
        self._met += size
        asks = [ask for m in members for ask in self._sheet.asks(m.criterion.hash, self.pair.hash)]
        self._waiting = {ask.key: (ask, self._seat(ask)) for ask in asks}
        self._order += self._waiting
        return asks

    def take(self, judgment: Judgment, *, reused: bool) -> None:
        """Take the answer to something asked; another for the same is passed over."""
        found = self._waiting.pop(judgment.key, None)
        if found is None:
            return
        ask, seat = found
        self._answers[judgment.key] = Answer(
            criterion=ask.criterion, seat=seat, order=ask.order, sample=ask.sample, status=judgment.status,
            verdict=judgment.verdict, hesitation=judgment.hesitation,
        )  # fmt: skip
        self._reused += reused
        self._asked += not reused
        if not self._waiting:
            self._signs = {criterion: sign for criterion, (sign, _) in count(self._answers.values()).items()}

    def result(self) -> PairResult:
        """What came of it, once nothing more is to be asked."""
        answers = tuple(self._answers[key] for key in self._order)
        early = self._met < len(self._sheet.members) and not self._same
        saved = self._sheet.per_pair - len(answers) if early else 0
        failed = sum(a.status == "failed" for a in answers)
        audited = self._stop is not None
        turned = audited and outcome(self._total) != self._stop
        return PairResult(answers, self._asked, self._reused, saved, failed, early, audited, turned)

    @property
    def _same(self) -> bool:
        return self.pair.a == self.pair.b

    @property
    def _total(self) -> float:
        return total_of(self._sheet.ballot, self._signs)

    def _next_block(self) -> int:
        left = self._sheet.left[self._met :]
        if self._same or not left:
            return 0
        total = self._total
        if self._stop is None and self._sheet.rule.settled(total, left):
            if not self._sheet.rule.audited(self.pair.hash):
                return 0
            self._stop = outcome(total)
        return len(left) if self._stop is not None else self._sheet.rule.next_block(total, left)

    def _seat(self, ask: Ask) -> int:
        return next(i for i in self._sheet.voters[ask.criterion] if self._sheet.panel.seats[i].judge == ask.judge)


def count(answers: Iterable[Answer]) -> dict[str, tuple[int, Say]]:
    """Criterion hash -> its one vote (+1, -1, 0) and what that is, all seats and samples together.

    As `agents.votes.tally` merges a cell: the majority of the decided answers stands, balanced ones are an abstention,
    and a criterion none of whose answers is evidence is missing.
    """
    by_criterion: dict[str, list[Answer]] = {}
    for answer in answers:
        by_criterion.setdefault(answer.criterion, []).append(answer)
    return {criterion: _one(found) for criterion, found in by_criterion.items()}


def _one(answers: Sequence[Answer]) -> tuple[int, Say]:
    total = sum(a.sign for a in answers)
    if not any(a.status in REUSABLE for a in answers):
        return 0, "missing"
    return (total > 0) - (total < 0), "decided" if total else "abstained"
