"""Signs of reasoning and evidence in arguments."""

from __future__ import annotations

import math

import pytest

from agents.signals import SIGNALS, Passage


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


ARGUED = (
    "School uniforms help students because they remove pressure to dress well. For example, a 2019 survey of 500 "
    "pupils found that bullying fell by 12%. However, uniforms cost money, so schools should lend them. If parents "
    "cannot pay, the school must help. Therefore uniforms are better than free dress."
)
SHOUTED = "uniforms suck!!!! nobody likes them lol they are so ugly and stupid go away uniforms"


@pytest.mark.parametrize(
    ("name", "with_it", "without_it"),
    [
        ("causal_rate", "We left because it rained", "We left and it rained"),
        ("causal_rate", "i like it cuz its fun to play", "i like it and it is fun to play"),
        ("causal_rate", "Smoking leads to cancer", "Smoking is like cancer"),
        ("contrast_rate", "It is cheap; however, it breaks", "It is cheap and it breaks"),
        ("contrast_rate", "On the other hand we could stay", "With one hand we could stay"),
        ("example_rate", "Some birds, for instance penguins, swim", "Some birds called penguins swim"),
        ("conditional_rate", "We go unless it rains", "We go while it rains"),
        ("conclusion_rate", "Therefore we must act", "Today we must act"),
        ("sequence_rate", "Firstly it is fair and secondly it is cheap", "It is fair and it is cheap"),
        ("addition_rate", "Moreover it is cheap", "It is cheap"),
        ("comparison_rate", "Books are better than films", "Books are good and films are good"),
        ("comparison_rate", "It is more useful than gold", "It is useful and it is gold"),
        ("study_rate", "Studies by researchers have shown this", "My friends by the lake have said this"),
        ("citation_rate", "According to Smith this is so", "To Smith this is so"),
        ("citation_rate", "This was shown before (Smith, 2019)", "This was shown before (by Smith)"),
        ("citation_rate", "This was shown before [3, 4]", "This was shown before [sic]"),
        ("statistic_rate", "It grew by 12 percent", "It grew by a bit"),
        ("statistic_rate", "It cost $40 to enter", "It cost a lot to enter"),
        ("statistic_rate", "Two out of three people agree", "Most of the people agree"),
        ("number_rate", "There were 1,200 of them", "There were many of them"),
        ("number_rate", "There were twelve of them", "There were some of them"),
        ("quotation_rate", 'He said "we will not leave" to us', "He said we will not leave to us"),
    ],
)
def test_a_marker_is_found_where_it_stands_and_only_there(name: str, with_it: str, without_it: str) -> None:
    assert value(name, with_it) > 0
    assert value(name, without_it) == 0


def test_rates_are_for_each_hundred_words() -> None:
    assert value("causal_rate", "He stayed because the rain fell on the town") == pytest.approx(100 / 9)


def test_the_longest_phrase_is_counted_once() -> None:
    assert value("causal_rate", "He stayed because of rain") == pytest.approx(20)


def test_all_connectives_are_the_sum_of_their_senses() -> None:
    senses = ("causal", "contrast", "example", "conditional", "conclusion", "sequence", "addition")
    assert value("connective_rate", ARGUED) == pytest.approx(sum(value(f"{sense}_rate", ARGUED) for sense in senses))


@pytest.mark.parametrize(
    "name",
    ["connective_rate", "reason_count", "statistic_rate", "number_rate", "developed_sentence_count", "comparison_rate"],
)
def test_a_reasoned_argument_scores_above_shouting(name: str) -> None:
    assert value(name, ARGUED) > value(name, SHOUTED)


def test_different_reasons_count_and_the_same_one_again_does_not() -> None:
    one = "Ban it because it kills people."
    assert value("reason_count", one) == 1
    assert value("reason_count", f"{one} {one}") == 1
    assert value("reason_count", f"{one} Also it costs too much money. Without it air is clean.") == 3


def test_a_marker_with_nothing_after_it_is_no_reason() -> None:
    assert value("reason_count", "Just because.") == 0


def test_addresses_are_counted() -> None:
    assert value("url_count", "See https://a.example/x?y=1 and www.b.example.") == 2
    assert value("url_count", "See a.example and b") == 0


def test_short_quoted_words_are_no_quotation() -> None:
    assert value("quotation_rate", 'He calls it "progress" and smiles') == 0


def test_a_year_alone_is_no_statistic() -> None:
    assert value("statistic_rate", "It happened in 1984") == 0


def test_english_markers_do_not_apply_to_chinese_but_numbers_do() -> None:
    text = "\u8fd9\u4e2a\u57ce\u5e02\u6709 500 \u4e2a\u5b66\u6821\u3002"
    assert math.isnan(value("causal_rate", text))
    assert value("number_rate", text) > 0


@pytest.mark.parametrize("name", ["causal_rate", "number_rate", "citation_rate", "quotation_rate"])
def test_rates_of_an_empty_text_do_not_apply(name: str) -> None:
    assert math.isnan(value(name, ""))
