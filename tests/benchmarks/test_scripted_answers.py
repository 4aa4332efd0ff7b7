"""What an answer function is given, and how one is found by name."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.endpoint import Message
from agents.chat.fence import Fence
from benchmarks.scripted.answers import Request, load_answer
from benchmarks.scripted.letters import letters
from knowledge_base.errors import InputError

FENCE = Fence(b"secret", "a pair")
PLAIN = Request((Message("system", "Compare."), Message("user", FENCE.block("a", "one"))), "judgment", "m")


def test_a_digest_is_a_fixed_function_of_the_request() -> None:
    assert PLAIN.digest == "560dadacedc2d2087d26d28494753a2e"


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, model="n"),
        replace(PLAIN, title="point"),
        replace(PLAIN, sample=1),
        replace(PLAIN, messages=PLAIN.messages[:1]),
        replace(PLAIN, messages=(Message("user", "Compare."), PLAIN.messages[1])),
    ],
)
def test_whatever_decides_the_reply_changes_the_digest(other: Request) -> None:
    assert other.digest != PLAIN.digest


def test_the_temperature_does_not_change_the_digest() -> None:
    assert replace(PLAIN, temperature=0.7).digest == PLAIN.digest


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2, unique=True))
def test_words_cannot_move_from_one_message_to_the_next_unnoticed(words: list[str]) -> None:
    apart = Request((Message("user", words[0]), Message("user", words[1])))
    swapped = Request((Message("user", words[1]), Message("user", words[0])))
    joined = Request((Message("user", words[0] + words[1]),))
    assert len({apart.digest, swapped.digest, joined.digest}) == 3


def test_a_repair_turn_is_another_request_about_the_same_question() -> None:
    repair = replace(
        PLAIN, messages=(*PLAIN.messages, Message("assistant", "B, I think"), Message("user", "That is no JSON."))
    )
    assert repair.digest != PLAIN.digest
    assert repair.question == PLAIN.question
    assert repair.opening == PLAIN.messages
    assert repair.blocks == [("a", "one")]


def test_blocks_are_read_from_what_the_user_says_and_not_from_the_rules() -> None:
    rules = Message("system", FENCE.block("a", "an example"))
    assert Request((rules, PLAIN.messages[1])).blocks == [("a", "one")]


def test_an_answer_function_is_found_by_name() -> None:
    assert load_answer("benchmarks.scripted.letters:letters") is letters


def test_with_arguments_the_name_is_of_a_function_that_makes_one() -> None:
    made: object = load_answer("types:SimpleNamespace", {"depth": 3})
    assert made == SimpleNamespace(depth=3)


@pytest.mark.parametrize("name", ["", "letters", "no.such.module:x", "benchmarks.scripted.letters:no_such", ":x"])
def test_an_unknown_answer_function_is_named_in_the_complaint(name: str) -> None:
    with pytest.raises(InputError, match=r"package\.module:function"):
        load_answer(name)


def test_arguments_that_do_not_fit_are_named_in_the_complaint() -> None:
    with pytest.raises(InputError, match="depth"):
        load_answer("benchmarks.scripted.letters:letters", {"depth": 3})
