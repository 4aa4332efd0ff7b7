"""Word lists and phrase matching."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.signals import lexicons
from agents.signals.lexicons import FOLDER, Phrases, lines_of, load, load_table, packaged, phrase_table, phrases, zipf
from knowledge_base.errors import InputError

LISTS = sorted(FOLDER.glob("*.txt"))


def test_a_phrase_is_found_as_whole_words_in_order() -> None:
    matcher = Phrases(["in the end", "end"])
    assert matcher.spans(["in", "the", "end", "the", "ends", "meet", "in", "the", "end"]) == [(0, 3), (6, 9)]


def test_the_longest_phrase_wins_and_no_word_counts_twice() -> None:
    matcher = Phrases(["a b", "a b c", "c d"])
    assert matcher.found(["a", "b", "c", "d"]) == {"a b c"}


def test_a_slash_offers_words_and_an_underscore_stands_for_any() -> None:
    matcher = Phrases(["hung/hangs in", "not _ but"])
    assert matcher.size == 3
    assert matcher.count(["it", "hangs", "in", "or", "hung", "in", "not", "red", "but", "not", "but"]) == 3


def test_a_phrase_never_reaches_past_the_end() -> None:
    assert Phrases(["a _ b", "a b c"]).count(["a", "b"]) == 0


def test_the_same_phrase_twice_is_one_phrase() -> None:
    assert Phrases(["so it goes", "so it goes"]).size == 1


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_matching_agrees_with_a_plain_search(words: list[str]) -> None:
    found, at = 0, 0
    while at < len(words):
        hit = next((n for n in (3, 2) if tuple(words[at : at + n]) in {("a", "b"), ("a", "b", "c")}), 0)
        found += hit > 0
        at += hit or 1
    assert Phrases(["a b", "a b c"]).count(words) == found


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_list_names_its_origin_and_holds_something(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert lines_of(path.stem)


@pytest.mark.parametrize(
    "name", ["machine_phrases", "cliches", "body_language", "exposition", "boilerplate", "confusions"]
)
def test_phrase_lists_are_lower_case_and_free_of_repeats(name: str) -> None:
    lines = lines_of(name)
    assert [line for line in lines if line != line.lower()] == []
    assert len(lines) == len(set(lines))


def test_lists_and_tables_are_read_by_key() -> None:
    assert "the" in load("stop_words")
    assert "der" in load_table("foreign_function_words")["de"]
    assert phrase_table("connectives")["causal"].count(["because"]) == 1
    assert phrases("cliches") is phrases("cliches")


def test_a_missing_list_is_named() -> None:
    with pytest.raises(InputError, match="'no_such_list' is not installed"):
        lines_of("no_such_list")


def test_missing_package_data_is_named() -> None:
    with pytest.raises(InputError, match=r"textblob/en/nothing\.txt is missing"):
        packaged("textblob", "en", "nothing.txt")
    with pytest.raises(InputError, match="reinstall the package 'no_such_package'"):
        packaged("no_such_package", "x")


def test_zipf_frequency_is_that_of_wordfreq() -> None:
    from wordfreq import zipf_frequency

    for word in ("the", "house", "halberd"):
        assert zipf(word) == pytest.approx(zipf_frequency(word, "en"), abs=0.006)
    assert lexicons.zipf("xqzzt") == 0
