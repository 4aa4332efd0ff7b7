from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.drift.evidence import Evidence, e_bh, mixture

logs = st.floats(-20, 20)
named = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), logs, max_size=8)


def test_evidence_remembers_its_highest_and_says_where_it_is_now() -> None:
    found = Evidence().then(1.0).then(math.log(100)).then(0.5)
    assert found.log_e == 0.5
    assert found.e_value == pytest.approx(math.exp(0.5))
    assert found.p_value == pytest.approx(0.01)


def test_without_evidence_the_p_value_is_one() -> None:
    assert Evidence().p_value == 1
    assert Evidence().then(-5.0).p_value == 1


def test_evidence_passes_a_level_once_it_ever_reached_it() -> None:
    found = Evidence().then(math.log(20) + 1e-9).then(-3.0)
    assert found.passes(0.05)
    assert not found.passes(0.04)


def test_proof_has_numbers_too() -> None:
    found = Evidence().then(690.0)
    assert math.isfinite(found.e_value)
    assert 0 < found.p_value < 1e-290


@given(st.lists(logs, max_size=12))
def test_json_keeps_evidence_to_the_bit(history: list[float]) -> None:
    found = Evidence(history=tuple(history))
    assert Evidence.model_validate_json(found.model_dump_json()) == found


@given(st.lists(logs, min_size=1, max_size=6))
def test_a_mixture_is_the_average_of_the_e_values(log_es: list[float]) -> None:
    share = 1 / len(log_es)
    assert math.exp(mixture(log_es, [share] * len(log_es))) == pytest.approx(np.exp(log_es).mean())


def test_capital_that_nobody_plays_with_is_lost() -> None:
    assert math.exp(mixture([math.log(8)], [0.25])) == pytest.approx(2)


def test_a_mixture_of_nothing_is_one() -> None:
    assert mixture([], []) == 0
    assert mixture([3.0], [0.0]) == 0


def by_definition(log_es: dict[str, float], level: float) -> set[str]:
    """Wang and Ramdas 2022, section 4: the largest k with e_(k) >= K / (k level)."""
    ranked = sorted(log_es.values(), reverse=True)
    best = 0
    for k, value in enumerate(ranked, 1):
        if math.exp(value) * k * level >= len(ranked):
            best = k
    return {name for name, value in log_es.items() if best and value >= ranked[best - 1]}


@given(named, st.floats(0.01, 0.5))
def test_e_bh_is_as_defined(log_es: dict[str, float], level: float) -> None:
    found = e_bh(log_es, level)
    assert set(found) <= by_definition(log_es, level * (1 + 1e-9))
    assert len(found) == len(set(found))
    if len(set(log_es.values())) == len(log_es):
        assert set(found) >= by_definition(log_es, level * (1 - 1e-9))


@given(named, st.floats(0.01, 0.5))
def test_anything_named_needs_an_average_e_value_that_rejects_by_itself(log_es: dict[str, float], level: float) -> None:
    if e_bh(log_es, level):
        assert np.exp(list(log_es.values())).mean() * level >= 1 - 1e-9


def test_e_bh_by_example() -> None:
    values = {"x": math.log(100), "y": math.log(45), "z": math.log(1.0)}
    assert e_bh(values, 0.05) == ("x", "y")
    assert e_bh({"x": math.log(59)}, 0.01) == ()
    assert e_bh({}, 0.05) == ()
