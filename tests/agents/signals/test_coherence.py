"""How sentences hang together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import coherence
from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS
from agents.signals.vectors import MOST_SENTENCES, cosine, embed_groups, sampled

SMOOTH = "The old bridge crosses the river. The bridge was built of stone. Its stones came from a quarry by the river."
JUMPY = "The old bridge crosses the river. Interest rates rose by a point. My cat refuses to eat tuna."
EMBEDDED = ("adjacent_similarity", "min_adjacent_similarity", "topic_drift", "sentence_centrality")


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize("name", ["adjacent_similarity", "min_adjacent_similarity", "sentence_centrality"])
def test_a_smooth_text_holds_together_better_than_a_jumpy_one(name: str) -> None:
    assert value(name, SMOOTH) > value(name, JUMPY) + 0.1


def test_a_jumpy_text_drifts_further() -> None:
    assert value("topic_drift", JUMPY) > value("topic_drift", SMOOTH) + 0.1


def test_the_lowest_similarity_is_below_the_mean() -> None:
    assert value("min_adjacent_similarity", SMOOTH) <= value("adjacent_similarity", SMOOTH)


def test_a_text_that_repeats_itself_does_not_drift() -> None:
    text = "The bridge is old. " * 6
    assert value("adjacent_similarity", text) == pytest.approx(1, abs=1e-5)
    assert value("topic_drift", text) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", EMBEDDED)
def test_one_sentence_has_no_coherence(name: str) -> None:
    assert math.isnan(value(name, "The old bridge crosses the river."))


def test_two_sentences_have_no_thirds() -> None:
    text = "The bridge is old. It is made of stone."
    assert math.isnan(value("topic_drift", text))
    assert not math.isnan(value("adjacent_similarity", text))


@pytest.mark.parametrize("name", EMBEDDED)
def test_other_languages_are_left_alone(name: str) -> None:
    assert math.isnan(
        value(name, "\u6865\u5f88\u65e7\u3002\u5b83\u662f\u77f3\u5934\u505a\u7684\u3002\u6cb3\u6c34\u6d41\u8fc7\u3002")
    )


def test_a_batch_gives_what_single_passages_give() -> None:
    passages = [Passage(SMOOTH), Passage("One sentence only, here."), Passage(JUMPY), Passage("")]
    for name in EMBEDDED:
        together = SIGNALS[name].batch(passages)
        apart = np.array([SIGNALS[name].batch([passage])[0] for passage in passages])
        np.testing.assert_array_equal(together, apart)


def test_pronoun_openings_point_back() -> None:
    assert value("pronoun_opening_share", "The bridge is old. It is stone. The river is wide.") == 0.5
    assert value("pronoun_opening_share", "The bridge is old. It's made of stone.") == 1
    assert math.isnan(value("pronoun_opening_share", "It is old."))


def test_given_words_stood_in_the_sentence_before() -> None:
    assert value("given_word_share", "The bridge crosses rivers. The river feeds a mill.") == pytest.approx(1 / 3)
    assert value("given_word_share", "The bridge is stone. My cat eats tuna.") == 0
    assert math.isnan(value("given_word_share", "The bridge is old."))


def test_few_sentences_are_all_embedded_and_many_by_their_ends() -> None:
    assert sampled(["a", "b"]) == ["a", "b"]
    many = [str(n) for n in range(100)]
    assert sampled(many) == [*many[:12], *many[88:]]
    assert len(sampled(many)) == MOST_SENTENCES


def test_the_gap_between_the_ends_of_a_long_text_is_no_neighbourhood() -> None:
    start, end = np.eye(2, dtype=np.float32)
    vectors = np.array([start] * 12 + [end] * 12)
    assert coherence._of(vectors, 100).lowest == 1
    assert coherence._of(vectors, 24).lowest == 0


def test_groups_come_back_as_they_were_given() -> None:
    first, none, second = embed_groups([["one bridge", "two rivers"], [], ["a cat"]])
    assert (len(first), len(none), len(second)) == (2, 0, 1)
    assert [len(group) for group in embed_groups([[], []])] == [0, 0]
    np.testing.assert_array_equal(second, embed_groups([["a cat"]])[0])


@given(
    st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=3),
    st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=3),
)
def test_a_cosine_is_symmetric_and_bounded(a: list[float], b: list[float]) -> None:
    one, other = np.array(a, dtype=np.float32), np.array(b, dtype=np.float32)
    assert -1 <= cosine(one, other) <= 1
    assert cosine(one, other) == pytest.approx(cosine(other, one))


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_word_measures_keep_their_range_on_wild_text(text: str) -> None:
    for name in ("pronoun_opening_share", "given_word_share"):
        found = value(name, text)
        assert math.isnan(found) or 0 <= found <= 1


def test_every_signal_is_documented() -> None:
    family = [signal for signal in SIGNALS.values() if signal.family == "coherence"]
    assert len(family) >= 6
    assert all(signal.definition and signal.source and signal.unit for signal in family)
