"""Tokens cost what the table says, and an estimate is never less than what is charged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.chat.endpoint import Tokens
from services.prices import Price, cost_of, most_of, unpriced

TABLE = {
    "openai:small": Price(prompt=0.5, cached=0.1, completion=2.0),
    "openai:plain": Price(prompt=3.0, completion=15.0),
    "local:free": Price(prompt=0.0, completion=0.0),
}

money = st.floats(0, 1000)
tokens = st.integers(0, 10_000_000)


def test_each_kind_of_token_has_its_price() -> None:
    cost = cost_of("openai:small", Tokens(prompt=1_000_000, cached=400_000, completion=10_000), TABLE)
    assert cost == pytest.approx(0.6 * 0.5 + 0.4 * 0.1 + 0.01 * 2.0)


def test_cached_tokens_cost_as_much_as_others_where_nothing_is_said() -> None:
    assert cost_of("openai:plain", Tokens(1000, 900, 0), TABLE) == cost_of("openai:plain", Tokens(1000, 0, 0), TABLE)


def test_a_price_of_nothing_is_a_price_and_no_price_is_none() -> None:
    assert cost_of("local:free", Tokens(10, 0, 10), TABLE) == 0.0
    assert cost_of("openai:unknown", Tokens(10, 0, 10), TABLE) is None
    assert most_of("openai:unknown", 10, TABLE) is None


def test_models_without_a_price_are_named_once() -> None:
    assert unpriced(["b:x", "openai:small", "a:y", "b:x"], TABLE) == ["b:x", "a:y"]


@pytest.mark.parametrize("wrong", [-1, -1e-9, math.nan, math.inf, "much"])
@pytest.mark.parametrize("name", ["prompt", "cached", "completion"])
def test_a_price_is_a_number_that_is_not_negative(name: str, wrong: object) -> None:
    with pytest.raises(ValidationError):
        Price.model_validate({"prompt": 1, "completion": 1, name: wrong})


@pytest.mark.parametrize("wrong", [{}, {"prompt": 1}, {"prompt": 1, "completion": 1, "input": 1}])
def test_a_price_names_what_it_is_for(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Price.model_validate(wrong)


@given(prompt=money, cached=st.none() | money, completion=money, read=tokens, share=st.floats(0, 1), written=tokens)
def test_an_estimate_is_never_less_than_what_is_charged(
    prompt: float, cached: float | None, completion: float, read: int, share: float, written: int
) -> None:
    table = {"m:x": Price(prompt=prompt, cached=cached, completion=completion)}
    charged = cost_of("m:x", Tokens(read, int(read * share), written), table)
    expected = most_of("m:x", read + written, table)
    assert charged is not None
    assert expected is not None
    assert charged <= expected * (1 + 1e-12)


@given(parts=st.lists(st.tuples(tokens, tokens), min_size=1, max_size=5))
def test_costs_add_up(parts: list[tuple[int, int]]) -> None:
    each = [Tokens(max(p, c), min(p, c), p) for p, c in parts]
    apart = [cost_of("openai:small", t, TABLE) or 0.0 for t in each]
    assert cost_of("openai:small", sum(each, Tokens()), TABLE) == pytest.approx(math.fsum(apart))
