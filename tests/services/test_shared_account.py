"""Several at one budget: waiting for each other, idle, asleep, dead, and in processes of their own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from typing import Any

import pytest
from spending_bench import FREE, MODEL, PRICES, call, count, spend_all
from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from knowledge_base.errors import BudgetSpent, RunError
from services import sql_account
from services.budget import NOTHING, Amount, Budget
from services.call_tally import spent, tally
from services.database import Database
from services.prices import Prices
from services.processes import Mark
from services.reservations import Claim, open_account, settle
from services.sql_account import SqlAccount
from services.tables import ReservationRow


def test_two_that_wait_for_what_the_other_has_left_do_not_wait_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has set something aside that it no longer needs, and neither has enough for its next call."""
    monkeypatch.setattr(sql_account, "IDLE_SECONDS", 2.0)
    budget = Budget(tokens=1000)

    async def go_on(account: SqlAccount) -> None:
        await account.allow(MODEL, "judge", 600)
        account.record(call(1, 1), 600)

    async def both(one: SqlAccount, other: SqlAccount) -> None:
        for account in (one, other):
            await account.allow(MODEL, "judge", 450)
            account.record(call(1, 1), 450)
        tasks = [asyncio.create_task(go_on(account)) for account in (one, other)]
        done, _ = await asyncio.wait(tasks, timeout=1.5, return_when=asyncio.FIRST_COMPLETED)
        assert done, "what one gives back serves the other before it would have been given back for idleness"
        await asyncio.wait_for(asyncio.gather(*tasks), 10)

    with SqlAccount(database, "run", FREE, budget) as one, SqlAccount(database, "run", FREE, budget) as other:
        asyncio.run(both(one, other))
    assert spent(database, "run").calls == 4


def test_a_call_waits_for_what_others_may_not_need_before_it_is_refused(database: Database) -> None:
    budget = Budget(tokens=1000)

    async def wait(one: SqlAccount, other: SqlAccount) -> None:
        await one.allow(MODEL, "judge", 900)
        later = asyncio.create_task(other.allow(MODEL, "judge", 900))
        done, _ = await asyncio.wait([later], timeout=0.3)
        assert not done
        one.record(call(40, 10), 900)
        await asyncio.wait_for(later, 5)
        other.record(call(40, 10), 900)

    with SqlAccount(database, "run", FREE, budget) as one, SqlAccount(database, "run", FREE, budget) as other:
        asyncio.run(wait(one, other))


def test_a_cancelled_wait_takes_nothing(database: Database) -> None:
    async def cancel(account: SqlAccount) -> None:
        await account.allow(MODEL, "judge", 1000)
        waiting = [asyncio.create_task(account.allow(MODEL, "judge", 100)) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(r) for r in results} == {asyncio.CancelledError}
        account.record(call(), 1000)

    with SqlAccount(database, "run", FREE, Budget(tokens=1000)) as account:
        asyncio.run(cancel(account))
        assert spend_all(account, 3, estimate=80) == 11


def test_a_wait_that_is_cancelled_just_as_it_is_granted_takes_nothing(database: Database) -> None:
    async def race(account: SqlAccount) -> None:
        task = asyncio.create_task(account.allow(MODEL, "judge", 10))
        await asyncio.sleep(0)
        _await(lambda: account._purse.flying != NOTHING)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    with SqlAccount(database, "run", FREE, Budget(tokens=10_000)) as account:
        asyncio.run(race(account))
        assert account._purse.flying == NOTHING


def test_what_an_idle_process_has_to_spare_is_given_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_account, "IDLE_SECONDS", 0.1)
    budget = Budget(calls=1000)
    with SqlAccount(database, "run", FREE, budget) as account:
        asyncio.run(account.allow(MODEL, "judge", 10))
        assert _reserved(database) > 1
        until = time.monotonic() + 5
        while _reserved(database) > 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert _reserved(database) == 1, "the call under way is still set aside"


def test_a_call_under_way_longer_than_the_lease_stays_set_aside(database: Database) -> None:
    async def call_long(account: SqlAccount) -> None:
        await account.allow(MODEL, "judge", 10)
        await asyncio.sleep(0.8)
        account.record(call(), 10)

    with SqlAccount(database, "run", FREE, Budget(calls=1), lease_seconds=0.3) as account:
        other = SqlAccount(database, "run", FREE, Budget(calls=1))

        async def both() -> None:
            first = asyncio.create_task(call_long(account))
            await asyncio.sleep(0.1)
            with pytest.raises(BudgetSpent):
                await other.allow(MODEL, "judge", 10)
            await first

        asyncio.run(both())
        other.close()


def test_a_dead_holders_part_counts_as_spent_until_its_lease_ends(database: Database) -> None:
    open_account(database, "run")
    now = time.time()
    left = Claim("run", "mining", "gone:1:1.0/x", [], NOTHING, Amount(6, 60), [], now, now + 0.5)
    settle(database, left, Budget(calls=10))
    with SqlAccount(database, "run", FREE, Budget(calls=10)) as account:
        began = time.monotonic()
        assert spend_all(account, 2) == 10
        assert 0.3 < time.monotonic() - began < 5


def test_a_process_that_was_asleep_uses_nothing_of_what_it_had(database: Database) -> None:
    budget = Budget(calls=10)
    with SqlAccount(database, "run", FREE, budget) as sleeper:
        asyncio.run(sleeper.allow(MODEL, "judge", 100))
        assert sleeper._purse.has_spare
        # As if its lease had ended while it slept: others may have what it had.
        with sleeper._changed:
            sleeper._until = 0.0
        with database.write() as connection:
            connection.execute(delete(ReservationRow))
        with SqlAccount(database, "run", FREE, budget) as other:
            assert _spend_exactly(other, 9) == 9
        sleeper.record(call(), 100)
        with pytest.raises(BudgetSpent):
            asyncio.run(sleeper.allow(MODEL, "judge", 100))
    assert spent(database, "run").calls == 10


def _spend_exactly(account: SqlAccount, calls: int) -> int:
    async def some() -> None:
        for _ in range(calls):
            await account.allow(MODEL, "judge", 10)
            account.record(call(), 10)

    asyncio.run(some())
    return calls


def test_records_survive_a_database_that_fails_for_a_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_account, "TROUBLE", 0.05)
    failures = [OperationalError("no", {}, Exception("disk full")) for _ in range(3)]
    genuine = settle

    def fail_first(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return genuine(*given)

    monkeypatch.setattr(sql_account, "settle", fail_first)
    with SqlAccount(database, "run", FREE, Budget()) as account:
        for _ in range(5):
            account.record(call(), 0)
        until = time.monotonic() + 5
        while not count(database) and time.monotonic() < until:
            time.sleep(0.02)
        assert count(database) == 5
    assert not failures


def fail(*given: Any) -> Any:
    raise OperationalError("no", {}, Exception("disk full"))


def test_a_call_that_the_database_cannot_allow_says_why(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqlAccount(database, "run", FREE, Budget(calls=5)) as account:
        with monkeypatch.context() as patched:
            patched.setattr(sql_account, "settle", fail)
            with pytest.raises(OperationalError, match="disk full"):
                asyncio.run(account.allow(MODEL, "judge", 1))
        assert spend_all(account, 2) == 5


def test_records_that_cannot_be_written_are_told_of_when_the_account_is_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = SqlAccount(database, "run", FREE, Budget())
    account.record(call(), 0)
    with monkeypatch.context() as patched:
        patched.setattr(sql_account, "settle", fail)
        with pytest.raises(OperationalError):
            account.close()
    account.close()
    assert count(database) == 1


def test_who_still_waits_when_the_account_is_closed_is_told(database: Database) -> None:
    async def close_amid(one: SqlAccount, other: SqlAccount) -> None:
        await one.allow(MODEL, "judge", 1)
        waiting = asyncio.create_task(other.allow(MODEL, "judge", 1))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(other.close)
        with pytest.raises(RunError, match="closed"):
            await waiting

    with SqlAccount(database, "run", FREE, Budget(calls=1)) as one:
        asyncio.run(close_amid(one, SqlAccount(database, "run", FREE, Budget(calls=1))))


def _spend_in_process(url: str, budget: Budget, at_once: int, prices: Prices, pause: float, seed: int) -> None:
    rng = random.Random(seed)
    record = call(prompt=rng.randint(50, 80), completion=rng.randint(1, 20))
    with SqlAccount(Database(url), "run", prices, budget, lease_seconds=1.0) as account:
        spend_all(account, at_once, pause=pause, record=record)


def _processes(
    database: Database, number: int, budget: Budget, at_once: int = 10, prices: Prices = FREE, pause: float = 0.002
) -> list[ForkProcess]:
    url = database.url.render_as_string(hide_password=False)
    database.close()
    context = multiprocessing.get_context("fork")
    made = [
        context.Process(target=_spend_in_process, args=(url, budget, at_once, prices, pause, seed))
        for seed in range(number)
    ]
    for process in made:
        process.start()
    return made


def _ended(process: ForkProcess) -> int | None:
    process.join(60)
    return process.exitcode


def test_processes_together_make_as_many_calls_as_are_allowed(database: Database) -> None:
    processes = _processes(database, 4, Budget(calls=333))
    assert [_ended(p) for p in processes] == [0] * 4
    assert spent(database, "run").calls == count(database) == 333
    assert count(database, ReservationRow) == 0


def test_processes_together_take_no_more_tokens_than_are_allowed(database: Database) -> None:
    processes = _processes(database, 4, Budget(tokens=30_000))
    assert [_ended(p) for p in processes] == [0] * 4
    assert 30_000 - 100 < spent(database, "run").tokens <= 30_000
    assert (
        spent(database, "run").tokens == tally(database, "run").total.prompt + tally(database, "run").total.completion
    )


def test_processes_together_spend_no_more_money_than_is_allowed(database: Database) -> None:
    processes = _processes(database, 3, Budget(cost=0.04), prices=PRICES)
    assert [_ended(p) for p in processes] == [0] * 3
    assert 0.04 - 100 * 4e-6 < spent(database, "run").cost <= 0.04
    assert spent(database, "run").cost == pytest.approx(tally(database, "run").total.cost or 0, abs=1e-6)


def test_kills_neither_exceed_the_budget_nor_lose_a_part_of_it(database: Database) -> None:
    """A third of the processes dies amid its calls; the others wait for its part, and use it."""
    budget = Budget(calls=400)
    processes = _processes(database, 6, budget, at_once=5, pause=0.03)
    for process in processes[:2]:
        _await(lambda: spent(database, "run").calls > 0)
        os.kill(process.pid or 0, signal.SIGKILL)
    assert [_ended(p) for p in processes[2:]] == [0] * 4
    assert [_ended(p) for p in processes[:2]] == [-signal.SIGKILL] * 2
    assert spent(database, "run").calls == count(database) == 400
    assert count(database, ReservationRow) == 0


def _await(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not happened() and time.monotonic() < until:
        time.sleep(0.01)
    assert happened()


def _reserved(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.sum(ReservationRow.calls))).scalar_one() or 0


def test_holders_are_told_apart_by_process_and_account(database: Database) -> None:
    one, other = (SqlAccount(database, "run", FREE, Budget(calls=1)) for _ in range(2))
    assert one._holder != other._holder
    assert Mark.parse(one._holder.rsplit("/", 1)[0]) == Mark.here()


def test_a_call_costs_less_than_a_millisecond_of_processor_time(database: Database) -> None:
    async def call_often(account: SqlAccount) -> float:
        before = time.process_time()
        for _ in range(5000):
            await account.allow(MODEL, "judge", 10)
            account.record(call(), 10)
        return (time.process_time() - before) / 5000

    with SqlAccount(database, "run", PRICES, Budget(calls=10**9)) as account:
        cost = asyncio.run(call_often(account))
    assert cost < 1e-3
    assert count(database) == 5000
