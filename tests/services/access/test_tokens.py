"""Keys read back as they were made, and anything else is told to be none, without a word of what it was."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import AccessDenied
from services.access.tokens import ALPHABET, LENGTH, PATTERN, SECRET_LENGTH, Token, new_token, parse_token

TOKENS = st.builds(
    Token,
    st.text(ALPHABET, min_size=12, max_size=12),
    st.text(ALPHABET, min_size=SECRET_LENGTH, max_size=SECRET_LENGTH),
)


def test_a_new_key_reads_back_and_differs_from_the_next() -> None:
    made = [new_token() for _ in range(200)]
    assert [parse_token(t.text) for t in made] == made
    assert len({t.id for t in made}) == len({t.secret for t in made}) == 200


def test_a_secret_has_at_least_160_bits() -> None:
    assert SECRET_LENGTH * math.log2(len(ALPHABET)) >= 160


@given(TOKENS)
def test_every_key_has_the_shape_that_scanners_look_for(token: Token) -> None:
    assert re.fullmatch(PATTERN, token.text)
    assert len(token.text) == LENGTH
    assert re.findall(PATTERN, f"key={token.text}; other") == [token.text]
    assert parse_token(token.text) == token


@given(TOKENS, st.data())
def test_one_wrong_character_is_told(token: Token, data: st.DataObject) -> None:
    place = data.draw(st.integers(4, LENGTH - 1).filter(lambda i: token.text[i] != "_"))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda c: c != token.text[place]))
    with pytest.raises(AccessDenied, match="mistyped: its checksum does not fit"):
        parse_token(token.text[:place] + other + token.text[place + 1 :])


@given(TOKENS, st.integers(17, LENGTH - 8))
def test_two_characters_that_changed_places_are_told(token: Token, place: int) -> None:
    text = token.text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if swapped != text:
        with pytest.raises(AccessDenied, match="mistyped"):
            parse_token(swapped)


@given(st.one_of(st.text(max_size=80), st.from_regex(r"tsk_[0-9A-Za-z]{0,20}_[0-9A-Za-z]{0,50}\n?", fullmatch=True)))
def test_anything_else_is_no_key_and_is_not_repeated(text: str) -> None:
    if re.fullmatch(PATTERN, text):
        return
    with pytest.raises(AccessDenied, match=r"starts with tsk_ and has 55 characters") as caught:
        parse_token(text)
    assert caught.value.reason == "unauthenticated"
    assert len(text) < 12 or text not in str(caught.value)


def test_characters_that_only_look_like_digits_are_none() -> None:
    with pytest.raises(AccessDenied):
        parse_token("tsk_" + "\u0661" * 12 + "_" + "a" * 38)


def test_a_key_shows_its_secret_in_no_representation() -> None:
    token = new_token()
    assert token.secret not in f"{token} {token!r}"
    assert token.id in str(token)
