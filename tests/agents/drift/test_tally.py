from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.drift.tally import Tally
from knowledge_base.errors import InputError

shares = st.integers(0, 12).map(lambda k: k / 12)
samples = st.lists(shares, max_size=40)


@given(samples)
def test_a_tally_knows_number_sum_and_mean(values: list[float]) -> None:
    found = Tally.of(values)
    assert found.n == len(values)
    assert found.total == pytest.approx(sum(values))
    assert found.mean == pytest.approx(sum(values) / len(values) if values else 0.5)


@given(samples, st.randoms())
def test_order_changes_nothing(values: list[float], random: object) -> None:
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives random.Random
    assert Tally.of(mixed) == Tally.of(values)


@given(samples, st.integers(0, 40))
def test_cutting_into_batches_changes_nothing(values: list[float], cut: int) -> None:
    whole = Tally.of(values)
    assert Tally.of(values[:cut]).plus(values[cut:]) == whole
    assert Tally.of(values[:cut]).joined(Tally.of(values[cut:])) == whole


@given(samples)
def test_json_keeps_a_tally_to_the_bit(values: list[float]) -> None:
    found = Tally.of([v / 3 for v in values])
    assert Tally.model_validate_json(found.model_dump_json()) == found


@given(samples)
def test_a_mirrored_tally_counts_what_is_lacking_to_one(values: list[float]) -> None:
    assert Tally.of(values).mirrored.total == pytest.approx(len(values) - sum(values))
    assert Tally.of(values).mirrored.n == len(values)


def test_counts_make_a_tally_of_ones_and_zeros() -> None:
    assert Tally.binary(3, 10) == Tally.of([1.0] * 3 + [0.0] * 7)
    assert Tally.binary(0, 5).values == ((0.0, 5.0),)
    assert Tally.binary(0, 0) == Tally()


def test_a_sample_may_be_counted_down() -> None:
    assert Tally.binary(8.5, 10.2).mean == pytest.approx(8.5 / 10.2)


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 4)])
def test_more_hits_than_trials_are_refused(hits: float, n: float) -> None:
    with pytest.raises(InputError, match="between 0 and its total"):
        Tally.binary(hits, n)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_values_out_of_bounds_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="outside"):
        Tally.of([value])


@pytest.mark.parametrize("values", [((0.5, 1.0), (0.5, 1.0)), ((0.7, 1.0), (0.2, 1.0)), ((0.5, -1.0),), ((1.5, 1.0),)])
def test_a_histogram_that_is_none_is_refused(values: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValidationError):
        Tally(values=values)
