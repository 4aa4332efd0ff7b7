"""A batch being judged: answers are written as they come, so that a killed worker loses a moment's work at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.judge import Judge, Question
from agents.judgments import Judgment
from knowledge_base.errors import WrongJudge
from services.stopping import Stopped, stoppable

HANDFUL = 64
"""Most answers in one transaction."""

PATIENCE = 0.02
"""Seconds after which an answer is written even if no other has come: what a killed worker loses was paid for."""

Keep = Callable[[Sequence[Judgment]], object]
Share = tuple[Judge, list[Question]]


def judge_questions(judges: Sequence[Judge], questions: Sequence[Question], keep: Keep) -> None:
    """Have each question answered by the judge that it is for, all at once, and `keep` what comes in handfuls.

    Raises:
        WrongJudge: a question is for a judge that is not among `judges`; none is answered.
        Stopped: the worker is to end; what was answered before is kept.
        Exception: whatever a judge raises; what was answered before is kept.
    """
    by_name = {judge.fingerprint: judge for judge in judges}
    for name in sorted({ask.judge for ask, _, _ in questions} - by_name.keys()):
        why = "code or settings changed after the run was created or the worker was started"
        remedy = "restart the workers that no command started"
        raise WrongJudge(f"judge {name!r} is asked, but this worker has {' + '.join(by_name)!r}: {why}; {remedy}")
    shares = [(judge, [q for q in questions if q[0].judge == name]) for name, judge in by_name.items()]
    asyncio.run(_judge([share for share in shares if share[1]], keep))


async def _judge(shares: Sequence[Share], keep: Keep) -> None:
    arrivals: asyncio.Queue[Judgment | None] = asyncio.Queue()
    producer = asyncio.create_task(_produce_all(shares, arrivals))
    more = True
    with stoppable(producer.cancel):
        while more:
            handful, more = await _handful(arrivals)
            if handful:
                keep(handful)
    try:
        await producer
    except asyncio.CancelledError:
        raise Stopped("the worker was asked to end") from None


async def _produce_all(shares: Sequence[Share], arrivals: asyncio.Queue[Judgment | None]) -> None:
    """Each judge comes to its own end, whatever becomes of the others: what they have in flight is paid for."""
    try:
        ends = await asyncio.gather(*(_produce(*share, arrivals) for share in shares), return_exceptions=True)
    finally:
        arrivals.put_nowait(None)
    # One fault says what is the matter; a caller tells errors apart by their class.
    for fault in filter(None, ends):
        raise fault


async def _produce(judge: Judge, questions: Sequence[Question], arrivals: asyncio.Queue[Judgment | None]) -> None:
    async for judgment in judge.answer(questions):
        arrivals.put_nowait(judgment)
        # A judge that never waits would otherwise finish the batch before anything is written.
        await asyncio.sleep(0)


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
