"""What changed between two wordings, word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.word_edits import Edit, edits, marked

words = st.text(st.sampled_from("ab .,  \n字文"), max_size=60)


def told(old: str, new: str) -> str:
    return marked(edits(old, new))


@given(words, words)
def test_same_and_added_words_are_the_new_wording_and_same_and_removed_ones_the_old(old: str, new: str) -> None:
    found = edits(old, new)
    assert "".join(e.text for e in found if e.kind != "removed") == new
    left = "".join(e.text for e in found if e.kind != "added")
    assert "".join(left.split()) == "".join(old.split())


@given(words)
def test_a_wording_does_not_differ_from_itself(text: str) -> None:
    assert {e.kind for e in edits(text, text)} <= {"same"}


@given(st.lists(st.sampled_from(["one", "two", "three"]), max_size=12), st.sampled_from([" ", "  ", "\n"]))
def test_spaces_alone_make_no_difference(line: list[str], space: str) -> None:
    assert {e.kind for e in edits(" ".join(line), space.join(line))} <= {"same"}


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Prefer the longer text.", "Prefer the shorter text.", "Prefer the [-longer-] {+shorter+} text."),
        ("Be brief", "Be brief and clear", "Be brief {+and clear+}"),
        ("", "new words", "{+new words+}"),
        ("old words", "", "[-old words-]"),
        ("", "", ""),
        ("更短的文字", "更长的文字", "更[-短-]{+长+}的文字"),
    ],
)
def test_what_went_and_what_came_is_marked(old: str, new: str, shown: str) -> None:
    assert told(old, new) == shown


def test_neighbouring_words_make_one_edit() -> None:
    found = edits("a b c d", "a x y d")
    assert [e.kind for e in found] == ["same", "removed", "added", "same"]
    assert found[1:3] == (Edit(kind="removed", text="b c "), Edit(kind="added", text="x y "))
