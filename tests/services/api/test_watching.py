"""Watching runs: what a hub tells its watchers, and how one that was cut off goes on."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api import watching
from services.api.watching import POLL_SECONDS, Hub, Standing, rounds_told
from services.call_tally import Took


def standing(answered: int, state: str = "running") -> Standing:
    return Standing(run="r", state=state, fault="", threads=(), rounds=0, wanted=9, answered=answered, paid=Took())  # type: ignore[arg-type]


class Reader:
    """Reads a run that goes on by one judgment at each look and ends after `looks`."""

    def __init__(self, looks: int) -> None:
        self.looks, self.read = looks, 0

    def __call__(self, run: str) -> Standing:
        self.read += 1
        return standing(self.read, "finished" if self.read >= self.looks else "running")


async def watch(hub: Hub) -> list[int]:
    return [seen.answered async for seen in hub.follow("r")]


def test_a_watcher_is_told_of_every_change_until_the_end() -> None:
    async def main() -> list[int]:
        return await watch(Hub(Reader(3)))

    assert asyncio.run(main()) == [1, 2, 3]


def test_many_watchers_cost_no_more_looks_than_one() -> None:
    async def main() -> tuple[list[list[int]], int]:
        reader = Reader(4)
        hub = Hub(reader)
        return list(await asyncio.gather(*(watch(hub) for _ in range(20)))), reader.read

    told, looks = asyncio.run(main())
    assert looks == 4
    assert all(seen[-1] == 4 and all(a < b for a, b in pairwise(seen)) for seen in told)


def test_nobody_is_told_twice_of_the_same() -> None:
    async def main() -> list[int]:
        seen = iter([1, 1, 1, 2])
        return await watch(Hub(lambda _: standing(n := next(seen), "finished" if n == 2 else "running")))

    assert asyncio.run(main()) == [1, 2]


def test_what_reading_raises_reaches_every_watcher() -> None:
    def fail(run: str) -> Standing:
        raise RuntimeError("the database is away")

    async def main() -> list[BaseException | list[int]]:
        hub = Hub(fail)
        return await asyncio.gather(*(watch(hub) for _ in range(3)), return_exceptions=True)

    assert [str(x) for x in asyncio.run(main())] == ["the database is away"] * 3


def test_looking_ends_with_the_last_watcher() -> None:
    async def main() -> tuple[int, int]:
        reader = Reader(1000)
        hub = Hub(reader)
        async for _ in hub.follow("r"):
            break
        await asyncio.sleep(0)
        looks = reader.read
        await asyncio.sleep(3 * POLL_SECONDS)
        return looks, reader.read

    before, after = asyncio.run(main())
    assert after <= before + 1


@pytest.mark.parametrize(("scheduler", "closes"), [(True, 0), (False, 1)])
def test_the_end_is_told_once_all_that_is_due_is_done(
    scheduler: bool, closes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "CLOSING_SECONDS", 1.0)
    asked: list[str] = []
    closed: list[str] = []

    def is_closed(run: str) -> bool:
        asked.append(run)
        return bool(closed) or (scheduler and len(asked) > 2)

    async def main() -> list[int]:
        return await watch(Hub(Reader(2), is_closed, closed.append))

    assert asyncio.run(main()) == [1, 2]
    assert (len(asked) > 2, closed) == (True, ["r"] * closes)


def test_a_look_that_takes_long_slows_all_looks_together_not_each_of_them() -> None:
    """Fifty runs, one of which takes a fifth of a second to look at: it, too, is looked at again soon."""

    async def main() -> int:
        reader = Reader(1000)

        def read(run: str) -> Standing:
            if run == "large":
                until = time.thread_time() + 0.2
                while time.thread_time() < until:
                    pass
            return reader(run)

        hub = Hub(read)
        watchers = [asyncio.create_task(anext(hub.follow(run))) for run in ["large", *map(str, range(50))]]
        await asyncio.gather(*watchers)
        counted = reader.read
        seen = hub.follow("large")
        await anext(seen)
        await asyncio.wait_for(anext(seen), 5)
        return reader.read - counted

    assert asyncio.run(main()) >= 1


def test_closing_ends_every_feed() -> None:
    async def main() -> list[int]:
        hub = Hub(Reader(1000))
        watching = asyncio.create_task(watch(hub))
        await asyncio.sleep(2 * POLL_SECONDS)
        await hub.close()
        return await asyncio.wait_for(watching, 2)

    assert asyncio.run(main())


@pytest.mark.parametrize(("last", "rounds"), [("", 0), ("3-120", 3), ("0-0", 0), ("x", 0), ("-4", 0), ("9999999-1", 0)])
def test_an_events_id_says_how_many_rounds_were_told(last: str, rounds: int) -> None:
    assert rounds_told(last) == rounds


@given(st.text(max_size=40))
def test_no_id_that_a_client_may_send_fails(last: str) -> None:
    assert 0 <= rounds_told(last) < 100_000
