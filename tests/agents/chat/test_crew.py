"""Jobs in flight: bounded, the first of a group ahead, nothing lost, nothing left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.crew import as_they_come
from knowledge_base.errors import BudgetSpent, EndpointClosed

Job = tuple[int, int]


class Bench:
    """Does jobs of `seconds` each, and keeps a record of when."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.log = seconds, []  # type: tuple[float, list[tuple[str, Job]]]
        self.now = self.most = self.cancelled = 0

    async def work(self, job: Job) -> Job:
        self.log.append(("start", job))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1
        self.log.append(("end", job))
        return job

    def started(self) -> list[Job]:
        return [job for what, job in self.log if what == "start"]


def groups(*sizes: int) -> list[list[Job]]:
    return [[(group, i) for i in range(size)] for group, size in enumerate(sizes)]


def collected(
    asked: list[list[Job]], work: Callable[[Job], Awaitable[Job]], in_flight: int = 8, head_start: float = 10.0
) -> list[Job]:
    async def collect() -> list[Job]:
        return [found async for found in as_they_come(asked, work, in_flight, head_start)]

    return asyncio.run(collect())


async def read_until_it_fails(
    asked: list[list[Job]], work: Callable[[Job], Awaitable[Job]], each: float = 0.0
) -> tuple[list[Job], Exception | None]:
    """What came, what was raised, and the certainty that no task is left; `each`: seconds the reader takes for one."""
    found: list[Job] = []
    try:
        async for job in as_they_come(asked, work, 8, 0.0):
            found.append(job)
            await asyncio.sleep(each)
    except Exception as error:
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found, error
    return found, None


@given(st.lists(st.integers(1, 6), max_size=12), st.integers(1, 7), st.sampled_from([0.0, 0.0001, 10.0]))
def test_every_job_is_done_once_and_no_more_at_once_than_allowed(
    sizes: list[int], in_flight: int, head_start: float
) -> None:
    bench, asked = Bench(), groups(*sizes)
    found = collected(asked, bench.work, in_flight, head_start)
    assert sorted(found) == [job for group in asked for job in group]
    assert bench.most <= in_flight


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(1, 9))
def test_the_first_job_of_a_group_ends_before_any_other_of_it_starts(sizes: list[int], in_flight: int) -> None:
    bench = Bench()
    collected(groups(*sizes), bench.work, in_flight)
    for what, (group, i) in bench.log:
        if what == "start" and i > 0:
            assert bench.log.index(("end", (group, 0))) < bench.log.index((what, (group, i)))


def test_who_waits_in_a_group_goes_before_a_new_group() -> None:
    bench = Bench(0.001)
    collected(groups(3, 3, 3, 3, 3, 3), bench.work, in_flight=2)
    assert {group for group, _ in bench.started()[:6]} == {0, 1}


def test_after_its_head_start_a_group_waits_no_longer() -> None:
    async def slow_first(job: Job) -> Job:
        await asyncio.sleep(0.3 if job[1] == 0 else 0.0)
        return job

    assert collected(groups(4), slow_first, head_start=0.01) == [(0, 1), (0, 2), (0, 3), (0, 0)]


@pytest.mark.parametrize("head_start", [0.0, 60.0])
def test_many_groups_keep_every_place_in_flight(head_start: float) -> None:
    assert asyncio.run(rounds_taken(groups(*[5] * 64), 16, head_start)) == 5 * 64 / 16


def test_few_groups_cost_one_round_at_most() -> None:
    assert asyncio.run(rounds_taken(groups(20, 20), 16, 60.0)) == 1 + (40 - 2 + 15) // 16


async def rounds_taken(asked: list[list[Job]], in_flight: int, head_start: float) -> int:
    """How many calls' time it takes, if all calls take the same time."""
    bell, rounds = asyncio.Event(), 0

    async def work(job: Job) -> Job:
        await bell.wait()
        return job

    async def read() -> None:
        assert len([job async for job in as_they_come(asked, work, in_flight, head_start)]) == sum(map(len, asked))

    reading = asyncio.ensure_future(read())
    while not reading.done():
        for _ in range(200):  # enough for everything that can go on before the next round
            await asyncio.sleep(0)
        rounds += not reading.done()
        bell.set()
        await asyncio.sleep(0)
        bell.clear()
    await reading
    return rounds


def test_a_group_whose_first_job_is_slow_holds_up_no_other_group() -> None:
    async def slow_group(job: Job) -> Job:
        await asyncio.sleep(0.2 if job == (0, 0) else 0.001)
        return job

    found = collected(groups(3, 3, 3), slow_group, in_flight=2)
    assert [group for group, _ in found[:6]].count(0) == 0


def test_groups_are_read_as_there_is_room() -> None:
    read = 0

    async def three() -> int:
        def source() -> Iterator[list[Job]]:
            nonlocal read
            for group in groups(*[1] * 1000):
                read += 1
                yield group

        async with aclosing(as_they_come(source(), Bench().work, 4, 0.0)) as found:
            for _ in range(3):
                await anext(found)
        return read

    assert asyncio.run(three()) < 20


def test_a_reader_who_stops_reading_stops_new_jobs_from_starting() -> None:
    async def read_one_and_wait() -> int:
        bench = Bench(0.001)
        async with aclosing(as_they_come(groups(*[1] * 500), bench.work, 4, 0.0)) as found:
            await anext(found)
            await asyncio.sleep(0.1)
            return len(bench.started())

    assert asyncio.run(read_one_and_wait()) <= 10


@pytest.mark.parametrize(
    ("error", "finished"),
    [(ValueError("a slip"), False), (EndpointClosed("quota"), True), (BudgetSpent("spent"), True)],
)
def test_a_failure_ends_it_after_what_has_come(error: Exception, finished: bool) -> None:
    bench = Bench(0.02)

    async def work(job: Job) -> Job:
        if job == (5, 0):
            await asyncio.sleep(0.01)
            raise error
        return await bench.work(job)

    found, raised = asyncio.run(read_until_it_fails(groups(*[1] * 100), work))
    assert raised is error
    assert len(bench.started()) == 7
    assert (len(found), bench.cancelled) == ((7, 0) if finished else (0, 7))


def test_what_came_before_a_failure_but_was_not_read_yet_is_yielded() -> None:
    async def work(job: Job) -> Job:
        await asyncio.sleep(0.001 * (job[0] + 1))
        if job == (4, 0):
            raise EndpointClosed("401")
        return job

    found, raised = asyncio.run(read_until_it_fails(groups(*[1] * 5), work, each=0.05))
    assert found == [(0, 0), (1, 0), (2, 0), (3, 0)]
    assert isinstance(raised, EndpointClosed)


def test_several_failures_at_once_raise_the_first_and_leave_none_unseen() -> None:
    async def work(job: Job) -> Job:
        raise EndpointClosed(f"job {job[0]}")

    with pytest.raises(EndpointClosed, match="job 0"):
        collected(groups(*[1] * 10), work)


def test_a_head_start_that_ends_after_the_generator_was_closed_starts_nothing() -> None:
    async def closed_early() -> list[Job]:
        bench = Bench(1.0)
        async with aclosing(as_they_come(groups(5), bench.work, 8, 0.02)) as found:
            reading = asyncio.ensure_future(anext(found))
            await asyncio.sleep(0.005)
            reading.cancel()
            await asyncio.wait([reading])
        await asyncio.sleep(0.05)
        return bench.started()

    assert asyncio.run(closed_early()) == [(0, 0)]


def test_a_job_costs_little_beside_what_it_does() -> None:
    async def nothing(job: Job) -> Job:
        return job

    start = time.process_time()
    assert len(collected(groups(*[10] * 1000), nothing, in_flight=64)) == 10_000
    assert (time.process_time() - start) / 10_000 < 0.0003
