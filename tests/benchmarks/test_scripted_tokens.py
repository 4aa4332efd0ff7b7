"""Tokens counted, and the prefix cache that keeps account of which of them were computed before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.endpoint import Message
from benchmarks.scripted.prefix_cache import BLOCK_BYTES, BLOCK_TOKENS, PrefixCache, chain_of
from benchmarks.scripted.tokenizer import cut, rendered, tokens_in

NOW = 100.0
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def blocks(count: int, first: int = 0) -> bytes:
    """So many blocks, each unlike the others."""
    return b"".join(b"%064d" % i for i in range(first, first + count))


def test_four_characters_of_english_are_a_token() -> None:
    assert [tokens_in(b"x" * n) for n in (0, 1, 4, 5, 4000)] == [0, 1, 1, 2, 1000]


def test_four_characters_of_chinese_are_three_tokens() -> None:
    assert tokens_in("文字清楚".encode()) == 3


def test_a_conversation_is_read_role_by_role_and_ends_where_the_model_speaks() -> None:
    said = rendered([Message("system", "Rules."), Message("user", "Hello")])
    assert said == b"<|system|>\nRules.\n<|user|>\nHello\n<|assistant|>\n"


@given(TEXTS, TEXTS)
def test_the_next_turn_begins_with_what_was_read_and_said(question: str, reply: str) -> None:
    before = [Message("user", question)]
    after = [*before, Message("assistant", reply), Message("user", "No JSON.")]
    assert rendered(after).startswith(rendered(before) + reply.encode())


@given(TEXTS, st.integers(1, 50))
def test_a_cut_text_is_a_beginning_and_keeps_to_its_limit(text: str, limit: int) -> None:
    short, tokens, was_cut = cut(text, limit)
    assert text.startswith(short)
    assert was_cut == (tokens_in(text.encode()) > limit) == (short != text)
    assert tokens == (limit if was_cut else tokens_in(text.encode()))
    assert tokens_in(short.encode()) <= limit


def test_without_a_limit_nothing_is_cut() -> None:
    assert cut("x" * 9, None) == ("x" * 9, 3, False)


@given(st.integers(0, 12), st.integers(1, 5), st.binary(max_size=BLOCK_BYTES - 1))
def test_a_shared_prefix_of_k_full_blocks_counts_sixteen_k_tokens(shared: int, rest: int, tail: bytes) -> None:
    cache = PrefixCache(10_000)
    first, second = blocks(shared + 3), blocks(shared) + blocks(rest, first=50) + tail
    cache.keep(chain_of("m", first), ready=NOW)
    assert cache.read(chain_of("m", second), tokens_in(second), NOW) == shared * BLOCK_TOKENS


def test_a_block_that_is_not_full_is_not_cached() -> None:
    cache = PrefixCache(10_000)
    prompt = blocks(2) + b"x" * (BLOCK_BYTES - 1)
    cache.keep(chain_of("m", prompt), NOW)
    assert len(cache) == 2
    assert cache.read(chain_of("m", prompt), tokens_in(prompt), NOW) == 2 * BLOCK_TOKENS


def test_the_last_token_of_a_prompt_is_always_computed() -> None:
    cache = PrefixCache(10_000)
    chain = chain_of("m", blocks(3))
    cache.keep(chain, NOW)
    assert cache.read(chain, 3 * BLOCK_TOKENS, NOW) == 2 * BLOCK_TOKENS
    assert cache.read(chain, 3 * BLOCK_TOKENS + 1, NOW) == 3 * BLOCK_TOKENS


def test_a_block_counts_only_behind_the_same_blocks() -> None:
    cache = PrefixCache(10_000)
    cache.keep(chain_of("m", blocks(3)), NOW)
    moved = chain_of("m", blocks(2, first=1))
    assert cache.read(moved, 1000, NOW) == 0


def test_models_share_nothing() -> None:
    cache = PrefixCache(10_000)
    cache.keep(chain_of("m", blocks(3)), NOW)
    assert cache.read(chain_of("n", blocks(3)), 1000, NOW) == 0


def test_blocks_count_from_the_time_at_which_they_are_computed() -> None:
    cache = PrefixCache(10_000)
    chain = chain_of("m", blocks(2))
    cache.keep(chain, NOW)
    assert cache.read(chain, 1000, NOW - 0.01) == 0
    assert cache.read(chain, 1000, NOW) == 2 * BLOCK_TOKENS


def test_a_second_computation_does_not_put_off_the_first() -> None:
    cache = PrefixCache(10_000)
    chain = chain_of("m", blocks(2))
    cache.keep(chain, NOW)
    cache.keep(chain, NOW + 5)
    assert cache.read(chain, 1000, NOW) == 2 * BLOCK_TOKENS
    cache.keep(chain, NOW - 5)
    assert cache.read(chain, 1000, NOW - 5) == 2 * BLOCK_TOKENS


@given(st.integers(0, 40), st.lists(st.integers(1, 9), max_size=12))
def test_the_cache_never_holds_more_than_its_capacity(most: int, sizes: list[int]) -> None:
    cache = PrefixCache(most * BLOCK_TOKENS)
    for at, size in enumerate(sizes):
        cache.keep(chain_of("m", blocks(size, first=at * 10)), NOW)
        assert len(cache) <= most


def test_the_least_recently_used_prefix_goes_first_and_its_last_block_before_its_first() -> None:
    cache = PrefixCache(6 * BLOCK_TOKENS)
    old, young, new = (chain_of("m", blocks(size, first)) for first, size in ((0, 3), (10, 3), (20, 1)))
    cache.keep(old, NOW)
    cache.keep(young, NOW)
    cache.keep(old, NOW)
    cache.keep(new, NOW)
    assert cache.read(old, 1000, NOW) == 3 * BLOCK_TOKENS
    assert cache.read(young, 1000, NOW) == 2 * BLOCK_TOKENS
    assert cache.read(new, 1000, NOW) == BLOCK_TOKENS


def test_a_cleared_cache_is_empty() -> None:
    cache = PrefixCache(10_000)
    cache.keep(chain_of("m", blocks(3)), NOW)
    cache.clear()
    assert len(cache) == cache.read(chain_of("m", blocks(3)), 1000, NOW) == 0


@pytest.mark.parametrize("capacity", [0, BLOCK_TOKENS - 1])
def test_without_capacity_nothing_is_cached(capacity: int) -> None:
    cache = PrefixCache(capacity)
    cache.keep(chain_of("m", blocks(3)), NOW)
    assert cache.read(chain_of("m", blocks(3)), 1000, NOW) == 0
