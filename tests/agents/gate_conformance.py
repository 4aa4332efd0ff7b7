"""The suite that every gate must pass. A test subclasses `GateConformance` and offers a `world` fixture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

from agents.chat.gate import Gate

PATIENCE = 10.0
"""Seconds after which a call that was not admitted never will be."""

BRIEF = 0.02


class GateWorld(Protocol):
    """Where gates come from."""

    def gate(self, in_flight: int) -> Gate:
        """A gate to an endpoint of its own that nobody else calls."""
        ...


class Endpoint:
    """Counts the calls that are under way."""

    def __init__(self, seconds: float = BRIEF) -> None:
        self._seconds = seconds
        self.now = self.most = self.calls = 0
        self.begun: list[float] = []
        self.order: list[int] = []

    async def call(self, gate: Gate, number: int = 0) -> None:
        """Call through a gate."""
        async with gate.admit(100):
            self.now += 1
            self.most = max(self.most, self.now)
            self.begun.append(time.monotonic())
            self.order.append(number)
            try:
                await asyncio.sleep(self._seconds)
            finally:
                self.now -= 1
                self.calls += 1


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run it in an event loop of its own, with an end."""

    async def with_end() -> None:
        async with asyncio.timeout(PATIENCE):
            await work()

    asyncio.run(with_end())


async def call_often(endpoint: Endpoint, gate: Gate, times: int) -> None:
    """So many calls at once."""
    await asyncio.gather(*(endpoint.call(gate, number) for number in range(times)))


class GateConformance:
    """What a gate promises."""

    @pytest.mark.parametrize("in_flight", [1, 2, 7])
    def test_no_more_than_allowed_are_under_way_and_no_fewer_than_could_be(
        self, world: GateWorld, in_flight: int
    ) -> None:
        endpoint, gate = Endpoint(), world.gate(in_flight)
        run(lambda: call_often(endpoint, gate, 5 * in_flight))
        assert endpoint.calls == 5 * in_flight
        assert endpoint.most == in_flight

    def test_fewer_calls_than_places_run_at_once(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(), world.gate(64)
        run(lambda: call_often(endpoint, gate, 9))
        assert endpoint.most == 9

    def test_calls_are_admitted_in_the_order_in_which_they_came(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(0.001), world.gate(2)
        run(lambda: call_often(endpoint, gate, 20))
        assert endpoint.order == sorted(endpoint.order)

    def test_a_call_that_fails_gives_its_place_back(self, world: GateWorld) -> None:
        gate = world.gate(1)

        async def fail_then_call() -> None:
            for _ in range(3):
                with pytest.raises(ZeroDivisionError):
                    await _fail(gate)
            await Endpoint().call(gate)

        run(fail_then_call)

    def test_a_call_that_is_cancelled_while_it_waits_takes_no_place(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(0.1), world.gate(1)

        async def cancel_some() -> None:
            first = asyncio.create_task(endpoint.call(gate))
            await until(lambda: endpoint.now == 1)
            waiting = [asyncio.create_task(endpoint.call(gate)) for _ in range(5)]
            await asyncio.sleep(BRIEF)
            for task in waiting[:4]:
                task.cancel()
            await asyncio.gather(first, *waiting, return_exceptions=True)
            await endpoint.call(gate)

        run(cancel_some)
        assert (endpoint.calls, endpoint.most) == (3, 1)

    def test_a_call_that_is_cancelled_under_way_gives_its_place_back(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(60), world.gate(1)

        async def cancel_it() -> None:
            task = asyncio.create_task(endpoint.call(gate))
            await until(lambda: endpoint.now == 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await Endpoint().call(gate)

        run(cancel_it)

    def test_places_given_back_just_as_their_call_is_cancelled_are_not_lost(self, world: GateWorld) -> None:
        gate = world.gate(1)

        async def race() -> None:
            for _ in range(20):
                first = asyncio.create_task(Endpoint(0).call(gate))
                second = asyncio.create_task(Endpoint(0).call(gate))
                await first
                second.cancel()
                await asyncio.gather(second, return_exceptions=True)
            await Endpoint().call(gate)

        run(race)

    def test_nothing_is_admitted_during_a_pause(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(), world.gate(4)
        gate.pause(0.3)
        before = time.monotonic()
        run(lambda: call_often(endpoint, gate, 4))
        assert min(endpoint.begun) - before >= 0.3

    def test_a_pause_holds_up_calls_that_already_wait(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(0.05), world.gate(1)
        asked: list[float] = []

        async def pause_under_way() -> None:
            calls = asyncio.create_task(call_often(endpoint, gate, 3))
            await until(lambda: endpoint.now == 1)
            gate.pause(0.3)
            asked.append(time.monotonic())
            await calls

        run(pause_under_way)
        assert [begun - asked[0] >= 0.3 for begun in endpoint.begun] == [False, True, True]

    def test_the_longest_pause_asked_for_counts(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(), world.gate(1)
        before = time.monotonic()
        gate.pause(0.3)
        gate.pause(0.01)
        run(lambda: endpoint.call(gate))
        assert endpoint.begun[0] - before >= 0.3

    def test_it_serves_one_event_loop_after_another(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(0.001), world.gate(2)
        for _ in range(20):
            run(lambda: call_often(endpoint, gate, 6))
        assert (endpoint.calls, endpoint.most) == (120, 2)

    def test_a_loop_that_was_left_in_the_middle_of_calls_blocks_no_later_one(self, world: GateWorld) -> None:
        endpoint, gate = Endpoint(60), world.gate(2)

        async def leave() -> None:
            _ = [asyncio.create_task(endpoint.call(gate)) for _ in range(6)]
            await until(lambda: endpoint.now == 2)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run(leave)
        run(lambda: call_often(Endpoint(), gate, 4))


async def _fail(gate: Gate) -> None:
    async with gate.admit(1):
        raise ZeroDivisionError


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it."""
    while not happened():
        await asyncio.sleep(0.002)
