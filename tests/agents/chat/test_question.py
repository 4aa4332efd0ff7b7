"""What a chat judge is asked: blocks in their order, the criterion last, and the reply read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_conformance import text_pair
from made_up import criterion

from agents.chat.endpoint import Call
from agents.chat.fence import Fence, read_blocks
from agents.chat.prompts import load_prompt
from agents.chat.question import (
    call_together,
    criterion_text,
    judgment_of,
    one_line,
    overall_call,
    pair_call,
    point_call,
    verdict_on_pair,
    view_pair,
    view_point,
)
from agents.chat.replies import Missing, NumberedReply, PairReplies, PairReply
from agents.chat.text_limit import TextLimit
from agents.judgments import Order
from agents.pairs import Point

FENCE, LIMIT = Fence(b"known to no text", "a pair"), TextLimit()
CLEAR, DEEP = criterion("clear"), criterion("deep").model_copy(update={"not_when": "neither text argues"})
PAIR = text_pair("The first.", "The second.", "A question?")
LANGUAGES = ["en", "zh"]


def blocks(call: Call) -> list[tuple[str, str]]:
    return read_blocks(call.messages[-1].content)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("order", "first", "second"), [("ab", PAIR.a, PAIR.b), ("ba", PAIR.b, PAIR.a)])
def test_a_pair_is_shown_in_its_order_and_the_criterion_comes_last(
    language: str, order: Order, first: str, second: str
) -> None:
    shown = view_pair(PAIR, order, FENCE, LIMIT, language)
    call = pair_call(load_prompt("judge", language), shown, CLEAR, 0)
    asked = ("criterion", criterion_text(CLEAR))
    assert blocks(call) == [("prompt", PAIR.prompt), ("a", first), ("b", second), asked]
    assert call.messages[-1].content.endswith(f"[[/criterion {FENCE.mark}]]")
    assert (call.stage, call.schema["title"]) == ("judge", "judgment")


@pytest.mark.parametrize("language", LANGUAGES)
def test_several_criteria_are_numbered_from_one(language: str) -> None:
    shown = view_pair(PAIR, "ab", FENCE, LIMIT, language)
    call = call_together(load_prompt("judges", language), shown, [CLEAR, DEEP], 3)
    assert [name for name, _ in blocks(call)] == ["prompt", "a", "b", "criterion 1", "criterion 2"]
    assert blocks(call)[-1][1] == criterion_text(DEEP)
    assert (call.sample, call.schema["title"]) == (3, "judgments")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_single_text_is_shown_with_what_it_answers(language: str) -> None:
    shown = view_point(Point(id="1", text="A text.", label=1, prompt="Why?"), FENCE, LIMIT, language)
    call = point_call(load_prompt("point", language), shown, CLEAR, 0)
    assert blocks(call) == [("prompt", "Why?"), ("text", "A text."), ("criterion", criterion_text(CLEAR))]
    assert call.schema["title"] == "point"


@pytest.mark.parametrize("language", LANGUAGES)
def test_for_an_overall_verdict_all_criteria_stand_in_one_block(language: str) -> None:
    shown = view_pair(PAIR, "ab", FENCE, LIMIT, language)
    call = overall_call(load_prompt("overall", language), shown, [CLEAR, DEEP], 0)
    name, listed = blocks(call)[-1]
    assert name == "criteria"
    assert listed == f"- {CLEAR.words}\n- {DEEP.words}\n  Does not apply: neither text argues"


def test_a_pair_without_a_prompt_has_no_such_block() -> None:
    shown = view_pair(text_pair("One.", "Two."), "ab", FENCE, LIMIT, "en")
    assert [name for name, _ in read_blocks(shown.blocks)] == ["a", "b"]


def test_an_empty_text_still_has_its_block() -> None:
    shown = view_pair(text_pair("", ""), "ab", FENCE, LIMIT, "en")
    assert read_blocks(shown.blocks) == [("a", ""), ("b", "")]


def test_a_criterion_says_when_it_does_not_apply_only_if_it_knows() -> None:
    assert criterion_text(CLEAR) == "clear: What the tests of the core call clear."
    assert criterion_text(DEEP).splitlines()[1] == "Does not apply: neither text argues"


def test_a_criterion_in_a_list_takes_one_line_whatever_its_words() -> None:
    wild = CLEAR.model_copy(update={"description": "one\n- two: three\r\n\tfour", "not_when": "five\nsix"})
    assert one_line(wild) == "- clear: one - two: three four\n  Does not apply: five six"


def test_all_calls_about_a_pair_share_all_but_the_criterion() -> None:
    shown, prompt = view_pair(PAIR, "ab", FENCE, LIMIT, "en"), load_prompt("judge", "en")
    one, other = (pair_call(prompt, shown, c, 0).messages for c in (CLEAR, DEEP))
    assert one[0] == other[0]
    until = one[1].content.index("[[criterion ")
    assert one[1].content[:until] == other[1].content[:until]
    assert until > len(shown.blocks)


def test_what_is_cut_is_cut_alike_in_both_orders_and_known_to_be() -> None:
    long, tight = text_pair("Word after word. " * 500, "Short."), TextLimit(200)
    there, back = (dict(read_blocks(view_pair(long, o, FENCE, tight, "en").blocks)) for o in ("ab", "ba"))
    assert (there["a"], there["b"]) == (back["b"], back["a"])
    assert "words left out" in there["a"]
    assert view_pair(long, "ab", FENCE, tight, "en").truncated
    assert "略去" in dict(read_blocks(view_pair(long, "ab", FENCE, tight, "zh").blocks))["a"]


def test_a_long_prompt_is_cut_as_well() -> None:
    shown = view_pair(text_pair("One.", "Two.", "Why? " * 9000), "ab", FENCE, LIMIT, "en")
    assert shown.truncated
    assert len(shown.blocks) < 20_000


@given(st.sampled_from(["A", "B"]), st.sampled_from(["ab", "ba"]))
def test_a_verdict_and_its_way_back_meet(seen: str, order: Order) -> None:
    there = verdict_on_pair(seen, order)  # type: ignore[arg-type]  # one of the two letters
    assert verdict_on_pair(there, order) == seen
    assert (there == seen) == (order == "ab")


def test_a_reply_about_a_pair_becomes_a_judgment_of_it() -> None:
    shown = view_pair(PAIR, "ba", FENCE, LIMIT, "en")
    decided = judgment_of("k", PairReply(reasoning="Text A is.", verdict="A"), shown, "en")
    assert (decided.key, decided.status, decided.verdict, decided.margin) == ("k", "decided", "B", 1.0)
    assert decided.rationale == "Text B is."
    unsure = judgment_of("k", NumberedReply(criterion=1, reasoning="Hm.", verdict="unsure"), shown, "en")
    assert (unsure.status, unsure.verdict, unsure.hesitation, unsure.margin) == ("abstained", "abstain", "unsure", 0.0)
    failed = judgment_of("k", Missing("failed", "503"), shown, "en")
    assert (failed.status, failed.verdict, failed.rationale) == ("failed", "abstain", "503")


def test_of_replies_by_number_only_a_single_one_counts() -> None:
    replies = PairReplies.model_validate(
        {"judgments": [{"criterion": n, "reasoning": "", "verdict": v} for n, v in ((1, "A"), (2, "B"), (2, "B"))]}
    )
    found = [replies.by(number) for number in (1, 2, 3)]
    assert isinstance(found[0], NumberedReply)
    assert [type(reply) for reply in found[1:]] == [Missing, Missing]
