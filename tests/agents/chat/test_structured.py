"""Asking, and asking again: what a model is told about a reply that cannot be read, and when it is told no more."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from agents.chat.endpoint import Call, Finish, Message, Reply, Tokens
from agents.chat.structured import QUOTED, Unreadable, ask, schema_of
from knowledge_base.errors import BadCall, InputError, TouchstoneError


class Judged(BaseModel):
    model_config = ConfigDict(title="judgment")

    reasoning: str
    verdict: Literal["A", "B"]


GOOD = '{"reasoning": "clear", "verdict": "A"}'
CALL = Call((Message("system", "Judge."), Message("user", "Which?")), "judge", schema_of(Judged), sample=3)


class Replies:
    """Replies in turn, and keeps what it was asked."""

    name, fingerprint = "openai:m", "openai:m"

    def __init__(self, *texts: str | tuple[str, Finish] | Exception) -> None:
        self._texts, self.calls = list(texts), list[Call]()

    async def reply(self, call: Call) -> Reply:
        self.calls.append(call)
        said = self._texts.pop(0)
        if isinstance(said, Exception):
            raise said
        text, finish = said if isinstance(said, tuple) else (said, "stop")
        return Reply(text, finish, Tokens(10, 0, 5), 0.1)


def asked(model: Replies, repairs: int = 2, language: str = "en") -> Judged:
    return asyncio.run(ask(model, CALL, Judged, repairs, language))


def refusal(model: Replies, repairs: int = 2) -> Unreadable:
    with pytest.raises(Unreadable) as error:
        asked(model, repairs)
    return error.value


def test_a_reply_that_fits_is_the_answer_and_costs_one_call() -> None:
    model = Replies(GOOD)
    assert asked(model) == Judged(reasoning="clear", verdict="A")
    assert model.calls == [CALL]


def test_a_repair_shows_the_reply_the_fault_and_the_schema() -> None:
    model = Replies('{"verdict": "perhaps"}', GOOD)
    assert asked(model).verdict == "A"
    repair = model.calls[1]
    assert repair.messages[:2] == CALL.messages
    assert repair.messages[2] == Message("assistant", '{"verdict": "perhaps"}')
    assert repair.messages[3].role == "user"
    complaint = repair.messages[3].content
    assert "reasoning: Field required; verdict: Input should be 'A' or 'B'" in complaint
    assert '"enum":["A","B"]' in complaint
    assert (repair.stage, repair.schema, repair.sample) == ("repair", CALL.schema, CALL.sample)


def test_a_second_repair_shows_both_replies_so_that_it_is_another_question() -> None:
    model = Replies("no", "no", GOOD)
    asked(model)
    assert [m.content for m in model.calls[2].messages if m.role == "assistant"] == ["no", "no"]
    assert len({call.key for call in model.calls}) == 3


@pytest.mark.parametrize("repairs", [0, 1, 2])
def test_after_its_repairs_it_gives_up_and_says_what_was_wanted_and_got(repairs: int) -> None:
    model = Replies(*["I think\ntext A is better."] * 3)
    error = refusal(model, repairs)
    assert len(model.calls) == repairs + 1 == error.tries
    assert isinstance(error, TouchstoneError)
    assert not error.refused
    assert error.fields == ("reasoning", "verdict")
    assert error.reply == "I think\ntext A is better."
    assert str(error) == (
        f"openai:m: reply {repairs + 1} could not be read: there is no JSON object in it; "
        "wanted reasoning, verdict, got 'I think text A is better.'"
    )


def test_a_refusal_is_not_argued_with() -> None:
    model = Replies(("I cannot help with that.", "refusal"))
    error = refusal(model)
    assert (len(model.calls), error.refused, error.tries) == (1, True, 1)
    assert "it refused" in str(error)


def test_a_refusal_to_a_repair_ends_it_too() -> None:
    model = Replies("no", ("No.", "refusal"))
    assert refusal(model).tries == 2


def test_a_reply_that_was_cut_off_is_asked_for_again_even_if_it_could_be_read() -> None:
    model = Replies((GOOD, "length"), GOOD)
    asked(model)
    assert "cut off for its length" in model.calls[1].messages[-1].content


def test_an_empty_reply_is_quoted_as_words_since_endpoints_refuse_empty_messages() -> None:
    model = Replies("  \n", GOOD)
    asked(model)
    assert model.calls[1].messages[2].content.strip()


def test_a_huge_reply_is_quoted_and_kept_in_part() -> None:
    model = Replies("x" * 100_000, "y" * 100_000, "z" * 100_000)
    error = refusal(model)
    assert all(len(m.content) <= QUOTED for m in model.calls[2].messages if m.role == "assistant")
    assert len(error.reply) == QUOTED
    assert len(str(error)) < 400


def test_a_repair_is_worded_in_the_language_of_the_prompts() -> None:
    model = Replies("不", GOOD)
    asked(model, language="zh")
    assert "请重新回答" in model.calls[1].messages[-1].content


def test_a_language_without_prompts_is_named() -> None:
    with pytest.raises(InputError, match="'xx'"):
        asked(Replies("no", GOOD), language="xx")


def test_what_the_model_raises_goes_up_as_it_is() -> None:
    with pytest.raises(BadCall, match="too long"):
        asked(Replies(BadCall("too long")))


def test_a_brace_of_a_template_in_a_fault_is_not_filled_in() -> None:
    model = Replies('{"{{schema}}": 1, "{{schema}}": 2}', GOOD)
    asked(model)
    assert "'{{schema}}' stands in it twice" in model.calls[1].messages[-1].content
