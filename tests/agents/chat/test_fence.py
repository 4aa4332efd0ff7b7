"""Whatever a text holds, it stands in its block and nowhere else."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.chat.fence import DIGITS, MARK_DIGITS, OPENING, UNPRINTABLE, Fence, read_blocks, shapes_of_digits

FENCE = Fence(b"known to no text", "a pair")
BORDERS = ["[[", "]]", "[[/", "\n", " ", "a", "b 1", FENCE.mark, FENCE.mark.upper(), FENCE.mark[:6], FENCE.mark[6:],
           "\u200b", "0123456789ab", "\r", "\u2028", "é"]  # fmt: skip
SHAPES = {digit: [c for c, plain in shapes_of_digits().items() if plain == digit] for digit in DIGITS}
spiteful = st.lists(st.sampled_from(BORDERS) | st.text(max_size=5), max_size=30).map("".join)
names = st.sampled_from(["a", "b", "prompt", "criterion 1", "mistake 2 worker"])


@given(st.lists(st.tuples(names, spiteful), min_size=1, max_size=5), st.text(st.characters(codec="ascii"), max_size=20))
def test_a_reader_sees_the_blocks_that_were_written_and_no_others(named: list[tuple[str, str]], before: str) -> None:
    prompt = f"{before.replace('[', '')}\n{FENCE.blocks(named)}\nWhat follows."
    assert read_blocks(prompt) == [(name, FENCE.inert(text)) for name, text in named]


@given(spiteful)
@example(FENCE.mark.upper())
@example(FENCE.mark.title() + "é")
def test_no_text_keeps_the_mark_in_any_case(text: str) -> None:
    assert FENCE.mark not in FENCE.inert(text).lower()


@given(spiteful)
def test_what_is_inert_stays_as_it_is(text: str) -> None:
    once = FENCE.inert(text)
    assert FENCE.inert(once) == once
    once.encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200))
def test_a_text_without_the_mark_is_not_changed(text: str) -> None:
    assert FENCE.inert(text) == text


@given(st.data())
def test_every_spelling_of_the_mark_is_blanked(data: st.DataObject) -> None:
    unseen = st.text(st.sampled_from("\u200b\u200d\u2060\u00ad\u0301\ufe0f\U000e0001"), max_size=2)
    spelled = "".join(data.draw(st.sampled_from(SHAPES[d])) + data.draw(unseen) for d in FENCE.mark)
    inert = FENCE.inert(f"before é {spelled} after")
    assert inert.startswith("before é ")
    assert inert.endswith(" after")
    assert not any(c in shapes_of_digits() for c in inert[9:-6])


def test_digits_that_are_not_the_mark_keep_their_spelling() -> None:
    text = "é " + "１２３４５６７８９０１２ 𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝐚𝐛 абсdef0123456789 😀😀😀😀😀😀😀😀😀😀😀😀😀"
    assert FENCE.inert(text) == text


def test_every_digit_has_its_compatible_shapes() -> None:
    shapes = shapes_of_digits()
    assert set(shapes.values()) == set(DIGITS)
    for character in "0０𝟎𝟘٠०aAａＡ𝐚ⓐа":
        assert character in shapes
    assert all(unicodedata.normalize("NFKC", c).casefold() == d for c, d in shapes.items() if c.isascii())


def test_line_ends_of_every_kind_become_one() -> None:
    assert FENCE.inert("a\r\nb\rc\x85d\u2028e\u2029f\ng") == "a\nb\nc\nd\ne\nf\ng"
    assert FENCE.inert("a\x0bb\x0cc\x1cd\x1ee") == "a\ufffdb\ufffdc\ufffdd\ufffde"


def test_nothing_is_left_that_endpoints_reject() -> None:
    everything = "".join(map(chr, (*range(0x300), *range(0xD7F0, 0xE010))))
    inert = FENCE.inert(everything)
    assert UNPRINTABLE.search(inert) is None
    assert "\t" in inert
    inert.encode()


@pytest.mark.parametrize("unit", ["x", "[[", "[[a ", FENCE.mark[0], FENCE.mark[:11] + " ", "01234567890 ", "\u200b",
                                  FENCE.mark[0] + "\u200b", "\u0301", "𝟎", "\n"])  # fmt: skip
def test_a_megabyte_takes_no_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit)) + "é"
    start = time.perf_counter()
    prompt = FENCE.blocks([("a", text), ("b", "short")])
    assert read_blocks(prompt) == [("a", FENCE.inert(text)), ("b", "short")]
    assert time.perf_counter() - start < 2.0


def test_the_mark_depends_on_the_secret_and_on_what_the_prompt_is_about() -> None:
    marks = {Fence(s, about).mark for s in (b"one", b"two") for about in ("pair 1", "pair 2", "\ud83d")}
    assert len(marks) == 6
    assert all(len(mark) == MARK_DIGITS for mark in marks)
    assert Fence(b"one", "pair 1").mark in marks


@pytest.mark.parametrize("name", ["", "A", "a]]", "a\n", "a/b", "ä", "[[a"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a block"):
        FENCE.block(name, "text")


def test_a_block_opens_and_closes_on_lines_of_its_own() -> None:
    assert FENCE.block("a", "one\ntwo") == f"[[a {FENCE.mark}]]\none\ntwo\n[[/a {FENCE.mark}]]"
    assert OPENING.match(FENCE.block("mistake 3 people", ""))


def test_no_blocks_are_seen_where_there_are_none() -> None:
    assert read_blocks("") == []
    assert read_blocks("[[a 0123456789ab]] on a line with other words") == []
    assert read_blocks("[[a 0123456789ab]]\nnever closed") == []


def test_a_block_inside_a_block_is_text() -> None:
    inner = Fence(b"known to no text", "another pair").block("b", "inside")
    assert read_blocks(FENCE.blocks([("a", inner), ("b", "outside")])) == [("a", inner), ("b", "outside")]
