"""A day's allowance is what it says, and ends at midnight."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge_base.errors import AccessDenied
from services.access.allowance import DailyAllowance, check_day

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC).timestamp()
USED: dict[str, Any] = {"calls": 10, "tokens": 1000, "cost": 1.5}


@given(st.integers(0, 10**9), st.integers(0, 10**12), st.floats(0, 1e9))
def test_without_an_allowance_anything_goes(calls: int, tokens: int, cost: float) -> None:
    check_day(DailyAllowance(), calls=calls, tokens=tokens, cost=cost, now=NOON)


@pytest.mark.parametrize(
    ("name", "enough", "too_little"), [("calls", 11, 10), ("tokens", 1001, 1000), ("cost", 1.51, 1.5)]
)
def test_each_part_is_held_against_its_own(name: str, enough: float, too_little: float) -> None:
    check_day(DailyAllowance.model_validate({name: enough}), now=NOON, **USED)
    with pytest.raises(AccessDenied, match=f"daily {name} of {too_little:g} are used up") as caught:
        check_day(DailyAllowance.model_validate({name: too_little}), now=NOON, **USED)
    assert (caught.value.reason, caught.value.retry_after) == ("limited", 12 * 3600)


@given(st.floats(0, 4e9))
def test_the_wait_ends_with_the_day(now: float) -> None:
    with pytest.raises(AccessDenied) as caught:
        check_day(DailyAllowance(calls=1), calls=1, tokens=0, cost=0, now=now)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 86400


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"cost": 0}, {"cost": float("inf")}, {"tokens": -1}, {"money": 1}])
def test_an_allowance_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        DailyAllowance.model_validate(wrong)
