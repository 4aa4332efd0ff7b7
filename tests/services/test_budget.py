"""The arithmetic of a budget: what is shared out never exceeds it, and what a holder keeps covers what it has begun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.budget import (
    BILLION,
    CHUNK,
    NOTHING,
    SHARE,
    UNLIMITED,
    WORKS,
    Amount,
    Budget,
    Work,
    refusal,
    room,
    share_out,
)
from services.purse import Purse

parts = st.integers(0, 10_000)
amounts = st.builds(Amount, parts, parts, parts)
needs = st.builds(Amount, st.just(1), st.integers(0, 5000), st.integers(0, 5000))
budgets = st.builds(
    Budget,
    calls=st.none() | st.integers(1, 1000),
    tokens=st.none() | st.integers(1, 100_000),
    cost=st.none() | st.floats(1e-6, 100),
    kept_back=st.floats(0, 0.99),
)


@pytest.mark.parametrize(
    "wrong",
    [{"calls": 0}, {"calls": -1}, {"tokens": 0}, {"cost": 0}, {"cost": float("nan")}, {"cost": float("inf")},
     {"kept_back": 1}, {"kept_back": -0.1}, {"call": 5}],
)  # fmt: skip
def test_a_budget_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(wrong)


def test_a_budget_without_a_number_limits_nothing() -> None:
    assert not Budget(kept_back=0.3).limited
    assert Budget().limit("mining") == Amount(UNLIMITED, UNLIMITED, UNLIMITED)
    assert Budget(cost=0.5).limited


def test_money_is_counted_in_whole_billionths() -> None:
    assert Budget(cost=0.1).limit("label").money == BILLION // 10


def test_mining_leaves_the_share_that_is_kept_back() -> None:
    budget = Budget(calls=100, tokens=1000, kept_back=0.25)
    assert budget.limit("mining") == Amount(75, 750, budget.limit("mining").money)
    assert budget.limit("sealed").parts[:2] == (100, 1000)


def test_a_budget_of_one_call_can_still_be_spent_on_mining() -> None:
    assert Budget(calls=1, kept_back=0.9).limit("mining").calls == 1


def test_what_sealed_pairs_took_of_their_part_does_not_shorten_that_of_mining() -> None:
    budget = Budget(calls=100, kept_back=0.2)
    assert room(budget, "mining", {"sealed": Amount(20)}).calls == 80
    assert room(budget, "mining", {"sealed": Amount(20), "mining": Amount(30)}).calls == 50
    assert room(budget, "mining", {"sealed": Amount(60)}).calls == 40
    assert room(budget, "sealed", {"mining": Amount(80)}).calls == 20


@given(budget=budgets, taken=st.dictionaries(st.sampled_from(WORKS), amounts))
def test_no_work_has_more_room_than_the_whole_budget_leaves(budget: Budget, taken: dict[Work, Amount]) -> None:
    left = budget.limit("sealed") - sum(taken.values(), NOTHING)
    for work in WORKS:
        assert room(budget, work, taken).fits(left)
        assert room(budget, work, taken).fits(room(budget, "sealed", taken))


@given(wanted=st.lists(needs, max_size=8), space=amounts)
def test_what_is_shared_out_fits_and_covers_what_is_met(wanted: list[Amount], space: Amount) -> None:
    met, total = share_out(wanted, space)
    assert total.fits(space)
    assert sum(wanted[:met], NOTHING).fits(total)
    if met < len(wanted):
        assert total == sum(wanted[:met], NOTHING), "nothing is set aside for later while somebody waits"
        assert not (total + wanted[met]).fits(space), "whoever waits does so because there is no room"


@given(need=needs, space=amounts)
def test_what_is_set_aside_for_later_is_bounded(need: Amount, space: Amount) -> None:
    met, total = share_out([need], space)
    more = total - need * met
    assert more.calls <= CHUNK
    assert (more * SHARE).fits((space - need * met).most(NOTHING))


def test_the_last_calls_are_shared_out_one_by_one() -> None:
    assert share_out([Amount(1)], Amount(SHARE)) == (1, Amount(1))
    assert share_out([Amount(1)], Amount(1000)) == (1, Amount(1 + CHUNK))


@pytest.mark.parametrize(
    ("budget", "spent", "need", "told"),
    [
        (Budget(calls=1000), Amount(1000), Amount(1), ["1,000 calls allowed", "1,000 spent", "--budget-calls"]),
        (Budget(tokens=5000), Amount(3, 4500), Amount(1, 700), ["5,000 tokens", "4,500 spent", "take 700", "_TOKENS"]),
        (Budget(cost=2.5), Amount(3, 9, 2 * BILLION), Amount(1, 9, BILLION), ["2.5 money", "2 spent", "--budget-cost"]),
    ],
)
def test_a_refusal_says_what_was_allowed_what_was_spent_and_what_to_do(
    budget: Budget, spent: Amount, need: Amount, told: list[str]
) -> None:
    message = refusal(budget, "label", {"label": spent}, need)
    assert [part for part in [*told, "run the same command", "nothing twice"] if part not in message] == []


def test_a_refusal_of_mining_says_what_is_kept_for_the_sealed_pairs() -> None:
    message = refusal(Budget(calls=100, kept_back=0.2), "mining", {"mining": Amount(80)}, Amount(1))
    assert "100 calls allowed, 80 spent" in message
    assert "(20 of it are kept for the sealed pairs)" in message


class Held:
    """A purse, and what the database has set aside for it."""

    def __init__(self, amount: Amount) -> None:
        self.purse, self.row = Purse(), NOTHING
        self.settle(keep_spare=True, granted=amount)

    def settle(self, keep_spare: bool, granted: Amount = NOTHING) -> Amount:
        """Tell what was taken."""
        taken, stays = self.purse.begin(keep_spare)
        self.purse.finish(stays, granted)
        self.row = stays + granted
        return taken


def test_a_purse_gives_what_it_has_and_no_more() -> None:
    purse = Held(Amount(2, 100)).purse
    assert purse.take(Amount(1, 60))
    assert not purse.take(Amount(1, 60))
    assert purse.take(Amount(1, 40))
    assert not purse.take(Amount(1, 0))


def test_what_a_call_did_not_take_of_its_estimate_is_to_spare_again() -> None:
    held = Held(Amount(2, 100))
    held.purse.take(Amount(1, 90))
    held.purse.pay(Amount(1, 90), Amount(1, 20))
    assert held.purse.spare == Amount(1, 80)
    assert held.settle(keep_spare=True) == Amount(1, 20)
    assert held.purse.spare == held.row == Amount(1, 80)


def test_what_is_offered_is_not_given_away_meanwhile() -> None:
    held = Held(Amount(4))
    held.purse.take(Amount(1))
    _, stays = held.purse.begin(keep_spare=False)
    assert stays == Amount(1)
    assert not held.purse.take(Amount(1))
    held.purse.finish(stays, Amount(2))
    assert held.purse.spare == Amount(2)


def test_a_settlement_that_failed_is_told_again() -> None:
    held = Held(Amount(4))
    held.purse.take(Amount(1))
    held.purse.pay(Amount(1), Amount(1))
    held.purse.begin(keep_spare=True)
    held.purse.undo()
    assert held.settle(keep_spare=True) == Amount(1)


def test_a_call_that_took_more_than_was_estimated_is_charged_in_full() -> None:
    held = Held(Amount(1, 10))
    held.purse.take(Amount(1, 10))
    held.purse.pay(Amount(1, 10), Amount(1, 500))
    assert not held.purse.has_spare
    assert held.settle(keep_spare=True) == Amount(1, 500)
    assert held.row == NOTHING


events = st.lists(st.tuples(st.sampled_from(["take", "pay", "forget", "settle", "offer", "fail"]), needs), max_size=30)


@given(start=amounts, course=events)
def test_what_is_set_aside_always_covers_what_is_under_way(start: Amount, course: list[tuple[str, Amount]]) -> None:
    held, flying, taken = Held(start), [], NOTHING
    for action, need in course:
        if action == "take" and held.purse.take(need):
            flying.append(need)
        elif action == "pay" and flying:
            estimated = flying.pop()
            held.purse.pay(estimated, estimated.least(Amount(1, need.tokens, need.money)))
        elif action == "forget" and flying:
            held.purse.forget(flying.pop())
        elif action == "fail":
            held.purse.begin(keep_spare=True)
            held.purse.undo()
        elif action in ("settle", "offer"):
            taken += held.settle(keep_spare=action == "settle")
        assert (sum(flying, NOTHING) + held.purse.unsettled).fits(held.row)
        assert (held.row + taken).fits(start), "nothing comes from nowhere"
