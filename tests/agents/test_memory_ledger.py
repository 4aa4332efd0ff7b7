"""The dictionary ledger keeps the promises of every ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from ledger_conformance import PAIRS, LedgerConformance, World

from agents.judge import Question
from agents.judgments import Judgment
from agents.ledger import Ledger
from agents.memory_ledger import MemoryLedger
from knowledge_base.criterion import Criterion


class ScriptedJudge:
    """Gives the answers it was made with, to whom they are due."""

    fingerprint, symmetric = "conformance/1", False

    def __init__(self, answers: Sequence[Judgment]) -> None:
        self._answers = {a.key: a for a in answers}

    def can_judge(self, criterion: Criterion) -> bool:
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        for ask, _, _ in questions:
            if ask.key in self._answers:
                yield self._answers[ask.key]


class MemoryWorld:
    """Ledgers over one dictionary of answers."""

    def __init__(self) -> None:
        self._answers: dict[str, Judgment] = {}

    def ledger(self, run: str = "run-1") -> Ledger:
        return MemoryLedger(PAIRS, self._answers)

    def answer(self, ledger: Ledger, judgments: Sequence[Judgment]) -> None:
        assert isinstance(ledger, MemoryLedger)
        asyncio.run(ledger.answer_missing(ScriptedJudge(judgments)))


class TestMemoryLedger(LedgerConformance):
    """See `LedgerConformance`."""

    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld()
