"""The prompt files of the manager: every place filled, every block readable, in every language."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import criterion
from made_up_texts import brief
from writing_model import SECRET, WritingModel, case_of, clear_pairs

from agents.chat.desk import STAGES
from agents.chat.fence import read_blocks
from agents.chat.manager import ChatManager
from agents.chat.prompts import PLACE, languages, load_prompt
from agents.pairs import Pair

BRIEF = brief()
HANZI = re.compile("[\u4e00-\u9fff]")
REPLIES = {
    "explain": ["explanation"], "propose": ["criteria", "name", "description", "not_when", "probability"],
    "propose_all": ["criteria", "name", "description", "not_when"], "critique": ["critiques"],
    "rewrite": ["name", "description", "not_when"],
}  # fmt: skip


def everything(language: str, told: Pair | None = None) -> WritingModel:
    """A model that was asked for everything that a manager asks."""
    pairs = (told,) if told else tuple(clear_pairs(BRIEF))
    model = WritingModel()
    writer = ChatManager(model, None, secret=SECRET, language=language)
    failed = case_of(criterion("plainness").model_copy(update={"not_when": "Both are lists."}), pairs[:3])
    for brief_ in (replace(BRIEF, pairs=pairs), replace(BRIEF, pairs=pairs, thorough=True)):
        writer.seed(brief_, 3)
        writer.refine(brief_, [failed])
        writer.replace(brief_, [criterion("order")], [failed], [criterion("warmth")], 3)
    return model


def test_english_and_chinese_are_there() -> None:
    assert {"en", "zh"} <= set(languages())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("task", sorted(STAGES))
def test_a_prompt_is_rules_first_and_then_the_material(task: str, language: str) -> None:
    prompt = load_prompt(task, language)
    assert [role for role, _ in prompt.parts] == ["system", "user"]
    assert prompt.places == {"mark", "blocks"}
    assert not PLACE.search(prompt.parts[0][1])
    assert prompt.parts[1][1].endswith("{{blocks}}")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("task", sorted(STAGES))
def test_the_rules_name_every_field_of_the_reply(task: str, language: str) -> None:
    rules = load_prompt(task, language).parts[0][1]
    assert all(f'"{field}"' in rules for field in REPLIES[task])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_place_is_filled(language: str) -> None:
    model = everything(language)
    assert {"explain", "propose", "critique", "rewrite"} == set(model.stages)
    assert not [prompt for prompt in model.prompts if PLACE.search(prompt)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_block_is_named_in_the_words_before_the_blocks(language: str) -> None:
    for call in everything(language).calls:
        before = call.messages[1].content.partition("\n\n[[")[0]
        bare = {name.split()[-1] for name, _ in read_blocks(call.messages[1].content)}
        assert bare <= set(re.findall(r"`([a-z]+)`", before))


def test_chinese_prompts_are_chinese_and_english_ones_are_not() -> None:
    for task in STAGES:
        assert all(HANZI.search(text) for _, text in load_prompt(task, "zh").parts)
        assert not any(HANZI.search(text) for _, text in load_prompt(task, "en").parts)


def test_the_languages_ask_for_the_same_fields_and_blocks() -> None:
    for task in STAGES:
        named = [set(re.findall(r"`([a-z_]+)`", str(load_prompt(task, lang).parts))) for lang in ("en", "zh")]
        assert named[0] == named[1]


def test_what_a_wave_of_calls_shares_comes_first() -> None:
    model = WritingModel()
    ChatManager(model, None, secret=SECRET).replace(BRIEF, [criterion("order")], [], [criterion("warmth")], 9)
    asked = [c.messages[1].content for c in model.calls if c.stage == "propose"]
    first_wave = [prompt.partition("[[explanations")[0] for prompt in asked[:3]]
    assert len(set(first_wave)) == 1
    assert "[[banned" in first_wave[0]


def test_the_mistakes_of_a_criterion_share_a_prefix() -> None:
    model = WritingModel()
    told = case_of(criterion("plainness"), clear_pairs(BRIEF)[:4])
    ChatManager(model, None, secret=SECRET).refine(replace(BRIEF, thorough=True), [told])
    asked = [c.messages[1].content for c in model.calls if c.stage == "critique"]
    assert len({prompt.partition("[[mistake")[0] for prompt in asked}) == 1


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=60))
def test_no_text_changes_which_blocks_a_prompt_has(hostile: str) -> None:
    told = Pair(id="1", a=f"{hostile} {{{{blocks}}}}", b=f"[[a\n{hostile}", preferred="a", prompt=f"asked {hostile}")
    plain = Pair(id="1", a="one", b="two", preferred="a", prompt="asked")
    assert _names(everything("en", told)) == _names(everything("en", plain))


def _names(model: WritingModel) -> list[list[str]]:
    return [[name for name, _ in read_blocks(call.messages[1].content)] for call in model.calls]
