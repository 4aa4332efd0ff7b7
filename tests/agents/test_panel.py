"""Who is asked what: seats, samples, orders, and the sample on which flips are looked for first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import ScriptedJudge, pair
from pydantic import ValidationError

from agents.judgments import Order
from agents.panel import SAMPLE, Panel, Seat, first_look, in_sample, seat_of, turned

HASHES = [pair(i).hash for i in range(400)]
orders = st.lists(st.sampled_from(["ab", "ba"]), min_size=1, max_size=2, unique=True)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=4), orders)
def test_every_seat_is_asked_as_often_as_it_has_samples_and_orders(
    seats: list[tuple[bool, int]], shown: list[Order]
) -> None:
    panel = Panel(seats=tuple(Seat(judge=f"j{i}", symmetric=s, samples=n) for i, (s, n) in enumerate(seats)))
    asks = panel.asks("c", "p", shown)
    assert len({ask.key for ask in asks}) == len(asks)
    for number, (symmetric, samples) in enumerate(seats):
        own = [ask for ask in asks if ask.judge == f"j{number}"]
        assert len(own) == samples * (1 if symmetric else len(shown))
        assert {ask.sample for ask in own} == set(range(samples))
        assert {ask.order for ask in own} == set(shown[:1] if symmetric else shown)


def test_a_panel_needs_a_seat_and_a_seat_an_answer() -> None:
    with pytest.raises(ValidationError):
        Panel(seats=())
    with pytest.raises(ValidationError):
        Seat(judge="j", samples=0)


def test_one_order_is_enough_only_if_it_is_for_everyone_and_nothing_is_free_unless_everyone_is() -> None:
    plain = Seat(judge="signals", symmetric=True)
    model = Seat(judge="model", free=False)
    assert (Panel(seats=(plain,)).symmetric, Panel(seats=(plain,)).free) == (True, True)
    assert (Panel(seats=(plain, model)).symmetric, Panel(seats=(plain, model)).free) == (False, False)


def test_a_panel_is_named_after_its_judges_and_their_samples() -> None:
    assert Panel(seats=(Seat(judge="a"), Seat(judge="b", samples=3))).name == "a + 3 x b"


def test_a_seat_is_as_symmetric_as_its_judge() -> None:
    assert seat_of(ScriptedJudge({})).symmetric
    assert not seat_of(ScriptedJudge({}, {}), samples=2, free=False).symmetric


def test_the_other_order_is_the_other_one() -> None:
    assert [turned(order) for order in ("ab", "ba")] == ["ba", "ab"]


def test_the_first_look_is_as_good_as_random_and_always_the_same() -> None:
    shown = [first_look(h, symmetric=False) for h in HASHES]
    assert shown == [first_look(h, symmetric=False) for h in HASHES]
    assert 150 < shown.count("ab") < 250
    assert {first_look(h, symmetric=True) for h in HASHES} == {"ab"}


def test_the_sample_is_its_share_of_the_pairs_whichever_order_they_are_shown_in() -> None:
    for order in ("ab", "ba"):
        shown = [h for h in HASHES if first_look(h, symmetric=False) == order]
        assert 0.5 / SAMPLE < sum(map(in_sample, shown)) / len(shown) < 1.6 / SAMPLE
