"""A long text is shown as far as it may be, at sensible places, and a line says what is missing."""

from __future__ import annotations

import re
import time
from typing import get_args

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agents.chat.text_limit import FEWEST, Keep, TextLimit, head_end, marker, reach, tail_start
from agents.chat.tokens import estimate_tokens
from knowledge_base.errors import InputError

LINE = re.compile(r"\[\.\.\. ([\d,]+) (words|characters) left out \.\.\.\]")
SENTENCES = [f"Sentence number {i} says little, and says it in about a dozen plain words." for i in range(400)]
PARAGRAPHS = "\n\n".join(" ".join(SENTENCES[i : i + 4]) for i in range(0, 400, 4))
keeps = st.sampled_from(get_args(Keep))
wild = st.text(st.characters(), max_size=300)


@st.composite
def long_texts(draw: st.DrawFn) -> str:
    """Texts of up to some 12,000 characters, of a few pieces each repeated many times."""
    pieces = draw(st.lists(st.tuples(wild, st.integers(1, 40)), max_size=6))
    return "".join(piece * times for piece, times in pieces)


@given(long_texts(), st.integers(FEWEST, 700), keeps, st.sampled_from(["en", "zh", "xx"]))
@example("longwordlongword " * 20_000 + "x" * 900_000, FEWEST, "head-tail", "en")
@example("x" * 50_000, FEWEST, "head-tail", "en")
@example("\ud83d" * 5_000, FEWEST, "head-tail", "zh")
@example("e" + "\u0301" * 9_000, 100, "head-tail", "en")
@example(" " * 50_000, 100, "head", "en")
def test_what_is_shown_is_never_longer_than_allowed(text: str, tokens: int, keep: Keep, language: str) -> None:
    shown = TextLimit(tokens, keep).show(text, language)
    assert estimate_tokens(shown.text) <= tokens
    assert shown.cut == (estimate_tokens(text) > tokens)
    assert shown.cut or shown.text == text


@given(long_texts(), st.integers(FEWEST, 700), keeps)
def test_what_is_shown_is_the_beginning_and_the_end_of_the_text_around_the_line(
    text: str, tokens: int, keep: Keep
) -> None:
    assume(estimate_tokens(text) > tokens and "left out" not in text)
    head, tail = _parts(TextLimit(tokens, keep).show(text).text)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert keep == "head-tail" or tail == ""


@given(long_texts(), st.integers(FEWEST, 300), keeps)
def test_the_same_text_is_always_cut_alike(text: str, tokens: int, keep: Keep) -> None:
    assert TextLimit(tokens, keep).show(text) == TextLimit(tokens, keep).show(text)


@pytest.mark.parametrize("tokens", [100, 500, 2000])
def test_nearly_all_that_is_allowed_is_used(tokens: int) -> None:
    for keep in get_args(Keep):
        assert estimate_tokens(TextLimit(tokens, keep).show(PARAGRAPHS).text) > 0.8 * tokens


def test_two_thirds_of_what_is_shown_are_head_and_one_third_is_tail() -> None:
    head, tail = _parts(TextLimit(1500).show(PARAGRAPHS).text)
    assert estimate_tokens(head) / estimate_tokens(tail) == pytest.approx(2, abs=0.4)


def test_the_line_counts_the_words_that_are_not_shown() -> None:
    shown = TextLimit(600).show(PARAGRAPHS).text
    found = LINE.search(shown)
    assert found is not None
    missing = int(found[1].replace(",", ""))
    head, tail = _parts(shown)
    assert len(head.split()) + missing + len(tail.split()) == len(PARAGRAPHS.split())


def test_a_script_without_spaces_is_counted_in_characters() -> None:
    assert marker("没有空格的文字" * 1000, "en") == "[... 7,000 characters left out ...]"
    assert marker("没有空格的文字" * 1000, "zh") == "[……略去 7,000 个字符……]"
    assert marker("some words " * 1000, "zh") == "[……略去 2,000 个词……]"
    assert marker("some words " * 1000, "fr") == "[... 2,000 words left out ...]"


def test_a_text_is_cut_after_a_paragraph_where_one_ends_near() -> None:
    head, tail = _parts(TextLimit(1500).show(PARAGRAPHS).text)
    assert PARAGRAPHS[len(head) :].startswith("\n\n")
    assert PARAGRAPHS[: -len(tail)].endswith("\n\n")


def test_a_text_without_paragraphs_is_cut_after_a_sentence() -> None:
    one = " ".join(SENTENCES)
    head, tail = _parts(TextLimit(1500).show(one).text)
    assert head.endswith("words.")
    assert tail.startswith("Sentence number")
    chinese = "这句话说得不多，一共也没有几个字。" * 400
    head, tail = _parts(TextLimit(1500).show(chinese).text)
    assert head.endswith("。")
    assert tail.startswith("这句话")


def test_a_text_without_sentences_is_cut_between_words() -> None:
    words = " ".join(f"word{i}" for i in range(5000))
    head, tail = _parts(TextLimit(1500).show(words).text)
    assert words[len(head)] == " "
    assert words[-len(tail) - 1] == " "


@pytest.mark.parametrize("tokens", range(100, 120))
def test_no_mark_is_torn_from_its_letter(tokens: int) -> None:
    text = "e\u0301" * 4000
    assert text[head_end(text, tokens)] == "e"
    assert text[tail_start(text, tokens)] == "e"


def test_a_first_line_that_is_kept_keeps_its_indentation() -> None:
    code = "\n\n".join(f"    def f{i}(self):\n        return {i}" for i in range(500))
    _, tail = _parts(TextLimit(300).show(code).text)
    assert tail.startswith("    def f")


@given(long_texts(), st.integers(1, 400), st.booleans())
def test_reach_is_as_far_as_the_tokens_go(text: str, tokens: int, backwards: bool) -> None:
    size = reach(text, tokens, backwards)
    assert estimate_tokens(text[len(text) - size :] if backwards else text[:size]) <= tokens
    more = size + 2 + size // 100
    assert size == len(text) or estimate_tokens(text[-more:] if backwards else text[:more]) > tokens


@pytest.mark.parametrize("unit", ["word ", "x", "字", "\n", "a.\n", "e\u0301", ". . "])
def test_five_megabytes_take_no_longer_than_reading_them(unit: str) -> None:
    text, limit = unit * (5_000_000 // len(unit)), TextLimit(3000)
    start = time.perf_counter()
    assert limit.show(text).cut
    assert time.perf_counter() - start < 1.5


def test_a_limit_that_shows_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="63 tokens"):
        TextLimit(63)


def _parts(shown: str) -> tuple[str, str]:
    """What stands before and after the line about what is missing."""
    line = LINE.search(shown)
    assert line is not None
    return shown[: line.start()].removesuffix("\n\n"), shown[line.end() :].removeprefix("\n\n")
