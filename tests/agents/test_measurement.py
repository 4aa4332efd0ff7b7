"""Each text is measured once, whatever is asked of it and however often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.signals.measurement import MemoryCache, measure, signals_version
from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS, Signal

NAMES = ("words", "chars", "mean_word_length")
texts = st.lists(st.sampled_from(["", "one", "one two", "Three words here.", "!?"]), max_size=6)


@pytest.fixture
def counted() -> Iterator[list[str]]:
    """A signal of the registry that remembers every text it measured."""
    seen: list[str] = []

    def batch(passages: Sequence[Passage]) -> NDArray[np.float64]:
        seen.extend(p.full_text for p in passages)
        return np.array([len(p.full_text) for p in passages], dtype=np.float64)

    SIGNALS["counted"] = Signal("counted", "test", "chars", 0, np.inf, "Counts.", "this project", "any", batch)
    yield seen
    del SIGNALS["counted"]


def test_a_text_that_stands_in_many_pairs_is_measured_once(counted: list[str]) -> None:
    found = measure([Passage("x"), Passage("yy"), Passage("x")], ["counted"], MemoryCache())
    assert found["counted"].tolist() == [1.0, 2.0, 1.0]
    assert sorted(counted) == ["x", "yy"]


def test_what_the_cache_knows_is_not_measured_again(counted: list[str]) -> None:
    cache = MemoryCache()
    measure([Passage("x")], ["counted"], cache)
    measure([Passage("x"), Passage("yy")], ["counted"], cache)
    assert sorted(counted) == ["x", "yy"]


def test_many_texts_are_each_measured_once_and_stand_in_their_order(counted: list[str]) -> None:
    texts = ["x" * i for i in range(1, 60)]
    found = measure([Passage(t) for t in texts], ["counted"], MemoryCache())
    assert found["counted"].tolist() == [float(len(t)) for t in texts]
    assert sorted(counted) == sorted(texts)


def test_the_same_text_for_another_prompt_is_another_passage(counted: list[str]) -> None:
    measure([Passage("x", "one"), Passage("x", "two")], ["counted"], MemoryCache())
    assert counted == ["x", "x"]


@given(texts)
def test_a_cache_changes_no_value(given_texts: list[str]) -> None:
    passages, cache = [Passage(t) for t in given_texts], MemoryCache()
    measure(passages[::2], NAMES[:2], cache)
    warm, cold = measure(passages, NAMES, cache), measure(passages, NAMES, MemoryCache())
    assert all(np.array_equal(warm[n], cold[n], equal_nan=True) for n in NAMES)


def test_values_that_do_not_apply_are_remembered_too() -> None:
    cache, passage = MemoryCache(), Passage("")
    measure([passage], ["mean_word_length"], cache)
    assert np.isnan(cache.get([passage.hash], ["mean_word_length"])[passage.hash]["mean_word_length"])


def test_an_unknown_signal_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="wrods"):
        measure([Passage("x")], ["wrods"], MemoryCache())


def test_nothing_asked_is_nothing_measured() -> None:
    assert measure([Passage("x")], [], MemoryCache()) == {}


def test_no_texts_are_empty_columns() -> None:
    assert len(measure([], ["words"], MemoryCache())["words"]) == 0


def test_the_cache_gives_back_what_it_was_given() -> None:
    cache, rows = MemoryCache(), [("h", "words", 1.0), ("h", "chars", 2.0), ("g", "words", 3.0)]
    cache.put(rows)
    assert cache.get(["h", "unknown"], ["words", "chars"]) == {"h": {"words": 1.0, "chars": 2.0}}


def test_the_version_of_the_signals_is_stable_and_short() -> None:
    assert signals_version() == signals_version()
    assert len(signals_version()) == 12
