"""Repetition and the filter rules of web corpora."""

from __future__ import annotations

import math
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import SIGNALS, Passage

SHARES = [name for name, each in SIGNALS.items() if each.family == "repetition" and each.unit == "share"]


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


def test_repeated_lines_count_after_the_first() -> None:
    assert value("duplicate_line_share", "a\nb\na\n a \nc") == pytest.approx(2 / 5)


def test_repeated_paragraphs_count_after_the_first() -> None:
    assert value("duplicate_paragraph_share", "buy now\n\nstay\n\nbuy now") == pytest.approx(1 / 3)


def test_the_commonest_pair_of_words_is_measured_in_characters() -> None:
    # "big dog" twice: 12 of 12 + 3 + 5 characters
    assert value("top_2gram_share", "big dog and big dog again") == pytest.approx(12 / 20)


@pytest.mark.parametrize("name", ["top_2gram_share", "top_3gram_share", "top_4gram_share"])
def test_a_run_that_never_recurs_is_no_repetition(name: str) -> None:
    assert value(name, "every word in this line is different from all others") == 0


@pytest.mark.parametrize("name", ["top_2gram_share", "top_3gram_share", "top_4gram_share", "duplicate_5gram_share"])
def test_one_word_over_and_over_is_all_repetition(name: str) -> None:
    assert value(name, "spam " * 50) >= 0.9


def test_long_repeats_are_found_and_short_ones_are_not() -> None:
    once = "we the people of this town want a park "
    assert value("duplicate_5gram_share", once + "and " + once) == pytest.approx(0.475, abs=0.03)
    assert value("duplicate_10gram_share", once + "and " + once) == 0
    assert value("duplicate_10gram_share", (once + "and ") * 3) > 0.6


def test_gopher_symbols_are_counted_for_each_word() -> None:
    assert value("symbol_word_ratio", "# so ... it goes\u2026") == pytest.approx(3 / 3)


def test_lines_that_trail_off_are_counted() -> None:
    assert value("ellipsis_line_share", "read more...\nthe end.\nand so\u2026\nfine") == 0.5


def test_bullets_are_counted() -> None:
    assert value("bullet_line_share", "- one\n* two\n\u2022 three\nplain\n-5 degrees") == pytest.approx(3 / 5)


def test_tokens_without_letters_lower_the_alphabetic_share() -> None:
    assert value("alphabetic_word_share", "abc 123 --- d4") == 0.5


def test_stop_words_are_common_in_prose_and_rare_in_menus() -> None:
    assert value("stop_word_share", "It was the best of times and it was the worst of times") > 0.6
    assert value("stop_word_share", "Home Products Services Gallery Contact") == 0


def test_lines_of_prose_end_in_a_stop() -> None:
    assert value("terminal_punctuation_share", 'Yes.\nNo!\n"Why?"\nmenu') == 0.75
    assert value("terminal_punctuation_share", "\u597d\u3002\n\u83dc\u5355") == 0.5


def test_curly_braces_are_counted() -> None:
    assert value("curly_brace_rate", "hello {name} from {town}") == pytest.approx(100.0)


def test_page_furniture_is_recognised() -> None:
    assert value("boilerplate_rate", "Accept all. Read our privacy policy. Sign up for our newsletter.") > 30
    assert value("boilerplate_rate", "The heron waited in the reeds until the fish came up.") == 0


def test_compression_is_that_of_zlib() -> None:
    text = "na " * 400
    assert value("compression_ratio", text) == len(zlib.compress(text.encode(), 6)) / len(text)
    assert value("compression_ratio", text) < 0.05 < 1 < value("compression_ratio", "abc")


def test_sentences_that_open_alike_are_counted() -> None:
    assert value("sentence_opening_repetition", "She ran. She fell. He laughed. She wept.") == 0.5
    assert math.isnan(value("sentence_opening_repetition", "Only one here."))


def test_twin_sentences_are_found() -> None:
    twin = "The war began in spring that year. Nobody in town believed it. The war began in spring that year."
    assert value("sentence_similarity_max", twin) == 1
    assert value("sentence_similarity_max", "The war began in spring that year. Nobody in our town believed it.") == 0


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_an_empty_text_do_not_apply(name: str) -> None:
    assert math.isnan(value(name, ""))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dd", "\n"]), max_size=60))
def test_shares_stay_between_zero_and_one(parts: list[str]) -> None:
    values = [value(name, " ".join(parts)) for name in SHARES]
    assert all(math.isnan(each) or 0 <= each <= 1 for each in values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["red", "blue", "green", "sea", "sky"]), min_size=12, max_size=40))
def test_saying_everything_twice_never_lowers_repetition(words: list[str]) -> None:
    once, twice = " ".join(words), " ".join(words + words)
    assert value("duplicate_10gram_share", twice) >= value("duplicate_10gram_share", once)
    assert value("duplicate_10gram_share", twice) >= 0.49
