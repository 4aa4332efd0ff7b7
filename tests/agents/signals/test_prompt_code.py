"""What a review comment says of the diff it was written on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

DIFF = """@@ -20,6 +20,8 @@ class InvoicePrinter(Printer):
         rows = self.load_rows(path)
         for row in rows:
-            total_price += row.price
+            if row.is_refund:
+                continue
+            total_price += convert_currency(row.price)
         self.write_footer(rows)
"""

FAMILY = [signal for signal in SIGNALS.values() if signal.family == "prompt_code"]


def value(name: str, text: str, prompt: str = DIFF) -> float:
    return float(SIGNALS[name].batch([Passage(text, prompt)])[0])


def test_identifiers_of_the_change_are_told_from_those_around_it() -> None:
    text = "`convert_currency` should not run for refunds, and write_footer stays as it is."
    assert value("changed_identifier_count", text) == 1
    assert value("context_identifier_count", text) == 1
    assert value("prompt_identifier_count", text) == 2


def test_a_change_named_in_words_counts() -> None:
    assert value("changed_identifier_count", "Should we convert currency later?") == 1
    assert value("changed_identifier_count", "Should we convert the currency later?") == 0


def test_the_hunk_heading_is_context() -> None:
    assert value("context_identifier_count", "The InvoicePrinter does too much.") == 1


def test_coverage_is_the_share_of_changed_identifiers() -> None:
    every = "total_price, row, price, is_refund and convert_currency"
    assert value("changed_identifier_coverage", every) == 1
    assert value("changed_identifier_coverage", "Looks good to me.") == 0
    assert value("changed_identifier_coverage", "`is_refund` is new") == pytest.approx(0.2)


def test_an_edited_identifier_differs_between_the_two_sides() -> None:
    assert value("edited_identifier_count", "total_price is fine") == 0
    assert value("edited_identifier_count", "convert_currency is new") == 1


def test_an_invented_identifier_is_unknown_and_a_real_one_is_not() -> None:
    assert value("unknown_identifier_rate", "Call `load_rows` here.") == 0
    assert value("unknown_identifier_rate", "Call check_permissions() here.") > 0
    assert value("identifier_rate", "Call `load_rows` here.") == pytest.approx(
        100 / len(Passage("Call load_rows here.").words)
    )


def test_overlap_looks_at_each_side() -> None:
    assert value("added_line_overlap", "convert currency") == 1
    assert value("removed_line_overlap", "convert currency") == 0
    assert value("removed_line_overlap", "total price") == 1
    assert value("added_line_overlap", "The weather is nice.") == 0


def test_word_coverage_splits_identifiers() -> None:
    assert value("changed_word_coverage", "convert currency") == value("changed_word_coverage", "convertCurrency()")
    assert value("changed_word_coverage", "total price of the row, refund, convert currency, continue") == 1
    assert value("edited_word_coverage", "total price") == 0
    assert value("edited_word_coverage", "convert currency") > 0


def test_the_relevant_comment_is_closer_to_the_change_than_an_empty_one() -> None:
    good = "The price is now converted to another currency, and refunds are skipped in the total."
    empty = "Thanks for your work on this, have a nice weekend."
    for name in ("diff_similarity", "diff_conciseness", "diff_comprehensiveness", "diff_relevance"):
        assert value(name, good) > value(name, empty) + 0.1, name


def test_padding_costs_conciseness_and_not_comprehensiveness() -> None:
    good = "The price is now converted to another currency."
    padded = f"{good} The sun rises in the east. My dog likes long walks."
    assert value("diff_conciseness", padded) < value("diff_conciseness", good) - 0.1
    assert value("diff_comprehensiveness", padded) >= value("diff_comprehensiveness", good) - 1e-6


def test_relevance_is_the_harmonic_mean() -> None:
    text = "The price is now converted. Refunds are skipped."
    a, b = value("diff_conciseness", text), value("diff_comprehensiveness", text)
    assert value("diff_relevance", text) == pytest.approx(2 * a * b / (a + b))


def test_a_comment_that_repeats_the_code_is_seen() -> None:
    text = "total_price += convert_currency(row.price)"
    assert value("copied_line_share", text) == 1
    assert value("comment_only_code_share", text) == 1
    assert value("new_code_line_count", text) == 0
    assert value("copied_line_share", "This line converts the price.") == 0


def test_proposed_code_is_new() -> None:
    text = "Better:\n```python\nif not row.is_refund:\n    total_price += row.price\n```"
    assert value("new_code_line_count", text) == 1
    assert 0 < value("comment_only_code_share", text) < 1


def test_a_prompt_without_a_diff_has_no_diff_signals() -> None:
    prompt = "Write a function load_rows(path) that returns a list."
    diffless = [
        s.name for s in FAMILY if s.name.startswith(("diff_", "changed_", "edited_", "added_", "removed_", "context_"))
    ]
    assert len(diffless) == 12
    assert all(math.isnan(value(name, "def load_rows(path): pass", prompt)) for name in diffless)
    assert value("prompt_identifier_count", "def load_rows(path): pass", prompt) == 2


def test_code_in_the_prompt_is_read_for_identifiers() -> None:
    prompt = "Fix this:\n```python\ndef load_rows(path):\n    return open(path)\n```"
    assert value("prompt_identifier_count", "load_rows never closes the file at that path.", prompt) == 2


def test_a_prompt_without_code_has_no_identifiers() -> None:
    assert math.isnan(value("prompt_identifier_count", "Roses.", "Write a poem about love."))


def test_an_empty_comment_names_nothing() -> None:
    assert value("changed_identifier_count", "") == 0
    assert math.isnan(value("diff_relevance", ""))
    assert math.isnan(value("added_line_overlap", ""))


def test_every_signal_is_documented() -> None:
    assert all(signal.definition and signal.source and signal.unit for signal in FAMILY)


CHEAP = [signal for signal in FAMILY if not signal.name.startswith("diff_")]


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="ab_C`(). \n+-@{};=#\"'", max_size=150), st.text(alphabet="ab_C(). \n+-@{};=\"'", max_size=150))
def test_every_value_keeps_its_range_on_wild_text(text: str, change: str) -> None:
    passage = Passage(text, f"@@ -1,3 +1,3 @@ f\n{change}")
    for signal in CHEAP:
        found = signal.batch([passage])[0]
        assert math.isnan(found) or signal.low <= found <= signal.high, signal.name
