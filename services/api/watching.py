"""Runs watched by many: each is read once for all who watch it in this process, and only while somebody does.

Nothing is kept for the watchers' sake. An event's id says how far its reader has come (rounds told, judgments
answered), so that one who was cut off is told the rounds missed, from the database, and where the run stands now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, ConfigDict

from agents.chronicle import RoundRecord
from services.call_tally import Took
from services.closing import ENDS
from services.database import Database
from services.orders.known_run import known_run
from services.orders.order import State
from services.progress import ThreadProgress, progress_of
from services.sql_ledger import SqlLedger

POLL_SECONDS = 0.25
RETRY_MILLISECONDS = 1000
RESTS = 3.0
"""Looking takes at most one part in so many, and one, of a processor, for all runs together: on big runs, or where
many are watched, each is looked at less often."""


CLOSING_SECONDS = 5.0
"""How long a scheduler is left to do what is due at a run's end."""


class Standing(BaseModel):
    """Where a run stands.

    Attributes:
        run: id; state: `running`, or how it ended; fault: why it failed, or who cancelled it.
        threads: the whole first, then the folds of a cross-fit.
        rounds: finished rounds of the whole.
        wanted, answered: judgments of all threads.
        paid: what calls to models took so far.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    state: State
    fault: str
    threads: tuple[ThreadProgress, ...]
    rounds: int
    wanted: int
    answered: int
    paid: Took


def standing_of(database: Database, run: str) -> Standing:
    """Where an ordered run stands now.

    Raises:
        NotThere: no such run was ordered.
    """
    order, progress = known_run(database, run), progress_of(database, run)
    return Standing(
        run=run, state=order.state, fault=order.fault or progress.faults, threads=progress.threads,
        rounds=progress.latest.number if progress.latest else 0, wanted=progress.wanted, answered=progress.answered,
        paid=progress.paid,
    )  # fmt: skip


@dataclass
class _Feed:
    """What the watchers of one run share; `spent` is the processor time that the last look at it took, in seconds."""

    seen: Standing | None
    changed: asyncio.Condition
    task: asyncio.Task[None] | None = None
    watchers: int = 0
    spent: float = 0.0
    fault: BaseException | None = None


class Hub:
    """The feeds of this process; made and used in its event loop.

    Whoever is told of a run's end may ask for its criteria set next, so the end is told once that is kept. A scheduler
    sees to it; only where none does soon, it is done here.

    Args:
        read: run id -> where it stands; called in a thread, as are the others.
        closed: run id -> whether all that is due at its end has been done.
        close: run id: do it.
    """

    def __init__(
        self,
        read: Callable[[str], Standing],
        closed: Callable[[str], bool] = lambda _: True,
        close: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._read, self._closed, self._close = read, closed, close
        self._feeds = dict[str, _Feed]()
        # One look at a time: side by side they would only keep each other, and requests, from the interpreter.
        self._looking = asyncio.Semaphore(1)
        self._closing = False

    async def follow(self, run: str) -> AsyncIterator[Standing]:
        """Where the run stands, now and whenever that changes, until it ends.

        Raises:
            Exception: whatever reading raises.
        """
        feed = self._feeds.setdefault(run, _Feed(None, asyncio.Condition()))
        feed.watchers += 1
        if feed.task is None:
            feed.task = asyncio.create_task(self._poll(run, feed))
        told: Standing | None = None
        try:
            while told is None or told.state == "running":
                await self._changed(feed, told)
                if feed.fault is not None:
                    raise feed.fault
                if self._closing or feed.seen is None:
                    return
                told = feed.seen
                yield told
        finally:
            self._leave(run, feed)

    async def close(self) -> None:
        """End all feeds: their readers connect again, to another process or a later one."""
        self._closing = True
        for feed in list(self._feeds.values()):
            async with feed.changed:
                feed.changed.notify_all()

    async def _changed(self, feed: _Feed, told: Standing | None) -> None:
        async with feed.changed:
            await feed.changed.wait_for(lambda: feed.fault is not None or self._closing or feed.seen != told)

    def _leave(self, run: str, feed: _Feed) -> None:
        feed.watchers -= 1
        if not feed.watchers:
            self._feeds.pop(run, None)
            if feed.task is not None:
                feed.task.cancel()

    async def _poll(self, run: str, feed: _Feed) -> None:
        while True:
            try:
                async with self._looking:
                    found, feed.spent = await asyncio.to_thread(self._look, run)
                if found.state in ENDS:
                    await self._see_closed(run)
            except Exception as error:
                feed.fault = error
            else:
                feed.seen = found
            async with feed.changed:
                feed.changed.notify_all()
            if feed.fault or found.state != "running":
                return
            await asyncio.sleep(max(POLL_SECONDS, RESTS * sum(each.spent for each in self._feeds.values())))

    async def _see_closed(self, run: str) -> None:
        until = time.monotonic() + CLOSING_SECONDS
        while not await asyncio.to_thread(self._closed, run):
            if time.monotonic() > until:
                await asyncio.to_thread(self._close, run)
                return
            await asyncio.sleep(POLL_SECONDS)

    def _look(self, run: str) -> tuple[Standing, float]:
        """Where a run stands, and the processor time that finding out took: a busy machine must not slow it further."""
        begun = time.thread_time()
        return self._read(run), time.thread_time() - begun


async def events_of(hub: Hub, database: Database, run: str, last: str) -> AsyncIterator[ServerSentEvent]:
    """A run as events: `round` for each finished round, `progress` for where it stands, `end` at its end.

    Args:
        last: id of the last event that the reader saw; empty for a new reader.
    """
    told = rounds_told(last)
    async for standing in hub.follow(run):
        if standing.rounds > told:
            for record in await asyncio.to_thread(_records, database, run, told):
                told = record.number
                yield _event("round", record, f"{told}-0")
        name = "progress" if standing.state == "running" else "end"
        yield _event(name, standing, f"{told}-{standing.answered}")


def rounds_told(last: str) -> int:
    """How many rounds the reader of an event with this id was told of; 0 for an id that was never given."""
    rounds, _, _ = last.partition("-")
    return int(rounds) if rounds.isascii() and rounds.isdigit() and len(rounds) < 6 else 0


def _records(database: Database, run: str, told: int) -> list[RoundRecord]:
    records = SqlLedger(database, run, f"{run}-main").records()
    return [record for record in records if record.number > told]


def _event(name: str, body: BaseModel, place: str) -> ServerSentEvent:
    return ServerSentEvent(raw_data=body.model_dump_json(), event=name, id=place, retry=RETRY_MILLISECONDS)
