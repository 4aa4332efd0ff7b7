"""The judge's prompts, in every language they come in: the same rules, the same places, the criterion last."""

from __future__ import annotations

import pytest

from agents.chat.prompts import languages, load_prompt
from agents.chat.replies import PairReplies, PairReply, PointReply
from agents.chat.structured import schema_of
from agents.chat.text_limit import MARKERS

PLACES = {
    "judge": ["mark", "pair", "criterion"],
    "judges": ["mark", "pair", "criteria"],
    "overall": ["mark", "pair", "criteria"],
    "point": ["mark", "text", "criterion"],
}
KINDS = {"judge": PairReply, "judges": PairReplies, "overall": PairReply, "point": PointReply}
BLOCKS = {"judge": ["a", "b", "criterion"], "judges": ["a", "b", "criterion 1"], "overall": ["a", "b", "criteria"],
          "point": ["text", "criterion"]}  # fmt: skip
every = pytest.mark.parametrize(("task", "language"), [(t, lang) for t in PLACES for lang in ("en", "zh")])


def system(task: str, language: str) -> str:
    return load_prompt(task, language).parts[0][1]


def test_there_are_prompts_in_english_and_chinese() -> None:
    assert {"en", "zh"} <= set(languages())


@every
def test_rules_come_first_and_the_places_stand_in_their_order(task: str, language: str) -> None:
    (first, rules), (second, question) = load_prompt(task, language).parts
    assert (first, second) == ("system", "user")
    assert "{{" not in rules
    at = [question.index(f"{{{{{place}}}}}") for place in PLACES[task]]
    assert at == sorted(at)
    assert question.endswith(f"{{{{{PLACES[task][-1]}}}}}")
    assert load_prompt(task, language).places == set(PLACES[task])


@every
def test_the_rules_name_every_field_and_every_value_of_the_reply(task: str, language: str) -> None:
    schema = schema_of(KINDS[task])
    properties = schema["properties"]
    if task == "judges":
        assert '"judgments"' in system(task, language)
        properties = properties["judgments"]["items"]["properties"]
    for field in properties:
        assert f'"{field}"' in system(task, language)
    for verdict in properties["verdict"]["enum"]:
        assert f'"{verdict}"' in system(task, language)


@every
def test_reasoning_comes_before_the_verdict_in_rules_and_schema(task: str, language: str) -> None:
    rules = system(task, language)
    assert rules.index('"reasoning"') < rules.index('"verdict"')
    shape = schema_of(KINDS[task])
    fields = list((shape["properties"]["judgments"]["items"] if task == "judges" else shape)["properties"])
    assert fields.index("reasoning") + 1 == fields.index("verdict")


@every
def test_the_rules_name_every_block_and_the_fence(task: str, language: str) -> None:
    for name in ("prompt", *BLOCKS[task]):
        assert f"`{name}`" in system(task, language)
    assert "[[name mark]]" in system(task, language) or "[[名称 标记]]" in system(task, language)


@every
def test_the_rules_show_the_line_that_stands_for_what_is_left_out(task: str, language: str) -> None:
    words, characters = MARKERS[language]
    assert words.format(1234) in system(task, language) or characters.format(1234) in system(task, language)


@every
def test_no_example_in_the_rules_prefers_a_text(task: str, language: str) -> None:
    assert '"verdict": "A"' not in system(task, language)
    assert '"verdict": "B"' not in system(task, language)
    assert '"verdict": "yes"' not in system(task, language)


@pytest.mark.parametrize("task", PLACES)
def test_both_languages_say_as_much(task: str) -> None:
    english, chinese = (system(task, language) for language in ("en", "zh"))
    assert [line.count("`") // 2 for line in english.splitlines() if "`" in line] == [
        line.count("`") // 2 for line in chinese.splitlines() if "`" in line
    ]
    assert english.count("\n# ") == chinese.count("\n# ") == 3


@every
def test_a_prompt_is_short(task: str, language: str) -> None:
    assert len(system(task, language)) < 2800
