"""The estimate of tokens against a real tokenizer: the WordPiece one that comes with the embedding model."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.tokens import estimate_tokens
from knowledge_base.model_files import DEFAULT_MODEL, model_folder

ROOT = Path(__file__).parents[3]
PROSE = ["README.md", "LICENSE", "docs/how-it-works.md", "docs/critiq.md", "docs/catalogue.md"]
CODE = ["agents/aggregation.py", "agents/graph.py"]


@cache
def word_pieces() -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder(DEFAULT_MODEL) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def counted(text: str) -> int:
    return len(word_pieces().encode(text, add_special_tokens=False).ids)


def pieces(path: str) -> list[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return [text[at : at + 3000] for at in range(0, len(text) - 500, 3000)]


@pytest.mark.parametrize("path", PROSE)
def test_ordinary_english_is_estimated_within_a_tenth_below_and_half_above(path: str) -> None:
    for piece in pieces(path):
        assert 0.9 < estimate_tokens(piece) / counted(piece) < 1.5, piece[:80]


def test_answers_in_plain_words_are_estimated_closely_on_average() -> None:
    rows = (ROOT / "services/samples/howto_answers.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [row[side] for row in map(json.loads, rows) for side in ("a", "b")]
    ratios = [estimate_tokens(text) / counted(text) for text in texts]
    assert 1.0 < sum(ratios) / len(ratios) < 1.2
    assert min(ratios) > 0.9


@pytest.mark.parametrize("path", CODE)
def test_code_is_not_underestimated(path: str) -> None:
    for piece in pieces(path):
        assert estimate_tokens(piece) > 0.95 * counted(piece)


@pytest.mark.parametrize("text", ["你好，世界。今天天气很好。", "안녕하세요 세계", "こんにちは世界", "ｶﾀｶﾅ"])
def test_a_character_of_chinese_korean_or_japanese_is_one_to_one_and_a_half_tokens(text: str) -> None:
    letters = sum(c.isalpha() for c in text)
    others = len(text) - letters
    assert letters <= estimate_tokens(text) <= 1.5 * letters + others + 1


def test_digits_and_punctuation_weigh_more_than_letters() -> None:
    letters, digits, signs = (estimate_tokens(c * 400) for c in ("a", "7", "%"))
    assert letters < digits < signs


def test_words_run_together_in_an_identifier_count_each() -> None:
    assert estimate_tokens("getUserNameFromTable") > estimate_tokens("getusernamefromtable")


def test_russian_takes_fewer_tokens_a_character_than_chinese() -> None:
    assert estimate_tokens("привет" * 50) < estimate_tokens("你好世界你好" * 50)


def test_nothing_takes_nothing() -> None:
    assert estimate_tokens("") == 0


@given(st.text(max_size=200), st.text(max_size=20))
def test_a_longer_text_never_takes_fewer_tokens_whichever_end_it_grows_at(text: str, more: str) -> None:
    assert estimate_tokens(text) <= min(estimate_tokens(text + more), estimate_tokens(more + text))


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=100))
def test_any_text_at_all_has_an_estimate_even_with_halves_of_characters(text: str) -> None:
    assert 0 <= estimate_tokens(text) <= 2 * len(text) + 1


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=100))
def test_ascii_weighs_the_same_beside_other_scripts(text: str) -> None:
    assert abs(estimate_tokens(f"{text}\n中") - estimate_tokens(f"{text}\n") - 1.2) <= 1


@pytest.mark.parametrize("sentence", ["The quick brown fox, 12 jumps. ", "Schöne Grüße an 你好 und привет! "])
def test_five_megabytes_take_a_fraction_of_a_second(sentence: str) -> None:
    text = sentence * (5_000_000 // len(sentence))
    estimate_tokens(sentence)
    began = time.process_time()
    estimate_tokens(text)
    assert time.process_time() - began < 1.0
