"""Calls in flight: a bounded number at once, in groups whose first call goes ahead, answers as they come.

An endpoint caches the beginning of a prompt once it has computed it. Of the calls that begin alike, the first goes
ahead, and the others follow when it has come back or after a head start; meanwhile other groups have their turn, so
that no place in flight stays empty while there is anything to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Generic, TypeVar

from knowledge_base.errors import BudgetSpent, EndpointClosed

Job = TypeVar("Job")
Found = TypeVar("Found")

GRACE = 10.0
"""Seconds for which calls in flight may still come back from an endpoint that answers no new ones."""


async def as_they_come(
    groups: Iterable[Sequence[Job]], work: Callable[[Job], Awaitable[Found]], in_flight: int, head_start: float
) -> AsyncGenerator[Found, None]:
    """What `work` makes of every job, as it comes; close the generator, and every call in flight is cancelled.

    An exception of a job ends it all: nothing new is started, calls in flight are cancelled (or, where the budget is
    spent or the endpoint closed, let come back, for they are paid), what has come is yielded, and the exception is
    raised.

    Args:
        groups: jobs that begin alike; read as there is room for them.
        work: does one job.
        in_flight: most jobs at once.
        head_start: seconds that a group waits for its first job at most; 0: it does not wait.
    """
    crew = _Crew(groups, work, in_flight, head_start)
    try:
        crew.fill()
        while crew.busy:
            task = await crew.came.get()
            if failure := task.exception():
                for found in await crew.last(failure):
                    yield found
                raise failure
            crew.fill()
            yield task.result()
    finally:
        await crew.leave()


class _Crew(Generic[Job, Found]):
    """Tasks that are running, and what has come of them."""

    def __init__(
        self,
        groups: Iterable[Sequence[Job]],
        work: Callable[[Job], Awaitable[Found]],
        in_flight: int,
        head_start: float,
    ) -> None:
        self._groups, self._work = iter(groups), work
        self._in_flight, self._head_start = in_flight, head_start
        self._ready: deque[Job] = deque()
        self._running: set[asyncio.Task[Found]] = set()
        self._open = True
        self.came: asyncio.Queue[asyncio.Task[Found]] = asyncio.Queue()

    @property
    def busy(self) -> bool:
        """Whether anything is still to come. Whoever waits in a group waits for a job that runs, or is ready."""
        return bool(self._running or self._ready or self.came.qsize())

    def fill(self) -> None:
        """Start what there is room for; results that nobody has taken yet take up room as well."""
        while self._open and len(self._running) < self._in_flight and self.came.qsize() < self._in_flight:
            if not self._start_next():
                return

    def _start_next(self) -> bool:
        if self._ready:
            self._start(self._ready.popleft(), deque())
            return True
        group = next(self._groups, None)
        if group is None:
            return False
        first, *rest = group
        self._start(first, deque(rest))
        return True

    def _start(self, job: Job, waiting: deque[Job]) -> None:
        task = asyncio.ensure_future(self._work(job))
        self._running.add(task)
        task.add_done_callback(partial(self._ended, waiting))
        if waiting and self._head_start > 0:
            asyncio.get_running_loop().call_later(self._head_start, self._release, waiting)
        else:
            self._ready.extend(waiting)
            waiting.clear()

    def _ended(self, waiting: deque[Job], task: asyncio.Task[Found]) -> None:
        self._running.discard(task)
        self._open = self._open and not task.cancelled() and task.exception() is None
        self.came.put_nowait(task)
        self._release(waiting)

    def _release(self, waiting: deque[Job]) -> None:
        self._ready.extend(waiting)
        waiting.clear()
        self.fill()

    async def last(self, failure: BaseException) -> list[Found]:
        """What comes or has come once a job has failed."""
        self._open = False
        paid = isinstance(failure, (BudgetSpent, EndpointClosed))
        if self._running and paid:
            await asyncio.wait(self._running, timeout=GRACE if isinstance(failure, EndpointClosed) else None)
        self._cancel()
        if self._running:
            await asyncio.wait(self._running)
        came = [self.came.get_nowait() for _ in range(self.came.qsize())]
        return [task.result() for task in came if not task.cancelled() and task.exception() is None]

    async def leave(self) -> None:
        """Cancel what is in flight and see it end."""
        self._open = False
        self._cancel()
        left = [*self._running, *(self.came.get_nowait() for _ in range(self.came.qsize()))]
        await asyncio.gather(*left, return_exceptions=True)

    def _cancel(self) -> None:
        for task in self._running:
            task.cancel()
