from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inert import cut, inert, shown


@given(st.text())
def test_nothing_that_acts_on_its_surroundings_is_left(text):
    kept = "\n\u00ad\u200c\u200d"
    left = [c for c in shown(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in kept]
    assert left in ([], ["\t"] * text.count("\t"))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M", "Zs"])))
def test_letters_numbers_and_signs_of_any_script_stay_as_they_are(text):
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\u202eb", "a[U+202E]b"), ("a\x00b", "a[U+0000]b"), ("\x1b[31m", "[U+001B][31m"), ("\ud800", "[U+D800]"),
        ("a\u2028b", "a[U+2028]b"), ("a\r\nb\rc", "a\nb\nc"), ("a\tb", "a\tb"), ("\U000e0041", "[U+E0041]"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)  # fmt: skip
def test_a_character_that_acts_is_shown_by_name(text, told):
    assert shown(text) == told


def test_a_long_text_is_cut_and_says_so():
    assert cut("abcdef", 3) == "abc … (the first 3 of 6 characters)"
    assert cut("abc", 3) == "abc"


def test_what_is_no_text_passes_as_it_is():
    assert inert(3.5) == 3.5
    assert inert("a\x00") == "a[U+0000]"
