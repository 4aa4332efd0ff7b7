"""A gate that all worker processes on all hosts share: requests under way, rates and pauses are those of the endpoint.

A call costs a counter here. A thread of its own keeps this process's share of the places (see `shared_places`): it asks
at once when more calls come than it has places for, often while places are contested, seldom otherwise, and gives all
of them back when no calls come. It needs no event loop: jobs run one after the other, each with its own.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
from collections import deque
from types import TracebackType

from redis.exceptions import RedisError

from knowledge_base.errors import RunError
from services.processes import Mark
from services.rate_windows import RETRY_SECONDS, RateWindows
from services.shared_places import Grant, SharedPlaces, client_of

LEASE_SECONDS = 3.0
"""How long a share stands after its process was last heard of."""

MARGIN = 0.25
"""Seconds before the end of its lease from which a process no longer trusts it."""

CALM, WATCHFUL, RESTLESS, SOONEST = 0.25, 0.05, 0.03, 0.005
"""Seconds between two askings: while everyone has what it wants; while someone has not; while a place is about to
change hands; and at least."""

CROWD = 8
"""Processes beyond which restless ones ask less often, in proportion, to spare the server."""

PATIENCE = 60.0
"""Seconds without a word from Redis after which calls that wait are given up."""


class _Waiter:
    """A call that waits for a place."""

    __slots__ = ("admitted", "answer", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[None] = self.loop.create_future()
        self.admitted = False

    def tell(self, error: Exception | None = None) -> bool:
        """Let the call go on, from any thread; False if its event loop is gone."""
        try:
            if asyncio._get_running_loop() is self.loop:
                self._tell(error)
            else:
                self.loop.call_soon_threadsafe(self._tell, error)
        except RuntimeError:
            return False
        return True

    def _tell(self, error: Exception | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)


class RedisGate:
    """A `Gate` over all processes that name the same server and endpoint. Open one in each process, after any fork.

    Args:
        url: of the Redis server.
        endpoint: any name.
        in_flight: requests under way at once.
        requests_per_minute, tokens_per_minute: 0 means any number. A request of more tokens than fit into a minute
            is admitted once it has the minute for itself.
    """

    def __init__(
        self, url: str, endpoint: str, in_flight: int, requests_per_minute: int = 0, tokens_per_minute: int = 0
    ) -> None:
        self._client = client_of(url)
        holder = f"{Mark.here()}/{secrets.token_hex(4)}"
        self._places = SharedPlaces(self._client, endpoint, holder, in_flight, LEASE_SECONDS)
        rated = requests_per_minute or tokens_per_minute
        self._rates = RateWindows(self._client, endpoint, requests_per_minute, tokens_per_minute) if rated else None
        self._changed = threading.Condition()
        self._waiting: deque[_Waiter] = deque()
        self._using = self._share = self._peak = 0
        self._told = self._target = 0
        self._contested = False
        # Moments of the monotonic clock: until when the share may be used and the endpoint be left alone, since when
        # Redis is silent, when it was asked last and is to be asked again, when the highest demand is forgotten.
        self._until = self._paused = self._asked = self._fades = 0.0
        self._silent = self._next = math.inf
        self._pause = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def admit(self, tokens: int) -> Admission:
        """Wait for a place, for the rates and for a pause to end; hold the place in the block.

        Raises:
            RunError: Redis has not answered for a minute.
        """
        return Admission(self, tokens)

    def pause(self, seconds: float) -> None:
        """Admit nothing, in any process, for so long; the longest pause asked for counts."""
        with self._changed:
            self._paused = max(self._paused, time.monotonic() + seconds)
            self._pause = max(self._pause, seconds)
            self._ask_now()

    def close(self) -> None:
        """Give the share back."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._client.close()

    def __enter__(self) -> RedisGate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def enter(self, tokens: int) -> None:
        """Take a place."""
        with self._changed:
            if not self._waiting and self._open:
                self._using += 1
                self._peak = max(self._peak, self._using)
                waiter = None
            else:
                waiter = _Waiter()
                self._waiting.append(waiter)
                self._note_demand()
        if waiter is not None:
            await self._wait(waiter)
        if self._rates is not None:
            await self._wait_for_rates(self._rates, tokens)

    def leave(self) -> None:
        """Give a place back, to the call that has waited longest."""
        with self._changed:
            self._using -= 1
            self._let_in()

    async def _wait(self, waiter: _Waiter) -> None:
        try:
            await waiter.answer
        except asyncio.CancelledError:
            with self._changed:
                if waiter.admitted:
                    self._using -= 1
                    self._let_in()
                elif waiter in self._waiting:
                    self._waiting.remove(waiter)
            raise

    async def _wait_for_rates(self, rates: RateWindows, tokens: int) -> None:
        try:
            await self._persist(rates, tokens)
            while (wait := self._paused - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        except BaseException:
            self.leave()
            raise

    async def _persist(self, rates: RateWindows, tokens: int) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return await rates.take(tokens)
            except RedisError as error:
                if time.monotonic() > until:
                    raise RunError(_complaint(error)) from error
                await asyncio.sleep(RETRY_SECONDS)

    @property
    def _open(self) -> bool:
        return self._using < self._share and self._paused <= time.monotonic() < self._until

    def _let_in(self) -> None:
        """Admit who waits, as far as there are places; the lock is held."""
        while self._waiting and self._open:
            waiter = self._waiting.popleft()
            waiter.admitted = True
            self._using += waiter.tell()

    def _note_demand(self) -> None:
        """One more call waits; ask at once where that may help."""
        self._peak = max(self._peak, self._using + len(self._waiting))
        if self._thread is None or self._next == math.inf or (self._peak > self._told and self._target >= self._told):
            self._ask_now()

    def _ask_now(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="gate", daemon=True)
            self._thread.start()
        self._next = self._asked + SOONEST
        self._changed.notify()

    def _serve(self) -> None:
        while self._await_time():
            self._renew()
        if not self._using:
            self._renew()

    def _await_time(self) -> bool:
        """Wait until Redis is to be asked; False once the gate is closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if now >= self._next:
                    return True
                if self._paused <= now:
                    self._let_in()
                wake = min(self._next, self._paused if self._paused > now else math.inf)
                self._changed.wait(None if wake == math.inf else wake - now)
            return False

    def _renew(self) -> None:
        using, wanted, pause = self._demand()
        try:
            grant = self._places.ask(using, wanted, pause)
        except RedisError as error:
            self._suffer(error)
        else:
            self._take(grant, wanted, pause)

    def _demand(self) -> tuple[int, int, float]:
        """Places used, places that could be used, and the pause to tell of."""
        with self._changed:
            now, using = time.monotonic(), self._using
            wanted = 0 if self._closed else using + len(self._waiting)
            # While nobody else wants more, what was in use a moment ago is kept: it may be again the next.
            kept = wanted if self._contested or self._closed else max(wanted, self._peak)
            if now >= self._fades:
                self._peak, self._fades = wanted, now + CALM
            # Until the answer is there the share may have shrunk to what is in use: nothing may be added to that.
            self._share = min(self._share, using)
            self._asked, self._next, self._told = now, now + CALM, kept
            return using, kept, self._pause

    def _take(self, grant: Grant, wanted: int, pause: float) -> None:
        with self._changed:
            self._silent = math.inf
            self._pause = 0.0 if self._pause <= pause else self._pause
            self._share, self._target, self._contested = grant.places, grant.target, grant.contested
            self._until = self._asked + LEASE_SECONDS - MARGIN
            if grant.pause:
                self._paused = max(self._paused, time.monotonic() + grant.pause)
            self._let_in()
            self._plan(grant, wanted)

    def _plan(self, grant: Grant, wanted: int) -> None:
        """When to ask again; never, while there is nothing to ask for."""
        if not wanted and not self._waiting and not self._pause:
            self._next = math.inf
            return
        crowd = max(1.0, grant.holders / CROWD)
        changing = grant.places < grant.target or self._using > grant.places
        short = grant.contested or (grant.places < wanted and grant.holders > 1)
        pause = RESTLESS if changing else WATCHFUL if short else CALM
        self._next = min(self._next, self._asked + min(CALM, pause * crowd))
        if self._pause or (self._using + len(self._waiting) > wanted and grant.target >= wanted):
            self._next = self._asked + SOONEST

    def _suffer(self, error: RedisError) -> None:
        """Redis did not answer: try again soon, and give up those who wait once that has gone on for long."""
        with self._changed:
            now = time.monotonic()
            self._silent = min(self._silent, now)
            self._next = now + RETRY_SECONDS
            if now - self._silent > PATIENCE:
                while self._waiting:
                    self._waiting.popleft().tell(RunError(_complaint(error)))


class Admission:
    """The block in which a place is held."""

    __slots__ = ("_gate", "_tokens")

    def __init__(self, gate: RedisGate, tokens: int) -> None:
        self._gate, self._tokens = gate, tokens

    async def __aenter__(self) -> None:
        await self._gate.enter(self._tokens)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.leave()


def _complaint(error: RedisError) -> str:
    return f"Redis has not answered for {PATIENCE:.0f} s ({error}); calls need it to keep to the endpoint's limits"
