"""A cheap judge first, a strong one where the cheap one could not tell."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agents.judge import Judge, Question
from agents.judgments import Ask, Judgment
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError


class CascadeJudge:
    """A `Judge` made of two.

    The strong one is asked what the cheap one was unsure of, gave no readable answer to, cannot judge at all, or
    decided with a margin below `clear` (chat judges state no margins: theirs are 1). What the strong one says stands,
    whatever it is: a failure is missing evidence, and is asked again some day.

    Args:
        cheap, strong: the judges.
        clear: in [0, 1].

    Attributes:
        asked, went_on: questions so far, and those of them that went on to the strong judge.

    Raises:
        InputError: `clear` is outside [0, 1].
    """

    def __init__(self, cheap: Judge, strong: Judge, clear: float = 0.0) -> None:
        if not 0.0 <= clear <= 1.0:
            raise InputError(f"clear is {clear}; margins lie between 0 and 1")
        self._cheap, self._strong, self._clear = cheap, strong, clear
        self.fingerprint = f"cascade/{cheap.fingerprint} > {strong.fingerprint}" + (f"/{clear:g}" if clear else "")
        self.symmetric = cheap.symmetric and strong.symmetric
        self.asked, self.went_on = 0, 0

    def can_judge(self, criterion: Criterion) -> bool:
        """Whether either can."""
        return self._cheap.can_judge(criterion) or self._strong.can_judge(criterion)

    async def answer(self, questions: Sequence[Question]) -> AsyncGenerator[Judgment, None]:
        """One judgment a question under the question's own key: the cheap judge's that stand, then the strong one's."""
        self.asked += len(questions)
        easy = [question for question in questions if self._cheap.can_judge(question[1])]
        hard = [question for question in questions if not self._cheap.can_judge(question[1])]
        cheap = _Asked(self._cheap, easy)
        async with _closed(self._cheap.answer(cheap.questions)) as judgments:
            async for judgment in judgments:
                if self._stands(judgment):
                    yield cheap.as_asked(judgment)
                else:
                    hard.append(cheap.question(judgment))
        self.went_on += len(hard)
        strong = _Asked(self._strong, hard)
        async with _closed(self._strong.answer(strong.questions)) as judgments:
            async for judgment in judgments:
                yield strong.as_asked(judgment)

    def _stands(self, judgment: Judgment) -> bool:
        if judgment.status == "decided":
            return judgment.margin >= self._clear
        return judgment.status == "abstained" and judgment.hesitation != "unsure"


class _Asked:
    """Questions put to the cascade, as questions to one of its judges, and the way back."""

    def __init__(self, judge: Judge, questions: Sequence[Question]) -> None:
        own = [_readdressed(ask, judge.fingerprint) for ask, _, _ in questions]
        self.questions = [(ask, criterion, pair) for ask, (_, criterion, pair) in zip(own, questions, strict=True)]
        self._by_key = {ask.key: question for ask, question in zip(own, questions, strict=True)}

    def question(self, judgment: Judgment) -> Question:
        """The question to the cascade that this answers."""
        return self._by_key[judgment.key]

    def as_asked(self, judgment: Judgment) -> Judgment:
        """The judgment under the key of that question."""
        return judgment.model_copy(update={"key": self.question(judgment)[0].key})


def _readdressed(ask: Ask, judge: str) -> Ask:
    # Made anew: a copy would keep the key of the original.
    return Ask(judge=judge, criterion=ask.criterion, pair=ask.pair, order=ask.order, sample=ask.sample)


@asynccontextmanager
async def _closed(judgments: AsyncIterator[Judgment]) -> AsyncIterator[AsyncIterator[Judgment]]:
    """Close a judge's generator at the end, so that it cancels what it has in flight."""
    try:
        yield judgments
    finally:
        if isinstance(judgments, AsyncGenerator):
            await judgments.aclose()
