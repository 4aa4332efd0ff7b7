"""Mining in one process drives the same graph to its end, or says why it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pair, pairs

from agents.judge import Question
from agents.judgments import Judgment
from agents.local_run import run_local
from agents.memory_ledger import MemoryLedger
from agents.paper_policy import PaperPolicy
from knowledge_base.errors import RunError

GOOD = criterion("good")
POLICY = PaperPolicy(size=1, rounds=1)


class SilentJudge(ScriptedJudge):
    """Never answers."""

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        for judgment in list[Judgment]():
            yield judgment


class SlowJudge(ScriptedJudge):
    """Answers one question at a time, and leaves the others for the next asking."""

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        async for judgment in super().answer(questions[:1]):
            yield judgment


def test_a_run_hands_over_the_set_and_the_sealed_pairs() -> None:
    thread = mining(pairs("AABB"), ScriptedManager([GOOD]), POLICY, sealed=[pair(4, "A"), pair(5, "A")])
    outcome = run_local(thread, ScriptedJudge({"good": "AABBAB"}), LINEAGE)
    assert outcome.criteria_set.criteria == (GOOD,)
    assert [(o.truth, o.majority) for o in outcome.sealed] == [(1, 1), (1, -1)]


def test_a_judge_that_answers_little_at_a_time_is_asked_until_it_is_done() -> None:
    thread = mining(pairs("AABB"), ScriptedManager([GOOD]), POLICY)
    outcome = run_local(thread, SlowJudge({"good": "AABB"}), LINEAGE)
    assert outcome.mining_majority.right == 4


def test_a_judge_that_answers_nothing_is_an_error_that_names_it() -> None:
    thread = mining(pairs("AABB"), ScriptedManager([GOOD]), POLICY)
    with pytest.raises(RunError, match="scripted/1 left 4 judgments unanswered"):
        run_local(thread, SilentJudge({}), LINEAGE)


def test_a_ledger_that_others_drive_is_refused() -> None:
    thread = mining(pairs("A"), ScriptedManager([GOOD]), POLICY)
    foreign = replace(thread, ledger=cast(Any, object()))
    with pytest.raises(TypeError, match="needs a MemoryLedger, not object"):
        run_local(foreign, ScriptedJudge({}), LINEAGE)


def test_judgments_of_an_earlier_run_are_not_asked_again() -> None:
    answers: dict[str, Judgment] = {}
    judges = [ScriptedJudge({"good": "AABB"}) for _ in range(2)]
    for judge in judges:
        thread = mining(pairs("AABB"), ScriptedManager([GOOD]), POLICY)
        run_local(replace(thread, ledger=MemoryLedger(pairs("AABB"), answers)), judge, LINEAGE)
    assert [len(judge.asked) for judge in judges] == [4, 0]
