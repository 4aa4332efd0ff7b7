"""Counts and lengths."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.signals import SIGNALS, Passage


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


TEXT = "We ran. The dogs barked at us all night long.\n\nThen it rained."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chars", len(TEXT)),
        ("words", 13),
        ("sentences", 3),
        ("paragraphs", 2),
        ("lines", 2),
        ("mean_word_length", 46 / 13),
        ("mean_sentence_words", 13 / 3),
        ("longest_sentence_words", 8),
        ("mean_paragraph_words", 6.5),
        ("short_sentence_share", 2 / 3),
        ("sd_sentence_words", math.sqrt(((2 - 13 / 3) ** 2 + (8 - 13 / 3) ** 2 + (3 - 13 / 3) ** 2) / 3)),
    ],
)
def test_sizes_are_counted_as_a_person_would(name: str, expected: float) -> None:
    assert value(name, TEXT) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["words", "sentences", "paragraphs", "lines", "longest_sentence_words"])
def test_an_empty_text_counts_nothing(name: str) -> None:
    assert value(name, "") == 0


@pytest.mark.parametrize("name", ["mean_word_length", "mean_sentence_words", "mean_paragraph_words"])
def test_means_of_nothing_do_not_apply(name: str) -> None:
    assert math.isnan(value(name, " \n "))


def test_spread_needs_two_sentences() -> None:
    assert math.isnan(value("sd_sentence_words", "Only one sentence here."))
    assert value("sd_sentence_words", "One two three. Four five six.") == 0


def test_six_words_are_short_and_seven_are_not() -> None:
    assert value("short_sentence_share", "One two three four five six.") == 1
    assert value("short_sentence_share", "One two three four five six seven.") == 0


def test_code_in_fences_adds_lines_and_characters_but_no_words() -> None:
    text = "Use this:\n```\nx = 1\ny = 2\n```\n"
    assert value("words", text) == 2
    assert value("lines", text) == 5
    assert value("chars", text) == len(text)


@given(st.lists(st.sampled_from(["rain", "fell", "softly", "here"]), min_size=1, max_size=60))
def test_words_are_as_many_as_were_written(words: list[str]) -> None:
    assert value("words", " ".join(words)) == len(words)
    assert value("mean_word_length", " ".join(words)) == pytest.approx(sum(map(len, words)) / len(words))
