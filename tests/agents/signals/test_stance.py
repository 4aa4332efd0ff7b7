"""Certainty, person, feeling, courtesy and register."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import SIGNALS, Passage
from agents.signals.polarity import intensities, score_words, sentiment_lexicon


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize(
    ("name", "with_it", "without_it"),
    [
        ("hedge_rate", "Perhaps it might rain", "Soon it will rain"),
        ("booster_rate", "This is clearly and obviously wrong", "This is new and old"),
        ("absolute_rate", "Everyone always lies", "People often lie"),
        ("modal_rate", "You shouldn't go", "You are going home"),
        ("first_person_rate", "I lost my keys", "You lost your keys"),
        ("second_person_rate", "u lost ur keys in the car", "He lost his keys in the car"),
        ("third_person_rate", "She lost her keys", "I lost my keys"),
        ("emotion_rate", "Her grief turned to rage", "Her house turned to dust"),
        ("insult_rate", "You are an idiot", "You are an actor"),
        ("politeness_rate", "Could you please look at this, thanks", "Look at this"),
        ("suggestion_rate", "Consider using a list instead", "This is a list of names"),
        ("slang_rate", "lol thats gonna be gr8 cuz its fun", "That will be great fun for us"),
        ("contraction_rate", "It's late and we don't care", "It is late and we do not care"),
        ("negation_rate", "It was not there", "It was over there"),
        ("obligation_rate", "We have to leave", "We chose to leave"),
        ("capitals_rate", "this is WRONG and BAD", "this is wrong and bad"),
        ("exclamation_rate", "Stop it!!!", "Stop it."),
    ],
)
def test_a_marker_is_found_where_it_stands_and_only_there(name: str, with_it: str, without_it: str) -> None:
    assert value(name, with_it) > 0
    assert value(name, without_it) == 0


def test_a_run_of_exclamation_marks_is_one_exclamation() -> None:
    assert value("exclamation_rate", "Stop it now please!!!!") == pytest.approx(25)


def test_acronyms_are_no_shouting() -> None:
    assert value("capitals_rate", "NASA and the BBC met in the USA") == 0


def test_possessives_are_no_contractions() -> None:
    assert value("contraction_rate", "Anna's dog chewed the teacher's book") == 0


def test_questions_are_counted_by_sentence() -> None:
    assert value("question_rate", 'Why? I do not know. "Who is it?" Nobody.') == 0.5
    assert value("question_rate", "\u4f60\u597d\u5417\uff1f\u597d\u3002") == 0.5


def test_imperatives_open_with_a_bare_verb() -> None:
    assert value("imperative_share", "Use a list here. It is faster. Remove the loop.") == pytest.approx(2 / 3)
    assert value("imperative_share", "Users like lists.") == 0


def test_praise_is_positive_and_blame_negative() -> None:
    praise, blame = "A wonderful, brilliant and useful book", "A terrible, boring and harmful book"
    assert value("sentiment", praise) > 0.3 > -0.3 > value("sentiment", blame)
    assert value("positive_rate", praise) > 0 == value("negative_rate", praise)
    assert value("negative_rate", blame) > 0 == value("positive_rate", blame)


def test_negation_turns_polarity_round_and_weakens_it() -> None:
    good, not_good = value("sentiment", "The book is good"), value("sentiment", "The book is not good")
    assert not_good == pytest.approx(-0.5 * good)


def test_an_adverb_of_degree_strengthens_the_next_word() -> None:
    assert "very" in intensities()
    assert value("sentiment", "The book is very good") > value("sentiment", "The book is good")


def test_harm_and_benefit_count_though_they_are_no_adjectives() -> None:
    assert value("sentiment", "Smoking kills people and causes cancer") < 0
    assert value("sentiment", "Vaccines protect people") > 0


def test_plain_facts_are_less_subjective_than_opinions() -> None:
    assert value("subjectivity", "The train leaves at nine") < value("subjectivity", "What a lovely, charming train")


def test_a_text_without_polar_words_is_neutral_and_an_empty_one_is_nothing() -> None:
    assert value("sentiment", "The train leaves the station at nine") == 0
    assert math.isnan(value("sentiment", ""))


def test_the_lexicon_is_in_range() -> None:
    scores = sentiment_lexicon().values()
    assert len(scores) > 1500
    assert all(-1 <= polarity <= 1 and 0 <= subjectivity <= 1 for polarity, subjectivity in scores)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "very", "not", "extremely", "awful", "tea", "no"]), max_size=20))
def test_scores_stay_in_range_however_words_pile_up(words: list[str]) -> None:
    assert all(-1 <= polarity <= 1 and 0 <= subjectivity <= 1 for polarity, subjectivity in score_words(words))


def test_english_markers_do_not_apply_to_other_languages() -> None:
    assert math.isnan(value("hedge_rate", "Der Hund ist vielleicht sehr gro\u00df und nicht klein."))
