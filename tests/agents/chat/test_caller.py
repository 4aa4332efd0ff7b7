"""Patience, accounts and the breaker around a model: waits are recorded instead of waited for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from agents.chat.accounts import CallRecord, OpenAccount, charging
from agents.chat.breaker import Breaker
from agents.chat.caller import PERSISTENCE, Backoff, Caller
from agents.chat.endpoint import Call, Message, Reply, Stage, Tokens
from agents.chat.gate import LocalGate
from knowledge_base.errors import BadCall, BudgetSpent, EndpointClosed, ProviderError, TransientFault

REPLY = Reply("yes", "stop", Tokens(100, 64, 5), 0.5)
CALL = Call((Message("system", "Judge."), Message("user", "A text of some words.")), "judge")


class Scripted:
    """Answers or fails in turn; the last outcome lasts."""

    name, fingerprint = "openai:m", "openai:m {}"

    def __init__(self, *outcomes: Reply | Exception | Callable[[], Awaitable[Reply]]) -> None:
        self._outcomes = list(outcomes)
        self.sent = 0

    async def reply(self, call: Call) -> Reply:
        self.sent += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Reply) else await outcome()


class Waits:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Gate:
    """Admits everyone and remembers what was said to it."""

    def __init__(self) -> None:
        self.admitted, self.inside, self.pauses = list[int](), 0, list[float]()

    @asynccontextmanager
    async def admit(self, tokens: int) -> AsyncIterator[None]:
        self.admitted.append(tokens)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class Purse(OpenAccount):
    """Allows so many calls."""

    def __init__(self, calls: int = 10**9) -> None:
        super().__init__()
        self.left, self.set_aside = calls, list[int]()

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        if self.left <= 0:
            raise BudgetSpent("no calls left")
        self.left -= 1
        self.set_aside.append(tokens)

    def record(self, call: CallRecord, allowed: int) -> None:
        super().record(call, allowed)
        self.set_aside.remove(allowed)


def fault(status: int | None = 503, retry_after: float | None = None) -> TransientFault:
    return TransientFault(f"{status}, it failed", model="openai:m", status=status, retry_after=retry_after)


def calling(
    model: Scripted, *, account: OpenAccount | None = None, gate: Gate | None = None, tries: int = 5,
    breaker: Breaker | None = None, waits: Waits | None = None, pause: Backoff | None = None,
) -> Reply:  # fmt: skip
    waits = waits or Waits()
    caller = Caller(
        model, gate or Gate(), tries=tries, breaker=breaker or Breaker(clock=waits.clock),
        pause=pause or Backoff(dice=random.Random(1)), clock=waits.clock, sleep=waits.sleep,
    )  # fmt: skip
    with charging(account or OpenAccount()):
        return asyncio.run(caller.reply(CALL))


def ended(account: OpenAccount) -> list[str]:
    return [record.ended for record in account.records]


def test_an_answer_comes_back_as_it_is_and_is_recorded() -> None:
    account = Purse()
    assert calling(Scripted(REPLY), account=account) is REPLY
    assert [(r.model, r.stage, r.tokens, r.ended) for r in account.records] == [
        ("openai:m", "judge", REPLY.tokens, "answered")
    ]
    assert account.set_aside == []


def test_it_stands_for_its_model() -> None:
    caller = Caller(Scripted(REPLY), Gate())
    assert (caller.name, caller.fingerprint) == (Scripted.name, Scripted.fingerprint)


def test_what_is_set_aside_covers_prompt_and_reply_and_is_what_the_gate_hears() -> None:
    gate, short, long = Gate(), CALL, Call((Message("user", "word " * 5000),), "judge")
    caller = Caller(Scripted(REPLY), gate, reply_tokens=300)
    assert 300 < caller.estimate(short) < 340
    assert 5300 < caller.estimate(long) < 8000
    asyncio.run(caller.reply(long))
    assert gate.admitted == [caller.estimate(long)]


def test_a_passing_fault_is_tried_again_each_try_allowed_and_recorded() -> None:
    model, account, waits = Scripted(fault(), fault(), REPLY), Purse(), Waits()
    assert calling(model, account=account, waits=waits) is REPLY
    assert ended(account) == ["transient", "transient", "answered"]
    assert [r.tokens for r in account.records] == [Tokens(), Tokens(), REPLY.tokens]
    assert len(waits.slept) == 2
    assert account.set_aside == []


def test_after_its_tries_the_fault_is_raised() -> None:
    model = Scripted(fault(500))
    with pytest.raises(TransientFault, match="500, it failed"):
        calling(model, tries=3)
    assert model.sent == 3


@pytest.mark.parametrize(("error", "end"), [(BadCall("too long"), "bad"), (EndpointClosed("401"), "closed")])
def test_a_hopeless_call_is_not_tried_again(error: ProviderError, end: str) -> None:
    model, account = Scripted(error), Purse()
    with pytest.raises(type(error)):
        calling(model, account=account)
    assert (model.sent, ended(account), account.set_aside) == (1, [end], [])


def test_waits_grow_with_full_jitter_and_are_bounded() -> None:
    backoff = Backoff(first=1.0, longest=10.0, dice=random.Random(5))
    for failed, most in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (2000, 10.0)]:
        drawn = [backoff.wait(failed, None) for _ in range(400)]
        assert 0 <= min(drawn) < 0.1 * most
        assert 0.9 * most < max(drawn) <= most


def test_seeded_dice_give_the_same_waits() -> None:
    draws = [[Backoff(dice=random.Random(7)).wait(n, None) for n in range(1, 6)] for _ in range(2)]
    assert draws[0] == draws[1]


def test_a_wait_is_at_least_as_long_as_the_endpoint_asks_for() -> None:
    waits = Waits()
    calling(Scripted(fault(500, retry_after=12.0), REPLY), waits=waits)
    assert 12.0 <= waits.slept[0] <= 13.0


@pytest.mark.parametrize(("status", "pauses"), [(429, [7.0]), (503, [7.0]), (500, [])])
def test_only_an_endpoint_that_is_busy_pauses_everyone(status: int, pauses: list[float]) -> None:
    gate = Gate()
    calling(Scripted(fault(status, retry_after=7.0), REPLY), gate=gate)
    assert gate.pauses == pauses


def test_an_endpoint_that_asks_for_hours_is_closed_for_everyone() -> None:
    waits = Waits()
    with pytest.raises(EndpointClosed, match="asks to wait 7200 s"):
        calling(Scripted(fault(429, retry_after=7200.0)), waits=waits)
    assert waits.slept == []


def test_no_place_is_held_while_waiting() -> None:
    gate, held = Gate(), list[int]()

    async def sleep(seconds: float) -> None:
        held.append(gate.inside)

    asyncio.run(Caller(Scripted(fault(), REPLY), gate, sleep=sleep).reply(CALL))
    assert held == [0]
    assert gate.inside == 0


def test_a_spent_budget_stops_between_tries() -> None:
    model, account = Scripted(fault()), Purse(calls=2)
    with pytest.raises(BudgetSpent):
        calling(model, account=account)
    assert (model.sent, len(account.records)) == (2, 2)


def test_the_account_of_whoever_calls_is_charged() -> None:
    caller = Caller(Scripted(REPLY), Gate())
    accounts = [OpenAccount(), OpenAccount()]

    async def both() -> None:
        async def one(account: OpenAccount, times: int) -> None:
            with charging(account):
                for _ in range(times):
                    await caller.reply(CALL)

        await asyncio.gather(one(accounts[0], 2), one(accounts[1], 3))

    asyncio.run(both())
    assert [len(a.records) for a in accounts] == [2, 3]


def test_seconds_run_from_sending_and_not_from_asking_for_a_turn() -> None:
    waits, account = Waits(), OpenAccount()

    class SlowGate(Gate):
        @asynccontextmanager
        async def admit(self, tokens: int) -> AsyncIterator[None]:
            await waits.sleep(100.0)
            yield

    async def answer() -> Reply:
        await waits.sleep(2.0)
        return REPLY

    calling(Scripted(answer), gate=SlowGate(), waits=waits, account=account)
    assert account.records[0].seconds == 2.0


def cancelled(caller: Caller, account: OpenAccount, after: Callable[[], bool]) -> None:
    async def run() -> None:
        with charging(account):
            task = asyncio.ensure_future(caller.reply(CALL))
        while not after():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_a_call_cancelled_on_its_way_is_recorded_and_what_was_set_aside_is_free() -> None:
    async def never() -> Reply:
        await asyncio.sleep(60)
        return REPLY

    model, account = Scripted(never), Purse()
    cancelled(Caller(model, Gate()), account, lambda: model.sent == 1)
    assert ended(account) == ["cancelled"]
    assert account.records[0].seconds > 0
    assert account.set_aside == []


def test_a_call_cancelled_in_the_queue_is_never_sent_and_what_was_set_aside_is_free() -> None:
    class Full(Gate):
        waiting = False

        @asynccontextmanager
        async def admit(self, tokens: int) -> AsyncIterator[None]:
            Full.waiting = True
            await asyncio.sleep(60)
            yield

    model, account = Scripted(REPLY), Purse()
    cancelled(Caller(model, Full()), account, lambda: Full.waiting)
    assert [(r.ended, r.seconds, r.tokens) for r in account.records] == [("cancelled", 0.0, Tokens())]
    assert (model.sent, account.set_aside) == (0, [])


def test_an_unknown_error_is_recorded_and_goes_up_as_it_is() -> None:
    account = Purse()
    with pytest.raises(ZeroDivisionError):
        calling(Scripted(ZeroDivisionError()), account=account)
    assert (ended(account), account.set_aside) == (["transient"], [])


def test_once_closed_no_further_call_is_sent_or_charged() -> None:
    model, account, breaker = Scripted(EndpointClosed("401, the key was refused")), Purse(), Breaker()
    for _ in range(4):
        with pytest.raises(EndpointClosed, match="401, the key was refused"):
            calling(model, account=account, breaker=breaker)
    assert (model.sent, len(account.records)) == (1, 1)


def test_calls_that_wait_for_their_turn_when_it_closes_are_not_sent() -> None:
    async def run() -> None:
        with charging(account):
            results = await asyncio.gather(*(caller.reply(CALL) for _ in range(20)), return_exceptions=True)
        assert {type(r) for r in results} == {EndpointClosed}

    async def closed() -> Reply:
        await asyncio.sleep(0.01)
        raise EndpointClosed("404, model not found")

    model, account = Scripted(closed), Purse()
    caller = Caller(model, LocalGate(1))
    asyncio.run(run())
    assert model.sent == 1
    assert sorted(ended(account)) == ["cancelled"] * 19 + ["closed"]
    assert account.set_aside == []


def outage(ends_after: float, waits: Waits, calls: int = 32) -> tuple[Sequence[object], int]:
    """Many calls at once to an endpoint that is away for so long; what each came to, and how many were sent."""

    class Away(Scripted):
        async def reply(self, call: Call) -> Reply:
            self.sent += 1
            if waits.now < ends_after:
                raise fault()
            return REPLY

    async def sleep(seconds: float) -> None:
        until = waits.now + seconds
        while waits.now < until:
            waits.now += 0.01
            await asyncio.sleep(0)

    async def run() -> Sequence[object]:
        return await asyncio.gather(*(caller.reply(CALL) for _ in range(calls)), return_exceptions=True)

    model = Away(REPLY)
    breaker = Breaker(faults=10, seconds=20.0, clock=waits.clock)
    pause = Backoff(dice=random.Random(3))
    caller = Caller(model, Gate(), tries=3, breaker=breaker, pause=pause, clock=waits.clock, sleep=sleep)
    return asyncio.run(run()), model.sent


def test_a_short_outage_fails_no_call_although_it_outlasts_their_tries() -> None:
    results, _ = outage(ends_after=6.0, waits=Waits())
    assert results == [REPLY] * 32


def test_a_long_outage_closes_the_endpoint_and_burns_no_tries() -> None:
    results, sent = outage(ends_after=10_000.0, waits=Waits())
    assert {type(r) for r in results} == {EndpointClosed}
    assert "no answer from openai:m" in str(results[0])
    assert sent <= 32 * 3 * PERSISTENCE


def test_it_comes_back_by_a_probe_after_an_outage() -> None:
    waits = Waits()
    breaker = Breaker(faults=1, seconds=0.0, cool_down=30.0, clock=waits.clock)
    with pytest.raises(EndpointClosed):
        calling(Scripted(fault()), breaker=breaker, waits=waits)
    waits.now += 31.0
    assert calling(Scripted(REPLY), breaker=breaker, waits=waits) is REPLY
    assert not breaker.reason
