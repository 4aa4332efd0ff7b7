"""Habits of literary prose, and those that tell machine prose from people's. The prose was written for these tests."""

from __future__ import annotations

import math

import pytest

from agents.signals import SIGNALS, Passage
from agents.signals.lexicons import phrases
from agents.signals.prose_lists import concrete_nouns, strong_verbs, verb_forms
from agents.signals.tags import tag_sentence

MACHINE = (
    "As the sun dipped below the horizon, Elena couldn't help but feel a sense of profound loss wash over her. The "
    "silence hung heavy in the air, a silent reminder of the life she had once known. Her heart pounded as she took a "
    "deep breath, steeling herself for what lay ahead. It wasn't just a house; it was a testament to the love and "
    "longing that had shaped her family. With each step, she felt the weight of unspoken words, tinged with regret and "
    "hope. In that moment, she realized that grief was not an ending, but a beginning."
)
PERSON = (
    "Dad kept the receipts in a Folgers can. I found it behind the dryer in March, rusted shut, and pried the lid with "
    "a butter knife. Gas, mostly. Two bus tickets to Tulsa. He never went to Tulsa. I sat on the washer and read them "
    "out loud until Ruth yelled down the stairs to quit it. She wanted the can for nails."
)


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize(
    "name",
    [
        "machine_phrase_rate",
        "cliche_rate",
        "expository_rate",
        "body_language_rate",
        "feeling_of_rate",
        "abstract_noun_rate",
        "abstract_ending",
        "and_coordination_rate",
        "participle_clause_rate",
        "negated_contrast_rate",
        "filter_word_rate",
        "as_clause_opening_share",
    ],
)
def test_habits_of_machine_prose_stand_out(name: str) -> None:
    assert value(name, MACHINE) > value(name, PERSON)


@pytest.mark.parametrize("name", ["concrete_noun_rate", "specific_noun_rate", "verb_strength_rate", "proper_noun_rate"])
def test_definite_things_and_actions_stand_out_in_a_persons_prose(name: str) -> None:
    assert value(name, PERSON) > value(name, MACHINE)


@pytest.mark.parametrize(
    ("name", "with_it", "without_it"),
    [
        ("cliche_rate", "It was the calm before the storm", "It was calm at noon"),
        ("machine_phrase_rate", "The room was a tapestry of light", "The room was full of light"),
        ("machine_phrase_rate", "She felt a mix of joy and dread", "She felt joy and dread"),
        ("participle_clause_rate", "He sat down, leaning on the wall", "He sat down, then leaned on the wall"),
        ("participle_clause_rate", "He sat down, his hands trembling", "He sat down in the morning"),
        ("simile_rate", "He ran as if wolves were near", "He ran when wolves were near"),
        ("simile_rate", "It was as cold as a tomb", "It was cold in the tomb"),
        ("adverb_rate", "She quickly closed the gate", "The family reply was friendly"),
        ("adjective_pile_rate", "the old wooden door", "the old door of wood"),
        ("passive_rate", "The house was built by monks", "The monks built a house"),
        ("triad_rate", "He packed bread, cheese, and wine", "He packed bread and cheese"),
        ("filter_word_rate", "She noticed the cold", "The cold bit her"),
        ("that_clause_rate", "She knew that he lied", "She knew that man"),
        ("relative_clause_rate", "The man who lied ran away", "The man lied and ran away"),
        ("and_coordination_rate", "They found love and loss", "They found love and left"),
        ("body_language_rate", "He clenched his jaw", "He chopped the wood"),
        ("intensifier_rate", "It was incredibly cold", "It was cold"),
        ("vague_word_rate", "Somehow something changed", "The lock changed"),
        ("verb_strength_rate", "He yanked the rope and trudged home", "He had the rope and was home"),
        ("be_verb_rate", "It was late and they were tired", "Night came and they slept"),
        ("expository_rate", "It gave her a sense of peace", "It gave her a coat"),
        ("feeling_of_rate", "A wave of grief came", "A cup of tea came"),
        ("negated_contrast_rate", "It was not a house but a tomb", "It was a house and a tomb"),
        ("negated_contrast_rate", "It wasn't fear; it was rage", "It was fear and it was rage"),
        ("dialogue_share", 'She said, "Go away, all of you."', "She told all of them to go away."),
        ("adjective_rate", "a cold grey wet day", "a day of rain"),
    ],
)
def test_a_habit_is_found_where_it_stands_and_only_there(name: str, with_it: str, without_it: str) -> None:
    assert value(name, with_it) > value(name, without_it) == 0


def test_that_clauses_need_a_clause() -> None:
    assert value("that_clause_rate", "I want that") == 0


def test_tenses_are_counted_apart() -> None:
    past, present = "She walked home and slept.", "She walks home and sleeps."
    assert value("past_tense_rate", past) > 0 == value("present_tense_rate", past)
    assert value("present_tense_rate", present) > 0 == value("past_tense_rate", present)


def test_a_change_of_tense_between_sentences_is_a_shift() -> None:
    assert value("tense_shift_share", "She walked home. She sleeps now. He sleeps too.") == 0.5
    assert value("tense_shift_share", "She walked home. He slept.") == 0
    assert math.isnan(value("tense_shift_share", "She walked home."))


def test_dialogue_share_is_of_characters() -> None:
    assert value("dialogue_share", '"aaaa bbbb"cccccccccc') == pytest.approx(11 / 21)
    assert value("dialogue_share", '"all of it is speech"') == 1


def test_the_ending_is_the_last_sentence() -> None:
    assert value("abstract_ending", "Love and grief. The dog barked.") == 0
    assert value("abstract_ending", "The dog barked. Love and grief.") == pytest.approx(200 / 3)


def test_adverbs_of_no_manner_do_not_count() -> None:
    assert value("adverb_rate", "The only early fly in July was ugly") == 0


@pytest.mark.parametrize(
    ("base", "forms"),
    [
        ("yank", {"yank", "yanks", "yanked", "yanking"}),
        ("scrape", {"scrape", "scrapes", "scraped", "scraping"}),
        ("grip", {"grip", "grips", "gripped", "gripping"}),
        ("scurry", {"scurry", "scurries", "scurried", "scurrying"}),
        ("snatch", {"snatch", "snatches", "snatched", "snatching"}),
        ("fling", {"fling", "flings", "flinged", "flinging", "flung"}),
    ],
)
def test_verb_forms_follow_the_spelling_rules(base: str, forms: set[str]) -> None:
    assert verb_forms(base) == forms


def test_lists_hold_forms_and_plurals() -> None:
    assert {"trudged", "yanking", "flung"} <= strong_verbs()
    assert {"knife", "shelves", "berries", "watches", "tomatoes"} <= concrete_nouns()


def test_there_are_enough_machine_phrases_and_cliches() -> None:
    assert phrases("machine_phrases").size > 400
    assert phrases("cliches").size > 700


@pytest.mark.parametrize(
    ("sentence", "tags"),
    [
        ("She quickly closed the wooden door", "PRP RB VBD DT JJ NN"),
        ("He had broken the plates", "PRP VBD VBN DT NNS"),
        ("I run to the store", "PRP VBP TO DT NN"),
        ("The run was long", "DT NN VBD JJ"),
        ("Detroit flickered in the distance", "NNP VBD IN DT NN"),
        ("We met Xanthippe twice", "PRP VBD NNP RB"),
    ],
)
def test_plain_sentences_are_tagged_as_a_grammar_would(sentence: str, tags: str) -> None:
    assert " ".join(tag_sentence(sentence.split())) == tags


@pytest.mark.parametrize("name", sorted(n for n, s in SIGNALS.items() if s.family in ("style", "grammar")))
def test_style_of_an_empty_text_does_not_apply(name: str) -> None:
    assert math.isnan(value(name, ""))
