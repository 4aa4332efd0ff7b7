"""What a request may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.api.fields import Hex, Ident, Line, Name, storable


@given(st.text())
def test_what_is_storable_has_an_encoding_and_no_nul(text: str) -> None:
    try:
        kept = storable(text)
    except ValueError:
        assert "\x00" in text or any(0xD800 <= ord(c) <= 0xDFFF for c in text)
        return
    assert kept == text
    assert b"\x00" not in text.encode()


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "half \udfff"])
def test_what_no_database_takes_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Line).validate_python(text)


@pytest.mark.parametrize("name", ["web-quality", "a", "A.b_c-9", "x" * 64])
def test_names_are_plain(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".hidden", "a/b", "a b", "x" * 65, "é", "a\n", "../x"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@given(st.text(max_size=100))
def test_an_id_holds_nothing_that_means_anything_in_a_path(text: str) -> None:
    try:
        TypeAdapter(Ident).validate_python(text)
    except ValidationError:
        return
    assert not set(text) & set("/\\%?# \x00\n")


@pytest.mark.parametrize("digits", ["0" * 7, "0" * 65, "ABCDEF01", "g1234567"])
def test_a_hash_is_eight_to_sixty_four_lower_hex_digits(digits: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Hex).validate_python(digits)
