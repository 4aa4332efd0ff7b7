"""What holds for every signal, whatever module it lives in and however wild the text."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import FAMILIES, SIGNALS, Passage, Signal

CHEAP = ("size", "readability", "lexical", "repetition", "evidence", "stance", "mechanics", "style", "grammar")
DIFF = "diff --git a/x.py b/x.py\n@@ -1,2 +1,2 @@\n-total = sum(values)\n+total = math.fsum(values)\n"
CORPUS = (
    Passage(""),
    Passage("   \n\t\n "),
    Passage("\x00\x00"),
    Passage("a\x00b", "\x00"),
    Passage("\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f"),
    Passage(
        "\u6211\u559c\u6b22\u5403\u82f9\u679c\uff0c\u56e0\u4e3a\u5b83\u4eec\u5f88\u751c\u3002",
        "\u4e3a\u4ec0\u4e48\uff1f",
    ),
    Passage("\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u061f \u0646\u0639\u0645."),
    Passage("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a"),
    Passage("\ud800 lone \udfff surrogates", "\ud83d"),
    Passage("1 2 3 4.5 $$x^2$$ %"),
    Passage("!!!???...,,,;;;"),
    Passage("one"),
    Passage("I think the house was old, and they left it because it rained. Why? Nobody knew!", "Why did they leave?"),
    Passage("`values` should use math.fsum here.", DIFF),
    Passage("```python\ndef f(x: int) -> int:\n    return x + 1\n```\nThis adds one.", "Write f."),
    Passage("def f(:\n  return ]]]\n" * 5),
    Passage("- a\n- b\n# c\n| d | e |\n<b>x</b> &amp; \ufffd"),
)

FRAGMENTS = (
    *("the", "I", "dont", "BAD", "like a", "was", "not just", "\u2019s", ",", ".", "!!", "\n\n", '"', "12%", "&amp;"),
    *("a sense of", "\u6211\u4eec", "http://x.y", "`z_q`", "leaning", "(2019)", "-", "--", "\ud800", "\u0301", "..."),
)


def _ids(signal: Signal) -> str:
    return signal.name


ALL = sorted(SIGNALS.values(), key=_ids)


@pytest.mark.parametrize("signal", ALL, ids=_ids)
def test_every_signal_is_documented(signal: Signal) -> None:
    assert len(signal.definition) > 10
    assert signal.definition.endswith((".", '"', ")")), signal.definition
    assert signal.unit
    assert signal.source
    assert signal.low < signal.high


def test_every_family_is_imported_and_declares_signals() -> None:
    modules = {module.__name__.rsplit(".", 1)[-1] for module in FAMILIES}
    families = {signal.family for signal in ALL}
    assert families == modules | {"size"}
    assert len(SIGNALS) > 200


@pytest.mark.parametrize("signal", ALL, ids=_ids)
def test_values_are_in_range_or_nan_on_a_wild_corpus(signal: Signal) -> None:
    values = signal.batch(CORPUS)
    assert values.shape == (len(CORPUS),)
    assert values.dtype == np.float64
    given_values = values[~np.isnan(values)]
    assert np.isfinite(given_values).all()
    assert ((signal.low - 1e-6 <= given_values) & (given_values <= signal.high + 1e-6)).all(), values


@pytest.mark.parametrize("signal", ALL, ids=_ids)
def test_the_same_text_gives_the_same_value(signal: Signal) -> None:
    fresh = [Passage(passage.full_text, passage.prompt) for passage in CORPUS]
    np.testing.assert_array_equal(signal.batch(CORPUS), signal.batch(fresh))


@pytest.mark.parametrize("signal", ALL, ids=_ids)
def test_a_batch_is_as_long_as_its_passages_even_when_empty(signal: Signal) -> None:
    assert signal.batch([]).shape == (0,)


@pytest.mark.parametrize("signal", [s for s in ALL if s.scope == "english"], ids=_ids)
def test_english_measures_do_not_apply_to_chinese(signal: Signal) -> None:
    assert math.isnan(signal.batch([Passage("\u6211\u559c\u6b22\u5403\u82f9\u679c\u3002")])[0])


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_cheap_signals_survive_any_text(text: str) -> None:
    passage = Passage(text)
    for signal in ALL:
        if signal.family in CHEAP:
            value = float(signal.batch([passage])[0])
            assert math.isnan(value) or signal.low - 1e-6 <= value <= signal.high + 1e-6, signal.name


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60))
def test_cheap_signals_survive_broken_english(parts: list[str]) -> None:
    passage = Passage(" ".join(parts))
    for signal in ALL:
        if signal.family in CHEAP:
            value = float(signal.batch([passage])[0])
            assert math.isnan(value) or signal.low - 1e-6 <= value <= signal.high + 1e-6, signal.name


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "." * 100_000, "a'" * 50_000, "1," * 50_000, "x, y, z and q " * 7_000, '"' * 100_000],
    ids=["letters", "stops", "apostrophes", "digits", "lists", "quotes"],
)
def test_hundred_thousand_characters_take_seconds_at_most(text: str) -> None:
    passage, start = Passage(text), time.process_time()
    for signal in ALL:
        if signal.family in CHEAP:
            signal.batch([passage])
    assert time.process_time() - start < 15
