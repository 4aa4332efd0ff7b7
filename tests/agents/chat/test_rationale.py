"""A model's reasoning is kept short and printable, and speaks of the pair's own a and b."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.rationale import LONGEST, SHOWN_TURNED, shorten, tidy

NOTES = tuple(SHOWN_TURNED.values())


@given(st.text(st.characters(), max_size=2000), st.sampled_from(["ab", "ba"]), st.sampled_from(["en", "zh", "xx"]))
def test_whatever_a_model_writes_is_kept_short_and_printable(reasoning: str, order: str, language: str) -> None:
    kept = tidy(reasoning, order, language)  # type: ignore[arg-type]  # one of the two orders
    assert len(kept) <= LONGEST
    assert not {unicodedata.category(c) for c in kept} & {"Cc", "Cs", "Zl", "Zp"}
    assert kept == " ".join(kept.split())
    kept.encode()


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=500))
def test_plain_reasoning_about_texts_in_their_order_is_kept_as_it_is(reasoning: str) -> None:
    assert tidy(reasoning) == " ".join(reasoning.split())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Text A cites a study; text B does not.", "Text B cites a study; text A does not."),
        ("text A's claim, unlike Text B's, is checked", "text B's claim, unlike Text A's, is checked"),
        ("A clear plan makes text B better.", "A clear plan makes text A better."),
        ("文本 A 有数据，文本B没有。", "文本 B 有数据，文本A没有。"),
        ("Answer A is longer than answer B.", "Answer B is longer than answer A."),
        ("Neither says why.", "Neither says why."),
        ("The text a reader needs", "The text a reader needs"),
        ("It quotes text Aristotle wrote.", "It quotes text Aristotle wrote."),
    ],
)
def test_letters_change_places_where_b_was_shown_first(written: str, kept: str) -> None:
    assert tidy(written, "ba") == kept
    assert tidy(written, "ab") == written


@pytest.mark.parametrize("written", ["A's claim beats text B's.", "Text A loses: B has numbers.", "A > B", "B."])
def test_letters_that_nobody_can_place_are_left_with_a_note(written: str) -> None:
    assert tidy(written, "ba") == SHOWN_TURNED["en"] + written
    assert tidy(written, "ba", "zh") == SHOWN_TURNED["zh"] + written
    assert tidy(written, "ab") == written


@pytest.mark.parametrize("unfit", ["\x00", "\x1b[2J", "\u202e", "\u2066", "\ud83d", "\u200b", "\x9b", "\ufeff"])
def test_what_hides_turns_or_breaks_is_left_out(unfit: str) -> None:
    assert unfit[0] not in tidy(f"before{unfit}after")


def test_what_is_too_long_ends_in_dots() -> None:
    assert shorten("word " * 200) == ("word " * 119 + "word…")
    assert shorten("x" * 600) == "x" * 600
    assert shorten("x" * 601) == "x" * 599 + "…"
