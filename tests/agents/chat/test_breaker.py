"""When the breaker opens, what passes while it is open, and what closes it: on a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.breaker import Breaker
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(faults=3, seconds=10.0, cool_down=30.0, clock=clock)


def fail(breaker: Breaker, error: BaseException) -> None:
    with breaker.passing():
        raise error


def fault() -> TransientFault:
    return TransientFault("503, the endpoint failed", model="openai:m", status=503)


def succeed(breaker: Breaker) -> None:
    with breaker.passing():
        pass


def open_by_faults(breaker: Breaker, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(TransientFault):
            fail(breaker, fault())
        clock.now += 5.0
    with pytest.raises(EndpointClosed):
        fail(breaker, fault())


def test_a_closed_endpoint_opens_it_at_once_and_later_calls_hear_the_same(breaker: Breaker) -> None:
    closed = EndpointClosed("401, the key was refused", model="openai:m", status=401, request="r1")
    with pytest.raises(EndpointClosed):
        fail(breaker, closed)
    with pytest.raises(EndpointClosed, match="401, the key was refused") as heard:
        breaker.check()
    assert (heard.value.status, heard.value.model, heard.value.request) == (401, "openai:m", "r1")
    assert heard.value is not closed
    assert breaker.reason == "401, the key was refused"


def test_nothing_in_the_block_runs_while_it_is_open(breaker: Breaker) -> None:
    with pytest.raises(EndpointClosed):
        fail(breaker, EndpointClosed("no"))
    ran = False
    with pytest.raises(EndpointClosed), breaker.passing():
        ran = True
    assert not ran


def test_faults_in_a_row_over_enough_seconds_open_it_and_say_for_how_long(breaker: Breaker, clock: Clock) -> None:
    open_by_faults(breaker, clock)
    assert breaker.reason == "no answer from openai:m for 10 s (3 calls), last: 503, the endpoint failed"


def test_many_faults_within_few_seconds_do_not_open_it_but_make_it_doubtful(breaker: Breaker) -> None:
    for _ in range(50):
        with pytest.raises(TransientFault):
            fail(breaker, fault())
    assert not breaker.reason
    assert breaker.doubtful


def test_few_faults_over_many_seconds_do_not_open_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(TransientFault):
            fail(breaker, fault())
        clock.now += 1000
    assert not breaker.reason
    assert not breaker.doubtful


@pytest.mark.parametrize("answered", [None, BadCall("400, too long")], ids=["an answer", "a refusal of one call"])
def test_an_answer_between_faults_starts_the_count_again(
    breaker: Breaker, clock: Clock, answered: BadCall | None
) -> None:
    for _ in range(5):
        for _ in range(2):
            with pytest.raises(TransientFault):
                fail(breaker, fault())
            clock.now += 20
        if answered is None:
            succeed(breaker)
        else:
            with pytest.raises(BadCall):
                fail(breaker, answered)
    assert not breaker.reason


def test_after_the_cool_down_one_probe_passes_and_the_others_wait(breaker: Breaker, clock: Clock) -> None:
    open_by_faults(breaker, clock)
    clock.now += 30
    with breaker.passing():
        with pytest.raises(EndpointClosed):
            breaker.check()
        with pytest.raises(EndpointClosed), breaker.passing():
            pass
    breaker.check()
    assert not breaker.reason


def test_a_probe_that_fails_keeps_it_open_for_another_cool_down(breaker: Breaker, clock: Clock) -> None:
    open_by_faults(breaker, clock)
    clock.now += 30
    with pytest.raises(EndpointClosed, match="for 40 s"):
        fail(breaker, fault())
    clock.now += 29
    with pytest.raises(EndpointClosed):
        breaker.check()
    clock.now += 1
    succeed(breaker)
    breaker.check()


def test_a_probe_that_is_cancelled_leaves_the_next_one_to_another_call(breaker: Breaker, clock: Clock) -> None:
    open_by_faults(breaker, clock)
    clock.now += 30
    with pytest.raises(asyncio.CancelledError):
        fail(breaker, asyncio.CancelledError())
    succeed(breaker)
    assert not breaker.reason


def test_what_was_sent_before_it_opened_neither_closes_nor_extends_it(breaker: Breaker, clock: Clock) -> None:
    with breaker.passing():
        with pytest.raises(EndpointClosed):
            fail(breaker, EndpointClosed("401"))
        clock.now += 5
    assert breaker.reason == "401"
    with pytest.raises(EndpointClosed):
        breaker.check()


@pytest.mark.parametrize("late", [fault(), EndpointClosed("404")], ids=["a fault", "another reason"])
def test_what_fails_late_neither_hides_the_reason_nor_puts_off_the_probe(
    breaker: Breaker, clock: Clock, late: ProviderError
) -> None:
    def fail_late() -> None:
        with breaker.passing():
            with pytest.raises(EndpointClosed):
                fail(breaker, EndpointClosed("401"))
            clock.now += 29
            raise late

    with pytest.raises(type(late)):
        fail_late()
    assert breaker.reason == "401"
    clock.now += 1
    succeed(breaker)
    assert not breaker.reason


def test_a_reset_closes_it(breaker: Breaker) -> None:
    with pytest.raises(EndpointClosed):
        fail(breaker, EndpointClosed("401"))
    breaker.reset()
    succeed(breaker)


def test_an_error_of_our_own_says_nothing_about_the_endpoint(breaker: Breaker, clock: Clock) -> None:
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            fail(breaker, ZeroDivisionError())
        clock.now += 10
    assert not breaker.reason


EVENTS: dict[str, Callable[[], BaseException | None]] = {
    "answer": lambda: None,
    "fault": fault,
    "bad": lambda: BadCall("no"),
    "closed": lambda: EndpointClosed("401"),
    "cancelled": asyncio.CancelledError,
}


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 40)), max_size=40))
def test_whatever_happens_it_is_never_stuck_open(events: list[tuple[str, float]]) -> None:
    clock = Clock()
    breaker = Breaker(faults=2, seconds=5.0, cool_down=30.0, clock=clock)
    for event, seconds in events:
        clock.now += seconds
        error = EVENTS[event]()
        with suppress(TransientFault, BadCall, EndpointClosed, asyncio.CancelledError), breaker.passing():
            if error is not None:
                raise error
    clock.now += 30
    succeed(breaker)
    assert not breaker.reason
