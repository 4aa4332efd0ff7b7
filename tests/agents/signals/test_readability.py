"""Readability formulas against the published arithmetic, and syllables against a dictionary."""

from __future__ import annotations

import math

import pytest

from agents.signals import SIGNALS, Passage
from agents.signals.readability import familiar_words
from agents.signals.syllables import count_syllables

FORMULAS = (
    "flesch_reading_ease", "flesch_kincaid_grade", "gunning_fog", "smog", "coleman_liau", "ari", "dale_chall",
    "difficult_word_share", "syllables_per_word",
)  # fmt: skip
EASY = "The cat sat on the mat. The dog ran to the park. We had fun."
HARD = (
    "Notwithstanding considerable methodological heterogeneity, longitudinal investigations demonstrate unequivocally "
    "that socioeconomic disadvantage constitutes an independent determinant of subsequent cardiovascular mortality."
)
SYLLABLES = {
    1: "the walked made house makes guard fire shoes eyes queue tongue league voice pie lies freed called world friend",
    2: "people table wanted being quiet business science reading changes watches lion social nation poem going playing "
    "equal language rhythm little settled movement careful lovely question giant create flower roses dying unique "
    "apples handled castle client fuel cruel heroes chaos hundred naked whispered edges darkness",
    3: "area idea beautiful video readable religion various serious period studio poetry graduate usual casual theory "
    "apartment violence museum creative annual happier easier earlier archaic mosaic remembered previous opinion "
    "champion delicious evidence argument example uniform natural forever",
    4: "actually society television education experience obedient material situation socialism biology reality",
}
PAIRS = [(word, count) for count, words in SYLLABLES.items() for word in words.split()]


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


def test_syllables_come_out_right_for_common_words() -> None:
    wrong = [(word, count, count_syllables(word)) for word, count in PAIRS if count_syllables(word) != count]
    assert len(wrong) <= 0.03 * len(PAIRS), wrong


@pytest.mark.parametrize("word", ["", "1999", "-", "hmm", "x", "\u0436\u0443\u043a", "bcdfg"])
def test_every_token_has_at_least_one_syllable(word: str) -> None:
    assert count_syllables(word) >= 1


def test_a_hyphenated_word_has_the_syllables_of_its_parts() -> None:
    assert count_syllables("mother-in-law") == 4


def test_flesch_reading_ease_follows_its_formula() -> None:
    # 15 words, 3 sentences, 15 syllables
    assert value("syllables_per_word", EASY) == 1.0
    assert value("flesch_reading_ease", EASY) == pytest.approx(206.835 - 1.015 * 5 - 84.6)


def test_flesch_kincaid_follows_its_formula() -> None:
    assert value("flesch_kincaid_grade", EASY) == pytest.approx(0.39 * 5 + 11.8 - 15.59)


def test_fog_and_smog_count_words_of_three_syllables() -> None:
    text = "The beautiful animal ran. It ran far."
    assert value("gunning_fog", text) == pytest.approx(0.4 * (3.5 + 100 * 2 / 7))
    assert value("smog", text) == pytest.approx(3.1291 + 1.043 * math.sqrt(30 * 2 / 2))


def test_coleman_liau_and_ari_count_letters() -> None:
    text = "abcd efgh. ijkl mnop."
    assert SIGNALS["ari"].scope == "english"
    from agents.signals.readability import ari, coleman_liau

    assert ari(Passage(text)) == pytest.approx(4.71 * 4 + 0.5 * 2 - 21.43)
    assert coleman_liau(Passage(text)) == pytest.approx(0.0588 * 400 - 0.296 * 50 - 15.8)


def test_dale_chall_adds_its_constant_above_five_percent() -> None:
    share = value("difficult_word_share", HARD)
    length = value("mean_sentence_words", HARD)
    assert share > 0.5
    assert value("dale_chall", HARD) == pytest.approx(15.79 * share + 0.0496 * length + 3.6365)
    assert value("dale_chall", EASY) == pytest.approx(0.0496 * 5)


def test_names_figures_and_inflections_of_easy_words_are_not_difficult() -> None:
    assert value("difficult_word_share", "In 1999 we met Prendergast and walked happily to his houses.") == 0


def test_the_word_list_is_dale_and_chall_s() -> None:
    assert 2500 < len(familiar_words()) < 4000
    assert {"cat", "school", "water"} <= familiar_words()


@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "flesch_reading_ease"])
def test_hard_prose_scores_above_easy_prose(name: str) -> None:
    assert value(name, HARD) > value(name, EASY)


def test_reading_ease_runs_the_other_way() -> None:
    assert value("flesch_reading_ease", HARD) < 0 < value("flesch_reading_ease", EASY)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("text", ["", "\u4f60\u597d\u4e16\u754c\u3002", "Der Hund ist gro\u00df und die Katze klein."])
def test_formulas_made_for_english_do_not_apply_elsewhere(name: str, text: str) -> None:
    assert math.isnan(value(name, text))
