"""Markdown and layout signals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

PAGE = """# Title

Some **bold** text with `code` and *stress*.

1. first
2. second
- third

| a | b |
|---|---|
| 1 | 2 |

> quoted

[link](https://example.org) and <https://example.org/b>

```python
# not a heading
- not a list **nor bold**
```
"""


def value(name: str, text: str) -> float:
    return float(SIGNALS[name].batch([Passage(text)])[0])


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("heading_count", 1),
        ("list_item_count", 3),
        ("numbered_item_count", 2),
        ("bold_count", 1),
        ("italic_count", 1),
        ("code_block_count", 1),
        ("inline_code_count", 1),
        ("table_row_count", 2),
        ("link_count", 2),
        ("quote_line_count", 1),
    ],
)
def test_each_construct_of_a_page_is_counted_and_code_is_left_out(name: str, count: int) -> None:
    assert value(name, PAGE) == count


@pytest.mark.parametrize(
    "name", [n for n, s in SIGNALS.items() if s.family == "formatting" and s.unit not in ("characters",)]
)
def test_plain_prose_has_no_markup(name: str) -> None:
    assert value(name, "Just a sentence, 2 * 3 * 4 = 24. Snake_case_name and a - b.") == 0


def test_underlined_headings_count() -> None:
    assert value("heading_count", "Title\n=====\n\nSub\n---\n\ntext") == 2


def test_a_hash_without_a_space_is_no_heading() -> None:
    assert value("heading_count", "#hashtag\n#include <x>") == 0


def test_a_table_without_outer_bars_counts_by_its_row_of_dashes() -> None:
    assert value("table_row_count", "a | b\n--|--\n1 | 2\n3 | 4\n\ndone") == 3


def test_an_either_or_bar_is_no_table() -> None:
    assert value("table_row_count", "read a | b here") == 0


def test_inline_code_rate_is_per_100_words() -> None:
    assert value("inline_code_rate", "`a` " + "word " * 49) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("\U0001f600", 1),
        ("\U0001f44d\U0001f3fd", 1),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 1),
        ("\U0001f1eb\U0001f1f7", 1),
        ("1 # *", 0),
        ("\u2764\ufe0f", 1),
    ],
)
def test_an_emoji_sequence_counts_once(text: str, count: int) -> None:
    assert value("emoji_rate", f"one two {text}") == pytest.approx(100 * count / len(Passage(f"one two {text}").words))


def test_html_tags_count_but_comparisons_do_not() -> None:
    assert value("html_tag_rate", "<p>one</p> two three four") == pytest.approx(
        100 * 2 / len(Passage("<p>one</p> two three four").words)
    )
    assert value("html_tag_rate", "if a < b and c > d then") == 0


def test_line_measures() -> None:
    assert value("mean_line_chars", "ab\n\nabcd") == 3
    assert value("blank_line_share", "\n\na\n\nb\n\n") == pytest.approx(1 / 3)
    assert value("markdown_share", "# a\nplain\n- b\nplain") == 0.5


def test_fenced_lines_count_as_markup() -> None:
    assert value("markdown_share", "```\na\nb\n```\nplain") == pytest.approx(2 / 5)


@pytest.mark.parametrize("text", ["", "   \n  "])
def test_an_empty_text_has_counts_of_zero_and_no_shares(text: str) -> None:
    assert value("heading_count", text) == 0
    assert math.isnan(value("mean_line_chars", text))
    assert math.isnan(value("blank_line_share", text))
    assert math.isnan(value("markdown_share", text))


@settings(deadline=None)
@given(st.text(alphabet="#*-_`|>[]()<a1. \n~\\\U0001f600", max_size=300))
def test_every_value_keeps_its_range_on_wild_text(text: str) -> None:
    for signal in (s for s in SIGNALS.values() if s.family == "formatting"):
        found = signal.batch([Passage(text)])[0]
        assert math.isnan(found) or signal.low <= found <= signal.high
