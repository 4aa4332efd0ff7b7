"""Fenced code blocks, as CommonMark cuts them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.fences import Block, read_fences


def test_a_block_has_a_hint_and_its_lines() -> None:
    fenced = read_fences("before\n```python\nx = 1\n\ny = 2\n```\nafter")
    assert fenced.blocks == (Block("python", ("x = 1", "", "y = 2")),)
    assert fenced.outside == ("before", "after")
    assert fenced.blocks[0].code == "x = 1\n\ny = 2"


def test_the_hint_is_the_first_word_in_lower_case() -> None:
    assert read_fences("```JS title=a.js\n1\n```").blocks[0].hint == "js"
    assert read_fences("``` {.rust}\n1\n```").blocks[0].hint == "rust"


def test_an_unclosed_fence_runs_to_the_end() -> None:
    assert read_fences("```\na\nb").blocks == (Block("", ("a", "b")),)


def test_tildes_do_not_close_backticks_and_a_shorter_fence_does_not_close_a_longer_one() -> None:
    assert read_fences("```\n~~~\n```").blocks == (Block("", ("~~~",)),)
    assert read_fences("````\n```\n````").blocks == (Block("", ("```",)),)


def test_a_fence_with_a_hint_does_not_close_a_block() -> None:
    assert read_fences("```\n```python\n```").blocks == (Block("", ("```python",)),)


def test_a_fence_inside_a_list_item_is_one_too() -> None:
    assert len(read_fences("1. do\n   ```sh\n   ls\n   ```\n2. done").blocks) == 1


def test_backticks_in_a_line_open_nothing() -> None:
    assert read_fences("use ```x``` here").blocks == ()


@settings(deadline=None)
@given(st.lists(st.sampled_from(["```", "~~~", "````", "```py", "text", "", "  ```"]), max_size=30))
def test_no_line_but_the_fences_is_lost(lines: list[str]) -> None:
    fenced = read_fences("\n".join(lines))
    kept = list(fenced.outside) + [line for block in fenced.blocks for line in block.lines]
    assert kept.count("text") == lines.count("text")
