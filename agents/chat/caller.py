"""Calls as they should be made: within the budget, in turn, again after a passing fault, and never without hope."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agents.chat.accounts import Account, CallRecord, Ended, charged
from agents.chat.breaker import Breaker
from agents.chat.endpoint import Call, ChatModel, Reply, Tokens
from agents.chat.gate import Gate
from agents.chat.tokens import estimate_tokens
from knowledge_base.errors import BadCall, EndpointClosed, TransientFault

MESSAGE_TOKENS = 4
"""What a message takes beside its text: its role and its borders."""

REPLY_TOKENS = 400
"""What a reply is expected to take: a few sentences of reasoning and a verdict."""

PERSISTENCE = 3
"""Times as many tries while nobody gets an answer: until it answers again or the breaker opens; both lose no work."""

BUSY = (429, 503)
"""Statuses whose Retry-After concerns everyone, not this call alone."""


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before another try: full jitter (Brooker, "Exponential backoff and jitter", AWS 2015).

    Attributes:
        first: at most so many before the second try, and twice as many before each further one.
        longest: never more, what the endpoint asks for aside.
        patience: an endpoint that asks for a longer wait than this is closed.
        dice: where the jitter comes from; give a seeded one for the same waits each time.
    """

    first: float = 1.0
    longest: float = 30.0
    patience: float = 300.0
    dice: random.Random = field(default_factory=random.Random, compare=False)

    def wait(self, failed: int, asked: float | None) -> float:
        """Seconds after `failed` tries (1 or more), at least those the endpoint `asked` for."""
        most = min(self.longest, math.ldexp(self.first, min(failed - 1, 60)))
        return (asked or 0.0) + self.dice.uniform(0.0, most)


class Caller:
    """A `ChatModel` that calls another one with patience.

    Every try is allowed by the account of whoever calls, waits for its turn at the gate, and is recorded however it
    ends. A request that was never sent, because its caller was cancelled or the breaker opened while it waited for its
    turn, is recorded as `cancelled` with no tokens and 0 seconds, so that what was set aside for it is free again.

    Args:
        model: what answers.
        gate: whose turn it is.
        tries: of one call, at most; three times as many while no call at all is answered.
        pause: how long to wait between them.
        breaker: shared by all callers of an endpoint; one of its own if not given.
        reply_tokens: what a reply is expected to take, for what is set aside.
        clock, sleep: seconds, and waiting for them.
    """

    def __init__(
        self,
        model: ChatModel,
        gate: Gate,
        *,
        tries: int = 5,
        pause: Backoff | None = None,
        breaker: Breaker | None = None,
        reply_tokens: int = REPLY_TOKENS,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.breaker = breaker or Breaker()
        self._model, self._gate, self._tries, self._pause = model, gate, tries, pause or Backoff()
        self._reply_tokens, self._clock, self._sleep = reply_tokens, clock, sleep

    def estimate(self, call: Call) -> int:
        """About how many tokens a call will take, prompt and reply."""
        prompt = sum(estimate_tokens(m.content) + MESSAGE_TOKENS for m in call.messages)
        return prompt + self._reply_tokens

    async def reply(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            TransientFault: of the last try.
            BadCall: this call never succeeds.
            EndpointClosed: the endpoint is closed, or the breaker found that it does not answer.
            BudgetSpent: the account does not reach for another try.
        """
        estimate, failed = self.estimate(call), 0
        while True:
            got = await self._try(call, estimate)
            if isinstance(got, Reply):
                return got
            failed += 1
            if failed >= self._tries * (PERSISTENCE if self.breaker.doubtful else 1):
                raise got
            await self._sleep(self._pause.wait(failed, got.retry_after))

    async def _try(self, call: Call, estimate: int) -> Reply | TransientFault:
        """One try; its transient fault is returned, so that what comes next does not run inside an `except`."""
        self.breaker.check()
        account = charged()
        await account.allow(self.name, call.stage, estimate)
        sending = _Sending(account, self.name, call, estimate, self._clock)
        try:
            async with self._gate.admit(estimate):
                with self.breaker.passing():
                    return await sending.send(self._model)
        except TransientFault as fault:
            self._heed(fault)
            return fault
        finally:
            sending.record()

    def _heed(self, fault: TransientFault) -> None:
        """Do what the endpoint asks for.

        Raises:
            EndpointClosed: it asks for more patience than there is.
        """
        asked = fault.retry_after
        if asked is None:
            return
        if asked > self._pause.patience:
            words = f"{fault}; it asks to wait {asked:.0f} s, which is too long: go on later"
            raise EndpointClosed(words, model=fault.model, status=fault.status, retry_after=asked) from None
        if fault.status in BUSY:
            self._gate.pause(asked)


class _Sending:
    """One request on its way, and what is to be recorded of it."""

    def __init__(self, account: Account, model: str, call: Call, allowed: int, clock: Callable[[], float]) -> None:
        self._account, self._model, self._call, self._allowed, self._clock = account, model, call, allowed, clock
        self._ended: Ended = "cancelled"
        self._tokens, self._seconds = Tokens(), 0.0

    async def send(self, model: ChatModel) -> Reply:
        """Send it, and note how it ends."""
        began = self._clock()
        try:
            reply = await model.reply(self._call)
            self._ended, self._tokens = "answered", reply.tokens
            return reply
        except Exception as error:
            self._ended = _end_of(error)
            raise
        finally:
            self._seconds = self._clock() - began

    def record(self) -> None:
        """Tell the account."""
        done = CallRecord(self._model, self._call.stage, self._tokens, self._seconds, self._ended)
        self._account.record(done, self._allowed)


def _end_of(error: Exception) -> Ended:
    if isinstance(error, EndpointClosed):
        return "closed"
    return "bad" if isinstance(error, BadCall) else "transient"
