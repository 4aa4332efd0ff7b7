"""A ledger in a dictionary, and the loop that mines with it in one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agents.chronicle import RoundRecord
from agents.judge import Judge
from agents.judgments import REUSABLE, Ask, Judgment
from agents.pairs import Pair
from agents.votes import Votes, tally
from knowledge_base.criterion import Criterion


class MemoryLedger:
    """A `Ledger` that lives as long as the process; `answer_missing` plays the workers' part."""

    def __init__(self, pairs: Sequence[Pair], answers: dict[str, Judgment] | None = None) -> None:
        self._pairs: Mapping[str, Pair] = {p.hash: p for p in pairs}
        self._criteria: dict[str, Criterion] = {}
        self._wanted: dict[str, Ask] = {}
        self._grid: dict[tuple[str, str], list[Ask]] = {}
        self._answers = {} if answers is None else answers
        self._answered: set[str] = set()
        self._records: dict[int, RoundRecord] = {}

    def remember(self, criteria: Sequence[Criterion]) -> None:
        self._criteria.update({c.hash: c for c in criteria})

    def recall(self, hashes: Sequence[str]) -> list[Criterion]:
        return [self._criteria[h] for h in hashes]

    def want(self, asks: Sequence[Ask]) -> int:
        for ask in asks:
            if ask.key not in self._wanted:
                self._wanted[ask.key] = ask
                self._grid.setdefault((ask.criterion, ask.pair), []).append(ask)
                stored = self._answers.get(ask.key)
                if stored is not None and stored.status in REUSABLE:
                    self._answered.add(ask.key)
        return self.missing()

    def missing(self) -> int:
        return len(self._wanted) - len(self._answered)

    def spent(self) -> bool:
        return False

    def votes(self, criteria: Sequence[str], pairs: Sequence[str]) -> Votes:
        cells = (
            (c, p, ask.order, self._answers[ask.key])
            for c in criteria
            for p in pairs
            for ask in self._grid.get((c, p), ())
            if ask.key in self._answered
        )
        return tally(criteria, pairs, cells)

    def judgments(self, criterion: str, pairs: Sequence[str]) -> list[tuple[str, Judgment]]:
        asks = [(p, ask) for p in pairs for ask in sorted(self._grid.get((criterion, p), ()), key=_place)]
        return [(p, self._answers[a.key]) for p, a in asks if a.key in self._answered]

    def record(self, entry: RoundRecord) -> None:
        self._records[entry.number] = entry

    def records(self) -> list[RoundRecord]:
        return [self._records[n] for n in sorted(self._records)]

    def take(self, judgments: Iterable[Judgment]) -> None:
        """Take in answers that came some other way; those that nobody wants wait until somebody does."""
        for judgment in judgments:
            self._answers[judgment.key] = judgment
            if judgment.key in self._wanted:
                self._answered.add(judgment.key)

    async def answer_missing(self, judge: Judge) -> int:
        """Let `judge` answer everything missing; returns how many judgments came."""
        asks = [a for k, a in self._wanted.items() if k not in self._answered]
        questions = [(a, self._criteria[a.criterion], self._pairs[a.pair]) for a in asks]
        count = 0
        async for judgment in judge.answer(questions):
            self.take([judgment])
            count += 1
        return count


def _place(ask: Ask) -> tuple[str, int, str]:
    """Judgments of a cell come in the same order from every ledger, or a manager would be shown another mistake."""
    return ask.order, ask.sample, ask.key
