"""The answer function that knows only length, on every task of the project."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.chat.endpoint import Message
from agents.chat.fence import Fence
from benchmarks.scripted.answers import Request
from benchmarks.scripted.letters import WRITERS, letters, task

FENCE = Fence(b"secret", "a pair")
PAIR = [("prompt", "Say it."), ("a", "a long text"), ("b", "short")]
CRITERION = ("criterion", "Clarity: the text is clear.\nDoes not apply: to lists")

ASKED: dict[str, list[tuple[str, str]]] = {
    "judgment": [*PAIR, CRITERION],
    "judgments": [*PAIR, ("criterion 1", "Clarity: x"), ("criterion 2", "Length: y"), ("criterion 3", "Tone: z")],
    "point": [("prompt", "Say it."), ("text", "t" * 120), CRITERION],
    "explanation": [("description", "answers"), ("preferred", "b"), ("reasons", "nice"), *PAIR],
    "criteria": [
        ("number", "3"),
        ("description", "answers"),
        ("explanations", "- long is good"),
        ("taken", "- Length 1: one\n- Length 2: two"),
        ("banned", "- Tone: bad"),
    ],
    "critiques": [CRITERION, *((f"mistake {i} {part}", "x") for i in (1, 2) for part in ("a", "b", "people"))],
    "criterion": [CRITERION, ("accuracy", "0.6"), ("critiques", "say how")],
}  # fmt: skip


def asked(blocks: list[tuple[str, str]], title: str = "") -> Request:
    return Request((Message("system", "Reply with JSON."), Message("user", FENCE.blocks(blocks))), title)


def reply(title: str, blocks: list[tuple[str, str]] | None = None) -> Any:
    return json.loads(letters(asked(blocks or ASKED[title], title)))


def test_every_task_has_a_writer() -> None:
    assert set(WRITERS) == set(ASKED)


@pytest.mark.parametrize("title", ASKED)
def test_a_task_is_known_by_its_blocks_where_no_schema_was_sent(title: str) -> None:
    assert task(asked(ASKED[title])) == title
    assert letters(asked(ASKED[title])) == letters(asked(ASKED[title], title))


def test_a_list_of_criteria_is_judged_as_one_judgment() -> None:
    assert task(asked([*PAIR, ("criteria", "- Clarity: x\n- Tone: y")])) == "judgment"


@pytest.mark.parametrize(
    ("a", "b", "verdict"), [("long text", "short", "A"), ("x", "yy", "B"), ("xx", "yy", "equal"), ("", "", "equal")]
)
def test_the_longer_text_is_better(a: str, b: str, verdict: str) -> None:
    said = reply("judgment", [("a", a), ("b", b), CRITERION])
    assert list(said) == ["reasoning", "verdict"]
    assert said["verdict"] == verdict


def test_each_criterion_of_a_call_gets_a_judgment_with_its_number() -> None:
    said = reply("judgments")["judgments"]
    assert [(j["criterion"], j["verdict"]) for j in said] == [(1, "A"), (2, "A"), (3, "A")]


@pytest.mark.parametrize(("text", "verdict"), [("t" * 120, "yes"), ("t", "no"), ("", "unsure")])
def test_a_text_by_itself_is_good_if_it_is_long(text: str, verdict: str) -> None:
    assert reply("point", [("text", text), CRITERION])["verdict"] == verdict


@pytest.mark.parametrize(("preferred", "said"), [("a", "6 characters longer"), ("b", "6 characters shorter")])
def test_an_explanation_speaks_of_the_preferred_text(preferred: str, said: str) -> None:
    assert said in reply("explanation", [("preferred", preferred), *PAIR])["explanation"]


def test_as_many_criteria_are_proposed_as_were_asked_for_and_none_that_is_taken() -> None:
    said = reply("criteria")["criteria"]
    assert [c["name"] for c in said] == ["Length 4", "Length 5", "Length 6"]
    assert all({"name", "description", "not_when", "probability"} == set(c) for c in said)


def test_there_is_one_critique_a_mistake() -> None:
    assert len(reply("critiques")["critiques"]) == 2


def test_a_rewrite_keeps_the_name() -> None:
    said = reply("criterion")
    assert said == {"name": "Clarity", "description": "the text is clear. Count every character.", "not_when": ""}


def test_anything_else_gets_a_plain_sentence() -> None:
    assert letters(Request((Message("user", "Hello!"),))) == "I was sent 6 characters."
    assert letters(Request((Message("user", "Hello!"),), "recipe")) == "I was sent 6 characters."


def test_a_repair_turn_is_answered_like_the_question() -> None:
    first = asked(ASKED["judgment"], "judgment")
    turns = (Message("assistant", "hm"), Message("user", FENCE.block("a", "no text of the pair")))
    assert letters(Request((*first.messages, *turns), "judgment")) == letters(first)
