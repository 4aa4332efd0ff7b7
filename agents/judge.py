"""What every worker's judge offers, whether signals or a chat model answer behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from knowledge_base.criterion import Criterion

Question = tuple[Ask, Criterion, Pair]


@runtime_checkable
class Judge(Protocol):
    """Answers asks. `tests/agents/judge_conformance.py` is the suite that every judge must pass.

    Attributes:
        fingerprint: names everything that can change an answer (provider, model, parameters, prompt version).
        symmetric: True if swapping the texts provably only swaps the answer, so that one order is enough.
    """

    fingerprint: str
    symmetric: bool

    def can_judge(self, criterion: Criterion) -> bool:
        """Whether this judge can answer by `criterion` at all."""
        ...

    def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        """Yield exactly one judgment for each question, as answers come, in any order.

        Never raises for one bad text or one criterion that cannot be read: that judgment is `invalid`.
        """
        ...
