"""What holders set aside and spend never exceeds a budget, whoever falls silent, and no part of it is lost."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.budget import NOTHING, WORKS, Amount, Budget, Work
from services.database import Database
from services.purse import Purse
from services.reservations import Claim, Decision, open_account, settle, spending
from services.tables import CallRow, ReservationRow

LEASE = 100.0


@pytest.fixture(scope="module")
def database(shared_database: Database) -> Database:
    return shared_database


def row(run: str, work: Work, taken: Amount) -> dict[str, Any]:
    """A call that took so much."""
    return {
        "run": run, "work": work, "stage": "judge", "model": "m:x", "prompt": taken.tokens, "cached": 0,
        "completion": 0, "seconds": 0.1, "ended": "answered", "cost": taken.money / 1e9, "at": 0.0,
    }  # fmt: skip


class Holder:
    """A process, as far as the database sees it: it makes calls, tells of them when it will, and may fall silent."""

    def __init__(self, database: Database, run: str, work: Work, budget: Budget, name: str) -> None:
        self.purse, self.flying = Purse(), deque[Amount]()
        self._database, self._run, self._work, self._budget, self._name = database, run, work, budget, name
        self._ended: list[Amount] = []
        self.until = 0.0

    def call(self, need: Amount, now: float) -> bool:
        """Begin a call, if what is set aside reaches for it."""
        if now >= self.until or not self.purse.take(need):
            return False
        self.flying.append(need)
        return True

    def end(self, share: float) -> None:
        """End the oldest call, which took a share of what was estimated."""
        if self.flying:
            need = self.flying.popleft()
            taken = Amount(1, int(need.tokens * share), int(need.money * share))
            self.purse.pay(need, taken)
            self._ended.append(taken)

    def settle(self, now: float, needs: tuple[Amount, ...] = ()) -> Decision:
        """Tell the database, and ask for more."""
        taken, stays = self.purse.begin(keep_spare=not needs and now < self.until)
        rows, self._ended = [row(self._run, self._work, each) for each in self._ended], []
        claim = Claim(self._run, self._work, self._name, rows, taken, stays, needs, now, now + LEASE)
        decision = settle(self._database, claim, self._budget)
        self.purse.finish(stays, decision.granted)
        self.until = now + LEASE
        for need in needs[: decision.met]:
            assert self.call(need, now)
        return decision


def spent_of(database: Database, run: str) -> dict[Work, Amount]:
    with database.read() as connection:
        return spending(connection, run)


def reserved(database: Database, run: str) -> Amount:
    columns = (ReservationRow.calls, ReservationRow.tokens, ReservationRow.money)
    with database.read() as connection:
        found = connection.execute(select(*columns).where(ReservationRow.run == run)).all()
    return sum((Amount(*r) for r in found), NOTHING)


RUNS = iter(range(10**9))


def new_run(database: Database) -> str:
    run = f"run-{next(RUNS)}"
    open_account(database, run)
    return run


def claim(run: str, holder: str, needs: tuple[Amount, ...], now: float = 0.0, stays: Amount = NOTHING) -> Claim:
    return Claim(run, "label", holder, [], NOTHING, stays, needs, now, now + LEASE)


def test_a_run_nobody_knows_has_spent_nothing(database: Database) -> None:
    assert spent_of(database, "nobody") == dict.fromkeys(WORKS, NOTHING)


def test_opening_an_account_again_keeps_what_was_spent(database: Database) -> None:
    run = new_run(database)
    holder = Holder(database, run, "label", Budget(), "a")
    holder.purse.pay(NOTHING, Amount(1, 50))
    holder._ended.append(Amount(1, 50))
    holder.settle(0.0)
    open_account(database, run)
    assert spent_of(database, run)["label"] == Amount(1, 50)


def test_needs_are_met_first_come_first_served_as_far_as_there_is_room(database: Database) -> None:
    run, budget = new_run(database), Budget(tokens=100)
    decision = settle(database, claim(run, "a", (Amount(1, 60), Amount(1, 60), Amount(1, 10))), budget)
    assert (decision.met, decision.granted.tokens, decision.refused) == (1, 60, "")


def test_what_cannot_ever_be_met_is_refused_and_what_may_is_not(database: Database) -> None:
    run, budget = new_run(database), Budget(calls=1)
    assert settle(database, claim(run, "a", (Amount(1),)), budget).met == 1
    assert settle(database, claim(run, "b", (Amount(1),)), budget) == Decision()
    holder = Holder(database, run, "label", budget, "a")
    holder._ended, holder.purse.unsettled = [Amount(1)], Amount(1)
    holder.settle(1.0)
    assert "1 calls allowed, 1 spent" in settle(database, claim(run, "b", (Amount(1),)), budget).refused


def test_a_silent_holders_part_is_free_once_its_time_is_over(database: Database) -> None:
    run, budget = new_run(database), Budget(calls=1)
    settle(database, claim(run, "silent", (Amount(1),)), budget)
    assert settle(database, claim(run, "b", (Amount(1),), now=LEASE), budget).met == 0
    assert settle(database, claim(run, "b", (Amount(1),), now=LEASE + 1), budget).met == 1


def test_a_holder_with_nothing_set_aside_leaves_no_row(database: Database) -> None:
    run, budget = new_run(database), Budget(calls=5)
    settle(database, claim(run, "a", (Amount(1),)), budget)
    settle(database, claim(run, "a", ()), budget)
    assert reserved(database, run) == NOTHING


parts = st.integers(0, 300)
needs = st.builds(Amount, st.just(1), parts, parts)
steps = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "call", "end", "end", "settle", "silent", "wait"]),
        st.integers(0, 3), needs, st.floats(0, 1),
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.integers(1, 60), tokens=st.integers(1, 6000), cost=st.integers(1, 6000), kept=st.floats(0, 0.9),
    course=steps,
)  # fmt: skip
def test_no_course_of_events_exceeds_the_budget(
    database: Database, calls: int, tokens: int, cost: int, kept: float, course: list[Any]
) -> None:
    """Holders may fall silent for good: what they had begun goes unrecorded, what they had set aside is free."""
    run, now, names = new_run(database), 0.0, iter(range(1000))
    budget = Budget(calls=calls, tokens=tokens, cost=cost / 1e9, kept_back=kept)
    works: list[Work] = ["mining", "mining", "sealed", "label"]
    holders = [Holder(database, run, work, budget, f"h{next(names)}") for work in works]
    for action, at, need, share in course:
        holder = holders[at]
        if action == "call" and not holder.call(need, now):
            holder.settle(now, (need,))
        elif action == "end":
            holder.end(share)
        elif action == "settle":
            holder.settle(now)
        elif action == "silent":
            holders[at] = Holder(database, run, works[at], budget, f"h{next(names)}")
        elif action == "wait":
            # Whoever lives renews in time; what the silent ones had becomes free.
            for each in holders:
                each.settle(now)
            now += LEASE / 2
        spent = spent_of(database, run)
        whole = sum(spent.values(), NOTHING)
        assert whole.fits(budget.limit("sealed"))
        assert spent["mining"].fits(budget.limit("mining"))
        assert (whole + reserved(database, run)).fits(budget.limit("sealed"))
        under_way = sum((n for h in holders for n in h.flying), NOTHING)
        unsettled = sum((h.purse.unsettled for h in holders), NOTHING)
        assert (whole + under_way + unsettled).fits(budget.limit("sealed")), "nor does what is under way exceed it"
    for holder in holders:
        while holder.flying:
            holder.end(1.0)
        holder.settle(now)
    _sums_are_those_of_the_records(database, run)


def _sums_are_those_of_the_records(database: Database, run: str) -> None:
    with database.read() as connection:
        found = connection.execute(select(CallRow.work, CallRow.prompt).where(CallRow.run == run)).all()
    for work, amount in spent_of(database, run).items():
        mine = [prompt for of, prompt in found if of == work]
        assert (amount.calls, amount.tokens) == (len(mine), sum(mine))
