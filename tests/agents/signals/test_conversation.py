"""Signals of conversational manners."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

RATES = [name for name, s in SIGNALS.items() if s.family == "conversation" and s.unit == "per 100 words"]

SHOWN = {
    "greeting_rate": [
        "Hello there, friend of mine.",
        "Good morning to all of you.",
        "I hope you are doing well today.",
    ],
    "refusal_rate": [
        "I'm sorry, but I can't help with that.",
        "I am not able to do this.",
        "I must decline this request.",
    ],
    "apology_rate": ["I apologize for the confusion.", "Sorry about that one.", "That was my mistake, of course."],
    "self_reference_rate": [
        "As an AI, I have no view on this.",
        "I'm just a language model, you know.",
        "It was in my training data.",
    ],
    "acknowledgement_rate": ["Great question!", "Sure, here it is for you.", "Good catch, I will fix it."],
    "offer_rate": ["Let me know if it works.", "Feel free to ask me again.", "Would you like me to go on?"],
    "addressee_rate": ["You can do it.", "This is for your own good.", "Hey folks, this is it."],
}


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SHOWN.items() for text in texts])
def test_each_manner_is_heard(name: str, text: str) -> None:
    assert value(name, text) > 0


@pytest.mark.parametrize("name", RATES)
def test_a_plain_statement_has_no_manners(name: str) -> None:
    assert value(name, "The river rises in the hills and runs to the sea.") == 0


@pytest.mark.parametrize("name", RATES)
def test_every_listed_manner_has_an_example(name: str) -> None:
    assert name in SHOWN


def test_a_rate_is_per_100_words() -> None:
    assert value("offer_rate", "let me know " + "word " * 97) == pytest.approx(1.0)


def test_a_refusal_told_of_others_is_none() -> None:
    assert value("refusal_rate", "He could not help with that, and they refused to go on.") == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Human: hi\n\nAssistant: hello", 2),
        ("**User:** hi\nplain", 1),
        ("Q: why?\nA: because", 2),
        ("<|im_start|>user", 1),
        ("The user: a study", 0),
        ("http://a: b", 0),
    ],
)
def test_turns_are_labels_that_open_a_line(text: str, count: int) -> None:
    assert value("turn_count", text) == count


@pytest.mark.parametrize("text", ["Is it?", "Is it?\n\n", 'She asked, "why?"', "\u662f\u5417\uff1f", "**Shall we?**"])
def test_a_closing_question_is_seen_in_any_script(text: str) -> None:
    assert value("closing_question", text) == 1


@pytest.mark.parametrize("text", ["Is it? Yes.", "", "No", "a?b"])
def test_a_question_elsewhere_does_not_close_the_text(text: str) -> None:
    assert value("closing_question", text) == 0


def test_phrases_are_read_in_english_only() -> None:
    assert math.isnan(value("apology_rate", "\u5bf9\u4e0d\u8d77\uff0c\u6211\u4e0d\u80fd\u8fd9\u6837\u505a\u3002"))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_every_value_keeps_its_range_on_wild_text(text: str) -> None:
    for signal in (s for s in SIGNALS.values() if s.family == "conversation"):
        found = signal.batch([Passage(text)])[0]
        assert math.isnan(found) or signal.low <= found <= signal.high
