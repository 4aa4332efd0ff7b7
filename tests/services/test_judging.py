"""Answers are kept as they come, whatever becomes of the judge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from letter_parties import LetterJudge, letter_criterion, letter_dataset

from agents.judge import Question
from agents.judgments import Ask, Judgment
from knowledge_base.errors import WrongJudge
from services.judging import HANDFUL, judge_questions

CRITERION = letter_criterion("e")


def questions(number: int, judge: str = "letters/1") -> list[Question]:
    pairs = letter_dataset(number).pairs
    return [(Ask(judge=judge, criterion=CRITERION.hash, pair=p.hash), CRITERION, p) for p in pairs]


class Paced(LetterJudge):
    """Waits (seconds) before each answer, as told for its number; negative: raises there."""

    def __init__(self, wait: Callable[[int], float]) -> None:
        super().__init__()
        self._wait = wait

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        number = 0
        async for judgment in super().answer(questions):
            seconds = self._wait(number)
            if seconds < 0:
                raise ConnectionError("the line is dead")
            await asyncio.sleep(seconds)
            number += 1
            yield judgment


def test_every_answer_is_kept_once() -> None:
    kept: list[Judgment] = []
    asked = questions(200)
    judge_questions([LetterJudge()], asked, kept.extend)
    assert [j.key for j in kept] == [a.key for a, _, _ in asked]


def test_a_fast_judges_answers_are_kept_in_handfuls_as_they_come() -> None:
    sizes: list[int] = []
    judge_questions([LetterJudge()], questions(200), lambda some: sizes.append(len(some)))
    assert sum(sizes) == 200
    assert max(sizes) <= HANDFUL
    assert len(sizes) >= 4


def test_a_slow_judges_answer_does_not_wait_for_the_next() -> None:
    kept: list[tuple[float, int]] = []
    start = time.monotonic()
    judge_questions(
        [Paced(lambda n: 0.5 if n == 2 else 0.0)],
        questions(3),
        lambda s: kept.append((time.monotonic() - start, len(s))),
    )
    assert [size for _, size in kept] == [2, 1]
    assert kept[0][0] < 0.4


def test_what_came_before_a_judge_broke_is_kept_and_the_error_is_told() -> None:
    kept: list[Judgment] = []
    with pytest.raises(ConnectionError, match="the line is dead"):
        judge_questions([Paced(lambda n: -1.0 if n == 70 else 0.0)], questions(100), kept.extend)
    assert len(kept) == 70


def test_a_judge_that_leaves_questions_open_is_no_error_here() -> None:
    class Lazy(LetterJudge):
        async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
            async for judgment in super().answer(questions[:1]):
                yield judgment

    kept: list[Judgment] = []
    judge_questions([Lazy()], questions(5), kept.extend)
    assert len(kept) == 1


def test_questions_for_another_judge_are_refused_by_name() -> None:
    with pytest.raises(WrongJudge, match=r"'letters/2' is asked, but this worker has 'letters/1'"):
        judge_questions([LetterJudge()], questions(1, "letters/2"), lambda some: None)


class Renamed(LetterJudge):
    """Another worker of a panel."""

    def __init__(self) -> None:
        super().__init__("letters/other")


def test_each_judge_of_a_panel_answers_what_is_meant_for_it() -> None:
    kept: list[Judgment] = []
    asked = [*questions(20), *questions(30, "letters/other")]
    judge_questions([LetterJudge(), Renamed()], asked, kept.extend)
    assert sorted(j.key for j in kept) == sorted(a.key for a, _, _ in asked)


def test_when_one_judge_of_a_panel_breaks_what_the_others_said_is_kept() -> None:
    kept: list[Judgment] = []
    broken = Paced(lambda n: -1.0 if n == 0 else 0.0)
    slow = [*questions(1), *questions(3, "letters/other")]
    with pytest.raises(ConnectionError, match="the line is dead"):
        judge_questions([Renamed(), broken], slow, kept.extend)
    assert {j.key for j in kept} <= {a.key for a, _, _ in slow[1:]}


class Patient(Renamed):
    """Takes its time over each answer, as one whose calls are on their way and paid for."""

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        async for judgment in super().answer(questions):
            await asyncio.sleep(0.01)
            yield judgment


def test_when_one_judge_of_a_panel_breaks_the_others_come_to_their_own_end() -> None:
    kept: list[Judgment] = []
    asked = [*questions(4), *questions(4, "letters/other")]
    with pytest.raises(ConnectionError, match="the line is dead"):
        judge_questions([Paced(lambda _: -1.0), Patient()], asked, kept.extend)
    assert {j.key for j in kept} == {ask.key for ask, _, _ in asked if ask.judge == "letters/other"}
