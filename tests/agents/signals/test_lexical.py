"""Diversity, density and rarity of words; diversity is checked against the lexicalrichness package."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import SIGNALS, Passage
from agents.signals.lexical import hdd, mtld

WORDS = (
    "the river ran under an old stone bridge where the children of the village used to fish in summer and skate in "
    "winter but the river was dry now and the bridge led nowhere so the children stayed at home and the village forgot "
    "the sound of water until one spring the rain came back and did not stop for forty days"
)


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


def test_type_token_ratio_counts_different_words() -> None:
    assert value("type_token_ratio", "the cat the dog") == 0.75
    assert value("type_token_ratio", "The the THE") == pytest.approx(1 / 3)


def test_root_ttr_divides_by_the_root_of_the_length() -> None:
    assert value("root_ttr", "the cat the dog") == pytest.approx(3 / 2)


@pytest.mark.parametrize("take", [42, 50, 60, 68])
def test_mtld_and_hdd_agree_with_lexicalrichness(take: int) -> None:
    lexicalrichness = pytest.importorskip("lexicalrichness")
    words = WORDS.split()[:take]
    reference = lexicalrichness.LexicalRichness(" ".join(words))
    assert mtld(Passage(" ".join(words))) == pytest.approx(reference.mtld(), rel=1e-6)
    assert hdd(Passage(" ".join(words))) == pytest.approx(reference.hdd(), rel=1e-6)


def test_diversity_needs_enough_words() -> None:
    assert math.isnan(value("mtld", "only nine words stand in this very short text"))
    assert math.isnan(value("hdd", " ".join(WORDS.split()[:41])))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["one", "two", "three", "four", "five", "six", "seven", "eight"]), min_size=42, max_size=120
    )
)
def test_diversity_stays_in_range_for_repetitive_texts(words: list[str]) -> None:
    passage = Passage(" ".join(words))
    assert 0 < hdd(passage) <= 1
    assert mtld(passage) > 0
    assert 0 <= SIGNALS["word_entropy"].batch([passage])[0] <= 3 + 1e-9


def test_a_text_of_different_words_has_finite_mtld() -> None:
    assert value("mtld", " ".join(f"word{chr(97 + i)}" for i in range(20))) == 20


def test_lexical_density_is_the_share_of_content_words() -> None:
    assert value("content_word_share", "The dog barked at the mailman") == pytest.approx(3 / 6)


def test_hapax_share_counts_words_used_once() -> None:
    assert value("hapax_share", "a rose is a rose") == pytest.approx(1 / 5)


def test_rare_words_are_rarer_than_common_ones() -> None:
    common, rare = "people make good things for their children", "zealots brandish serrated halberds amid ruined abbeys"
    assert value("mean_word_rarity", rare) > value("mean_word_rarity", common) + 1.5
    assert value("rare_word_share", common) == 0 < value("rare_word_share", rare)


def test_unknown_words_and_names_are_no_evidence_of_rarity() -> None:
    plain = "people make good things for their children"
    assert value("mean_word_rarity", plain + " Xqzzt xqzztq") == value("mean_word_rarity", plain)


def test_nominalisations_are_found_by_ending_and_exceptions_spared() -> None:
    assert value("nominalisation_rate", "The implementation of happiness needs equality and movement") == 50
    assert value("nominalisation_rate", "At that moment a question about the city station came up") == 0


def test_names_inside_sentences_are_proper_nouns() -> None:
    assert value("proper_noun_rate", "Yesterday Anna drove from Detroit to see me and I smiled") == pytest.approx(
        200 / 11
    )
    assert value("proper_noun_rate", "Yesterday we drove home and I smiled") == 0


def test_title_case_headings_and_capitals_are_no_names() -> None:
    assert value("proper_noun_rate", "How To Write A Good Title") == 0
    assert value("proper_noun_rate", "tv is BETTER than BOOKS for learning new things") == 0


def test_names_do_not_apply_to_scripts_without_case() -> None:
    assert math.isnan(value("proper_noun_rate", "\u4f60\u597d\u4e16\u754c"))


def test_abstract_and_sensory_words_are_told_apart() -> None:
    abstract, sensory = "Her grief became a longing for freedom", "The rusty hinge creaked in the cold grey dusk"
    assert value("abstract_noun_rate", abstract) > 30 > value("abstract_noun_rate", sensory) == 0
    assert value("sensory_word_rate", sensory) > 30 > value("sensory_word_rate", abstract) == 0


def test_entropy_of_equally_frequent_words_is_the_logarithm_of_their_number() -> None:
    assert value("word_entropy", "a b c d a b c d") == pytest.approx(2)
    assert value("word_entropy", "same same same") == 0


def test_chinese_words_are_measured_where_no_english_list_is_needed() -> None:
    text = "\u6211\u559c\u6b22\u82f9\u679c\uff0c\u4f60\u559c\u6b22\u82f9\u679c\u3002"
    assert 0 < value("type_token_ratio", text) < 1
    assert math.isnan(value("abstract_noun_rate", text))
