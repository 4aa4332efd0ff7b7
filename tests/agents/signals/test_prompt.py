"""What a text has to do with its prompt: words, copies, numbers, meaning."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

PROMPT = "Why do bridges sag in summer heat? Name 3 reasons, 20 words each."


def value(name: str, text: str, prompt: str = PROMPT) -> float:
    return float(SIGNALS[name].batch([Passage(text, prompt)])[0])


@pytest.mark.parametrize("name", [n for n, s in SIGNALS.items() if s.scope == "prompt"])
@pytest.mark.parametrize("prompt", ["", "  \n"])
def test_without_a_prompt_nothing_applies(name: str, prompt: str) -> None:
    assert math.isnan(value(name, "Heat makes steel longer.", prompt))


def test_coverage_is_the_share_of_the_prompt_that_returns() -> None:
    assert value("prompt_coverage", "steel bridge heat", "Bridges and heat.") == 1
    assert value("prompt_coverage", "Nothing alike.", "Bridges and heat.") == 0
    assert value("prompt_coverage", "the heat", "Bridges and heat.") == 0.5


def test_copying_is_seen_in_runs_of_four_words() -> None:
    assert value("prompt_copy_share", "Why do bridges sag in summer heat") == 1
    assert value("prompt_copy_share", "Heat makes steel longer so spans sink") == 0
    assert value("prompt_copy_share", "why do bridges sag now") == 0.5
    assert math.isnan(value("prompt_copy_share", "three words only"))


def test_novel_words_are_those_the_prompt_lacks() -> None:
    assert value("novel_word_share", "bridges expand", "bridge") == 0.5
    assert value("novel_word_share", "bridges", "bridge") == 0


def test_numbers_of_the_prompt_are_looked_for() -> None:
    assert value("prompt_number_share", "Here are 3 reasons.") == 0.5
    assert math.isnan(value("prompt_number_share", "3", "no numbers"))


def test_length_is_in_words_of_the_prompt() -> None:
    assert value("length_to_prompt", "one two three four", "one two") == 2


def test_an_answer_is_closer_to_its_prompt_than_to_another() -> None:
    text = "In hot weather the steel of a bridge expands, so the span sags. Dogs are nice."
    close, far = value("prompt_similarity", text), value("prompt_similarity", text, "Give me a recipe for onion soup.")
    assert close > far + 0.3
    assert -1 <= far <= close <= 1


def test_the_best_sentence_is_at_least_as_close_as_an_off_topic_one() -> None:
    both = value("prompt_sentence_similarity", "Bridges sag in summer because heat expands steel. Dogs bark.")
    assert both > value("prompt_sentence_similarity", "Dogs bark.")
    assert math.isnan(value("prompt_sentence_similarity", "..."))


def test_a_batch_gives_what_single_passages_give() -> None:
    passages = [
        Passage("Heat.", PROMPT),
        Passage("Soup. It is hot.", PROMPT),
        Passage("", PROMPT),
        Passage("no prompt"),
    ]
    for name in ("prompt_similarity", "prompt_sentence_similarity", "prompt_coverage"):
        together = SIGNALS[name].batch(passages)
        apart = np.array([SIGNALS[name].batch([passage])[0] for passage in passages])
        np.testing.assert_array_equal(together, apart)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=120), st.text(max_size=120))
def test_every_word_measure_keeps_its_range_on_wild_text(text: str, prompt: str) -> None:
    for name in ("prompt_coverage", "prompt_copy_share", "novel_word_share", "prompt_number_share", "length_to_prompt"):
        found = value(name, text, prompt)
        assert math.isnan(found) or SIGNALS[name].low <= found <= SIGNALS[name].high
