"""Every call is recorded; a budget is never exceeded, is used to the last call, and outlives whoever holds a part."""

from __future__ import annotations

import asyncio
import time

import pytest
from spending_bench import FREE, MODEL, PRICES, call, commits, count, spend_all

from agents.chat.accounts import Account, CallRecord, charged, charging
from agents.chat.endpoint import Tokens
from knowledge_base.errors import BudgetSpent, InputError
from services.budget import Budget, Work
from services.call_tally import spent, tally
from services.database import Database
from services.sql_account import HANDFUL, SqlAccount
from services.tables import ReservationRow


def test_it_is_an_account_that_calls_can_be_charged_to(database: Database) -> None:
    with SqlAccount(database, "run", PRICES, Budget()) as account, charging(account):
        charged().record(call(), 0)
    assert tally(database, "run").total.calls == 1


def test_every_call_is_recorded_with_what_it_took(database: Database) -> None:
    with SqlAccount(database, "run", PRICES, Budget(), "sealed") as account:
        account.record(call(), 0)
        account.record(call(ended="transient", prompt=0, completion=0), 0)
        account.record(call(stage="repair", model="local:other"), 0)
    rows = tally(database, "run").rows
    assert [(r.work, r.stage, r.model, r.calls, r.retries) for r in rows] == [
        ("sealed", "judge", MODEL, 2, 1),
        ("sealed", "repair", "local:other", 1, 0),
    ]
    assert (rows[0].prompt, rows[0].cached, rows[0].completion, rows[0].seconds) == (70, 35, 10, 0.5)
    assert rows[0].cost == pytest.approx((35 * 1.0 + 35 * 0.5 + 10 * 4.0) / 1e6)
    assert rows[1].cost is None


def test_a_total_has_no_cost_where_a_part_has_none(database: Database) -> None:
    with SqlAccount(database, "run", PRICES, Budget()) as account:
        account.record(call(), 0)
        assert tally(database, "run").total.cost == 0, "nothing is written yet, and nothing costs nothing"
        account.flush()
        assert tally(database, "run").total.cost is not None
        account.record(call(model="local:other"), 0)
    total = tally(database, "run").total
    assert (total.calls, total.uncached, total.cost) == (2, 70, None)


def test_what_is_spent_is_summed_over_all_work_and_accounts_of_a_run(database: Database) -> None:
    works: tuple[Work, ...] = ("mining", "sealed", "mining")
    for work in works:
        with SqlAccount(database, "run", PRICES, Budget(), work) as account:
            account.record(call(), 0)
    with SqlAccount(database, "other", PRICES, Budget()) as account:
        account.record(call(), 0)
    assert (spent(database, "run").calls, spent(database, "run").tokens) == (3, 240)
    assert spent(database, "run").cost == pytest.approx(tally(database, "run").total.cost or 0)
    assert spent(database, "nothing").calls == 0


def test_records_are_written_in_handfuls(database: Database) -> None:
    with SqlAccount(database, "run", PRICES, Budget()) as account:
        account.record(call(), 0)
        account.flush()
        written = commits(database)
        for _ in range(20 * HANDFUL):
            account.record(call(), 0)
    assert count(database) == 20 * HANDFUL + 1
    assert len(written) <= 21


def test_a_record_is_written_soon_even_if_no_other_comes(database: Database) -> None:
    with SqlAccount(database, "run", PRICES, Budget()) as account:
        account.record(call(), 0)
        until = time.monotonic() + 5
        while not count(database) and time.monotonic() < until:
            time.sleep(0.01)
        assert count(database) == 1


def test_what_was_recorded_before_an_error_is_written(database: Database) -> None:
    def record_and_fail() -> None:
        with SqlAccount(database, "run", PRICES, Budget()) as account:
            account.record(call(), 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fail()
    assert count(database) == 1


def test_an_account_without_calls_touches_nothing(database: Database) -> None:
    written = commits(database)
    with SqlAccount(database, "run", PRICES, Budget(calls=5)) as account:
        account.flush()
    assert written == []


def test_without_a_budget_nothing_is_set_aside(database: Database) -> None:
    async def call_often(account: Account) -> None:
        for _ in range(100):
            await account.allow("any:model", "judge", 10**9)

    with SqlAccount(database, "run", FREE, Budget()) as account:
        written = commits(database)
        asyncio.run(call_often(account))
        assert written == []
        account.record(call(), 10**9)
        account.flush()
        assert count(database, ReservationRow) == 0


@pytest.mark.parametrize("at_once", [1, 7, 50])
def test_a_budget_of_calls_is_used_to_the_last_call_and_not_beyond(database: Database, at_once: int) -> None:
    with SqlAccount(database, "run", FREE, Budget(calls=203)) as account:
        assert spend_all(account, at_once) == 203
    assert spent(database, "run").calls == 203
    assert count(database, ReservationRow) == 0


def test_a_budget_of_tokens_is_held_against_what_calls_really_took(database: Database) -> None:
    with SqlAccount(database, "run", FREE, Budget(tokens=10_000)) as account:
        assert spend_all(account, 8, estimate=500) == 119, "of 80 tokens each: a call of up to 500 fits after the 118th"
    assert spent(database, "run").tokens == 119 * 80


def test_a_budget_of_money_is_not_exceeded(database: Database) -> None:
    record = call(prompt=200, completion=100)
    with SqlAccount(database, "run", PRICES, Budget(cost=0.1)) as account:
        made = spend_all(account, 8, estimate=300, record=record)
    cost = (100 * 1.0 + 100 * 0.5 + 100 * 4.0) / 1e6
    assert spent(database, "run").cost == pytest.approx(made * cost)
    assert 0.1 - 300 * 4 / 1e6 < made * cost <= 0.1


def test_a_budget_of_money_needs_the_price_of_every_model(database: Database) -> None:
    with (
        SqlAccount(database, "run", PRICES, Budget(cost=1)) as account,
        pytest.raises(InputError, match=r"local:other has no price.*TOUCHSTONE_PRICES"),
    ):
        asyncio.run(account.allow("local:other", "judge", 10))


def test_the_refusal_tells_what_to_do_and_a_larger_budget_goes_on(database: Database) -> None:
    with SqlAccount(database, "run", FREE, Budget(calls=3)) as account:
        assert spend_all(account, 1) == 3
        with pytest.raises(BudgetSpent, match=r"3 calls allowed, 3 spent.*larger --budget-calls"):
            asyncio.run(account.allow(MODEL, "judge", 1))
    with SqlAccount(database, "run", FREE, Budget(calls=5)) as account:
        assert spend_all(account, 3) == 2


def test_a_call_larger_than_the_whole_budget_is_refused_at_once(database: Database) -> None:
    with (
        SqlAccount(database, "run", FREE, Budget(tokens=100)) as account,
        pytest.raises(BudgetSpent, match="the next call may take 101"),
    ):
        asyncio.run(account.allow(MODEL, "judge", 101))


def test_mining_leaves_the_sealed_pairs_their_share(database: Database) -> None:
    budget = Budget(calls=50, kept_back=0.2)
    with SqlAccount(database, "run", FREE, budget, "mining") as account:
        assert spend_all(account, 4) == 40
    with SqlAccount(database, "run", FREE, budget, "sealed") as account:
        assert spend_all(account, 4) == 10


def test_what_was_recorded_without_a_budget_counts_against_a_later_one(database: Database) -> None:
    with SqlAccount(database, "run", FREE, Budget()) as account:
        for _ in range(7):
            account.record(call(), 0)
    with SqlAccount(database, "run", FREE, Budget(calls=10)) as account:
        assert spend_all(account, 2) == 3


def test_failed_calls_count_as_calls(database: Database) -> None:
    with SqlAccount(database, "run", FREE, Budget(calls=10)) as account:
        assert spend_all(account, 2, record=call(0, 0, ended="transient")) == 10
    assert tally(database, "run").total.retries == 10


def test_a_call_that_was_never_sent_counts_as_none(database: Database) -> None:
    unsent = CallRecord(MODEL, "judge", Tokens(), 0.0, "cancelled")

    async def give_up(account: SqlAccount) -> None:
        for _ in range(5):
            await account.allow(MODEL, "judge", 100)
            account.record(unsent, 100)

    with SqlAccount(database, "run", FREE, Budget(calls=3, tokens=1000)) as account:
        asyncio.run(give_up(account))
        assert spend_all(account, 2) == 3
    assert count(database) == 3


def test_runs_have_budgets_of_their_own(database: Database) -> None:
    for run in ("one", "other"):
        with SqlAccount(database, run, FREE, Budget(calls=5)) as account:
            assert spend_all(account, 2) == 5


def test_one_account_serves_several_event_loops(database: Database) -> None:
    with SqlAccount(database, "run", FREE, Budget(calls=90)) as account:

        async def some() -> None:
            async def one() -> None:
                await account.allow(MODEL, "judge", 10)
                account.record(call(), 10)

            await asyncio.gather(*(one() for _ in range(20)))

        for _ in range(4):
            asyncio.run(some())
        assert spend_all(account, 5) == 10
