from __future__ import annotations

import pytest

from agents.drift import onset


@pytest.mark.parametrize("batches", [*range(70), 128, 500, 4000])
def test_all_capital_is_given_out_or_kept(batches: int) -> None:
    given, kept = onset.shares(batches), onset.kept(batches)
    assert len(given) == len(onset.starts(batches))
    assert min([*given, *(share for _, share in kept)]) > 0
    assert sum(given) + sum(share for _, share in kept) == pytest.approx(1)


@pytest.mark.parametrize("batches", [*range(1, 70), 500])
def test_capital_once_given_is_never_given_anew(batches: int) -> None:
    assert onset.shares(batches + 1)[: len(onset.shares(batches))] == onset.shares(batches)


@pytest.mark.parametrize("batches", [*range(70), 500])
def test_an_octave_has_the_same_capital_before_and_after_its_starts_begin(batches: int) -> None:
    def by_octave(batches: int) -> list[float]:
        found = [0.0] * onset.OCTAVES
        for start, share in zip(onset.starts(batches), onset.shares(batches), strict=True):
            found[onset.octave(start)] += share
        for place, share in onset.kept(batches):
            found[place] += share
        return found

    assert by_octave(batches) == pytest.approx(by_octave(0))


def test_a_change_may_begin_at_any_of_the_first_refreshes_and_at_ever_fewer_later() -> None:
    assert onset.starts(40) == (*range(1, 33), 34, 36, 38, 40)
    assert len(onset.starts(1024)) < 32 + 16 * 6


def test_the_prior_expects_a_change_within_about_a_dozen_refreshes_and_never_gives_up() -> None:
    assert onset.tail(1) == 1
    assert 0.15 < onset.tail(13) < 0.3
    assert onset.tail(1000) > 4e-4
    assert all(onset.tail(k) > onset.tail(k + 1) for k in range(1, 300))
