from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.drift.stream import Stream
from agents.drift.tally import Tally

batches = st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=6), max_size=5)


def stream(**changes: object) -> Stream:
    fields = {"name": "x", "label": "x", "unit": "x", "direction": "rise", "share": 1.0}
    return Stream.model_validate({**fields, "reference": Tally.binary(5, 30), **changes}).started()


def run(found: Stream, brought: list[list[float]]) -> Stream:
    for values in brought:
        found = found.after(values)
    return found


@given(batches)
@settings(deadline=None)
def test_a_stream_counts_everything_once(brought: list[list[float]]) -> None:
    found = run(stream(), brought)
    assert found.since == Tally.of([v for values in brought for v in values])
    assert found.batches == sum(bool(values) for values in brought)


@given(batches, st.randoms())
@settings(deadline=None)
def test_the_order_inside_a_refresh_changes_nothing(brought: list[list[float]], random: object) -> None:
    mixed = [list(values) for values in brought]
    for values in mixed:
        random.shuffle(values)  # type: ignore[attr-defined]  # hypothesis gives random.Random
    assert run(stream(), mixed) == run(stream(), brought)


@given(batches)
@settings(deadline=None)
def test_a_refresh_without_observations_changes_nothing(brought: list[list[float]]) -> None:
    empty: list[float] = []
    spaced = [values for batch in brought for values in (batch, empty)]
    assert run(stream(), spaced) == run(stream(), brought)


@given(batches)
@settings(deadline=None)
def test_json_keeps_a_stream_to_the_bit_and_it_goes_on_the_same(brought: list[list[float]]) -> None:
    found = run(stream(), brought)
    kept = Stream.model_validate_json(found.model_dump_json())
    assert kept == found
    assert kept.after([1.0, 0.0]) == found.after([1.0, 0.0])


def test_a_long_stream_stays_small() -> None:
    found = stream()
    for _ in range(200):
        found = found.after([0.0, 1.0])
    assert found.since.n == 400
    assert len(found.blocks) < 32 + 16 * 3


def test_the_last_batch_is_remembered() -> None:
    assert stream().after([0.0]).after([1.0, 1.0]).last == Tally.of([1.0, 1.0])


def test_a_stream_starts_with_its_bets_placed() -> None:
    assert stream().log_e < 0
    assert stream(direction="never", reference=Tally.binary(0, 3)).log_e == 0


@pytest.mark.parametrize("direction", ["rise", "change"])
def test_drift_becomes_evidence(direction: str) -> None:
    assert stream(direction=direction).after([1.0] * 30 + [0.0] * 10).log_e > 5
