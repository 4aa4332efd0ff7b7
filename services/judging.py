"""A batch being judged: answers are written as they come, so that a killed worker loses a moment's work at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.judge import Judge, Question
from agents.judgments import Judgment
from knowledge_base.errors import WrongJudge

HANDFUL = 64
"""Most answers in one transaction."""

PATIENCE = 0.05
"""Seconds after which an answer is written even if no other has come."""

Keep = Callable[[Sequence[Judgment]], object]


def judge_questions(judge: Judge, questions: Sequence[Question], keep: Keep) -> None:
    """Have `judge` answer, and `keep` what comes in handfuls.

    Raises:
        WrongJudge: the questions are for another judge; none is answered.
        Exception: whatever the judge raises; what it answered before is kept.
    """
    for name in {ask.judge for ask, _, _ in questions} - {judge.fingerprint}:
        why = "code or settings changed after the run was created or the worker was started"
        remedy = "restart the workers that no command started"
        raise WrongJudge(f"judge {name!r} is asked, but this worker has {judge.fingerprint!r}: {why}; {remedy}")
    asyncio.run(_judge(judge, questions, keep))


async def _judge(judge: Judge, questions: Sequence[Question], keep: Keep) -> None:
    arrivals: asyncio.Queue[Judgment | None] = asyncio.Queue()
    producer = asyncio.create_task(_produce(judge, questions, arrivals))
    more = True
    while more:
        handful, more = await _handful(arrivals)
        if handful:
            keep(handful)
    await producer


async def _produce(judge: Judge, questions: Sequence[Question], arrivals: asyncio.Queue[Judgment | None]) -> None:
    try:
        async for judgment in judge.answer(questions):
            arrivals.put_nowait(judgment)
            # A judge that never waits would otherwise finish the batch before anything is written.
            await asyncio.sleep(0)
    finally:
        arrivals.put_nowait(None)


async def _handful(arrivals: asyncio.Queue[Judgment | None]) -> tuple[list[Judgment], bool]:
    """What came within `PATIENCE` of the first answer, and whether more may come."""
    handful: list[Judgment] = []
    first = await arrivals.get()
    until = asyncio.get_running_loop().time() + PATIENCE
    while first is not None:
        handful.append(first)
        if len(handful) == HANDFUL:
            return handful, True
        try:
            async with asyncio.timeout_at(until):
                first = await arrivals.get()
        except TimeoutError:
            return handful, True
    return handful, False
