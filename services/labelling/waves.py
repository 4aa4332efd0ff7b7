"""A chunk of pairs being voted on: questions go out in waves, and a pair goes on once its own answers are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agents.judge import Judge, Question
from agents.judgments import Ask, Judgment
from knowledge_base.errors import RunError
from services.judging import HANDFUL, PATIENCE
from services.labelling.answer_store import Stored
from services.labelling.pair_vote import PairResult, PairVote
from services.labelling.sheet import Sheet
from services.stopping import Stopped, stoppable

Keep = Callable[[Sequence[tuple[Ask, Judgment]], Mapping[int, PairResult]], object]


@dataclass(frozen=True)
class _Ended:
    """A judge has answered what it was asked, or died of an error."""

    error: BaseException | None


Arrivals = asyncio.Queue[Judgment | _Ended]


class Waves:
    """The votes of a chunk.

    Args:
        votes: by position.
        sheet: what they are by.
        judges: by fingerprint.
        stored: judgments that stand already.
        keep: writes answers and results.
    """

    def __init__(
        self, votes: Mapping[int, PairVote], sheet: Sheet, judges: Mapping[str, Judge], stored: Stored, keep: Keep
    ) -> None:
        self._votes, self._sheet, self._judges, self._stored, self._keep = votes, sheet, judges, stored, keep
        self._asks: dict[str, tuple[Ask, int]] = {}
        self._ready: list[Question] = []
        self._results: dict[int, PairResult] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = 0

    async def run(self) -> None:
        """Bring every vote to its end.

        Raises:
            RunError: a judge left questions unanswered.
            Stopped: the worker is to end; what was answered before is kept.
            Exception: whatever a judge raises; what was answered before is kept.
        """
        arrivals: Arrivals = asyncio.Queue()
        for position in self._votes:
            self._go_on(position)
        self._write([])
        try:
            with stoppable(lambda: arrivals.put_nowait(_Ended(Stopped("the worker was asked to end")))):
                await self._answer(arrivals)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if unanswered := len(self._asks):
            raise RunError(f"{unanswered} questions came back without an answer; mend the judge")

    async def _answer(self, arrivals: Arrivals) -> None:
        self._ask(arrivals)
        while self._asking:
            handful, ended = await _handful(arrivals)
            self._asking -= len(ended)
            self._write([self._take(judgment) for judgment in handful if judgment.key in self._asks])
            for each in ended:
                if each.error is not None:
                    raise each.error
            # A full handful says that more answers have come already: their pairs may as well go on together.
            if len(handful) < HANDFUL or not self._asking:
                self._ask(arrivals)

    def _ask(self, arrivals: Arrivals) -> None:
        """Send out what is ready, to each judge its own."""
        ready, self._ready = self._ready, []
        for name in dict.fromkeys(ask.judge for ask, _, _ in ready):
            questions = [q for q in ready if q[0].judge == name]
            task = asyncio.create_task(_produce(self._judges[name], questions, arrivals))
            self._asking += 1
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self, judgment: Judgment) -> tuple[Ask, Judgment]:
        ask, position = self._asks.pop(judgment.key)
        vote = self._votes[position]
        vote.take(judgment, reused=False)
        if not vote.waiting:
            self._go_on(position)
        return ask, judgment

    def _go_on(self, position: int) -> None:
        """Take a vote as far as stored judgments carry it; what it needs beyond is ready to be asked."""
        vote = self._votes[position]
        while asks := vote.next_asks():
            for ask in asks:
                if ask.key in self._stored:
                    judgment, reused = self._stored[ask.key]
                    vote.take(judgment, reused=reused)
                else:
                    self._asks[ask.key] = ask, position
                    self._ready.append((ask, self._sheet.criteria[ask.criterion], vote.pair))
            if vote.waiting:
                return
        self._results[position] = vote.result()

    def _write(self, answers: Sequence[tuple[Ask, Judgment]]) -> None:
        results, self._results = self._results, {}
        if answers or results:
            self._keep(answers, results)


async def _produce(judge: Judge, questions: Sequence[Question], arrivals: Arrivals) -> None:
    fault: BaseException | None = None
    try:
        async for judgment in judge.answer(questions):
            arrivals.put_nowait(judgment)
            # A judge that never waits would otherwise answer everything before anything is written.
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        # Whatever it is, it ends the chunk: nobody else waits for this task.
        fault = error
    arrivals.put_nowait(_Ended(fault))


async def _handful(arrivals: Arrivals) -> tuple[list[Judgment], list[_Ended]]:
    """What came within `PATIENCE` of the first, at most `HANDFUL` judgments, and which judges have ended meanwhile."""
    first = await arrivals.get()
    handful, ended = ([], [first]) if isinstance(first, _Ended) else ([first], [])
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while len(handful) < HANDFUL and not (ended and arrivals.empty()):
                found = await arrivals.get()
                ended.append(found) if isinstance(found, _Ended) else handful.append(found)
    return handful, ended
