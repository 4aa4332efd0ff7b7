"""Spelling, punctuation, capitals and other mechanics."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import SIGNALS, Passage
from agents.signals.spelling import is_misspelt


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize(
    "word",
    [
        "recieve",
        "definately",
        "goverment",
        "seperate",
        "wierd",
        "beleive",
        "telivision",
        "imformation",
        "arguement",
        "becuase",
        "tommorow",
        "enviroment",
        "religon",
        "poeple",
        "thier",
        "oppinion",
        "xkcdqwv",
        "sfjiiytg",
        "acheive",
        "happyness",
        "educaton",
    ],
)
def test_misspellings_are_caught(word: str) -> None:
    assert is_misspelt(word)


@pytest.mark.parametrize(
    "word",
    [
        "receive",
        "colour",
        "color",
        "realise",
        "realize",
        "hermetic",
        "insular",
        "footsteps",
        "sunlight",
        "unhappily",
        "rewriting",
        "cardigan",
        "moonlit",
        "tidepools",
        "flickered",
        "weathered",
        "email",
        "website",
        "blog",
        "smartphone",
        "atheism",
        "vegetarian",
        "windowsill",
        "a",
        "i",
        "ok",
        "threadbare",
        "doorknob",
        "overthink",
        "multicoloured",
        "judgement",
        "labelled",
    ],
)
def test_words_of_english_are_let_be(word: str) -> None:
    assert not is_misspelt(word)


def test_names_code_and_capitals_are_no_misspellings() -> None:
    assert value("misspelling_rate", "Yesterday Bragonzi met Xylphert at the NQRTZ") == 0
    assert value("misspelling_rate", "Rename getUsrNme and usr_nme, then call cfgldr() or `xqzt`") == 0


def test_misspelling_rate_is_for_each_hundred_words() -> None:
    assert value("misspelling_rate", "i beleive the goverment is wierd") == pytest.approx(50)


def test_missing_apostrophes_are_counted_once_and_not_as_misspellings() -> None:
    text = "dont tell me thats wrong because im right"
    assert value("missing_apostrophe_rate", text) == pytest.approx(300 / 8)
    assert value("misspelling_rate", text) == 0


@pytest.mark.parametrize(
    "text",
    ["books are better then films", "you should of known", "your wrong about this", "its a bad idea", "alot of us"],
)
def test_confused_words_are_found_in_their_context(text: str) -> None:
    assert value("confused_word_rate", text) > 0


@pytest.mark.parametrize(
    "text", ["we ate and then left", "your dog is here", "its tail wags", "their house is red", "the cost of it"]
)
def test_the_same_words_used_rightly_are_let_be(text: str) -> None:
    assert value("confused_word_rate", text) == 0


def test_small_first_letters_are_counted_by_sentence() -> None:
    assert value("lowercase_sentence_share", "so it goes. And then. no way.") == pytest.approx(2 / 3)
    assert math.isnan(value("lowercase_sentence_share", "\u4f60\u597d\u3002"))


def test_a_small_i_is_found_and_other_letters_are_not() -> None:
    assert value("lowercase_i_rate", "i think i'm right") == pytest.approx(50)
    assert value("lowercase_i_rate", "I ran, i.e. I fled from Wi-Fi in Hawai'i and ski") == 0


def test_paragraphs_without_a_full_stop_are_counted() -> None:
    assert value("missing_terminal_share", "It is done\n\nIt is over.") == 0.5
    assert value("missing_terminal_share", "So it ends :)\n\nReally?\n\n\u597d\u3002") == 0


@pytest.mark.parametrize(
    "text",
    [
        "wait , what",
        "one,two and three",
        "really??",
        "no!!!",
        "well,, yes",
        "so.. what",
        "wrong.It is",
        "hm ( yes)",
        "eh?!",
    ],
)
def test_punctuation_faults_are_found(text: str) -> None:
    assert value("punctuation_fault_rate", text) > 0


@pytest.mark.parametrize(
    "text",
    [
        "Wait, what? No!",
        "It cost 3.50 in 1,000 shops.",
        "So... what?",
        "e.g. this, i.e. that",
        '"Why?" she said.',
        "a (b) c",
    ],
)
def test_good_punctuation_has_no_faults(text: str) -> None:
    assert value("punctuation_fault_rate", text) == 0


def test_marks_are_counted_for_each_hundred_words() -> None:
    text = "Red, green, blue; then black."
    assert value("comma_rate", text) == pytest.approx(40)
    assert value("semicolon_rate", text) == pytest.approx(20)
    assert value("punctuation_rate", text) == pytest.approx(80)
    assert value("comma_rate", "\u7ea2\uff0c\u7eff") > 0


def test_dashes_are_counted_and_hyphens_are_not() -> None:
    assert value("dash_rate", "He came\u2014late\u2014home - so -- late") == pytest.approx(400 / 6)
    assert value("dash_rate", "a well-known mother-in-law") == 0


@pytest.mark.parametrize(
    "text", ["Tom &amp; Anna", "it&#39;s", "caf\u00c3\u00a9", "don\u00e2\u20ac\u2122t", "a\ufffdb", "one<br>two"]
)
def test_broken_characters_are_found(text: str) -> None:
    assert value("mojibake_rate", text) > 0


def test_whole_characters_are_not_broken() -> None:
    assert value("mojibake_rate", "Caf\u00e9 & bar; \u201cna\u00efve\u201d \u4f60\u597d \U0001f600") == 0


def test_entities_are_no_semicolons() -> None:
    assert value("semicolon_rate", "Tom &amp; Anna") == 0


def test_drawn_out_words_are_found() -> None:
    assert value("repeated_letter_rate", "sooooo good") == pytest.approx(50)
    assert value("repeated_letter_rate", "ha lollollollollol") == pytest.approx(50)
    assert value("repeated_letter_rate", "see www.tool.example, chapter iii, 1000 balloons") == 0


def test_sentences_over_forty_five_words_run_on() -> None:
    assert value("run_on_share", "word " * 46 + ". Short one.") == 0.5
    assert value("run_on_share", "word " * 45) == 0


def test_doubled_words_are_found() -> None:
    assert value("doubled_word_rate", "we saw the the dog") == pytest.approx(20)
    assert value("doubled_word_rate", "she said that that was what she had had") == 0


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_token_can_be_spelling_checked(word: str) -> None:
    assert is_misspelt(word.lower()) in (True, False)
