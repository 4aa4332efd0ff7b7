"""Finding identifiers, cutting them into words, and telling whether a text names them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.identifiers import Mentions, code_tokens, identifiers, parts, spelled, stem


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unbound_dimensions", ("unbound", "dimensions")),
        ("unboundDimensions", ("unbound", "dimensions")),
        ("parseHTTPReply_v2", ("parse", "http", "reply", "v", "2")),
        ("MAX_SIZE", ("max", "size")),
        ("__init__", ("init",)),
        ("XMLParser", ("xml", "parser")),
        ("$el", ("el",)),
    ],
)
def test_an_identifier_is_cut_at_case_underscores_and_digits(name: str, words: tuple[str, ...]) -> None:
    assert parts(name) == words


def test_identifiers_are_distinct_and_leave_out_keywords_strings_and_single_letters() -> None:
    code = ["def load_rows(path, x):", "    return load_rows('secret_name', None)", '    raise IOError("bad file")']
    assert identifiers(code) == ["load_rows", "path", "IOError"]


def test_a_line_is_spelled_out_as_words() -> None:
    assert spelled('userName = get_user("Ann", 3)') == "user name get user ann 3"


@pytest.mark.parametrize(
    "token", ["load_rows", "loadRows", "LoadRows", "os.path", "run()", "a->b", "std::sort", "@cached", "_private"]
)
def test_code_like_tokens_are_seen_in_prose(token: str) -> None:
    assert token in " ".join(code_tokens(f"I think {token} is wrong here"))


def test_backticked_spans_are_tokens_whatever_they_hold() -> None:
    assert code_tokens("Rename `data` to `rows` please") == ["data", "rows"]


@pytest.mark.parametrize(
    "prose",
    [
        "Plain words only.",
        "Use it, e.g. here",
        "i.e. that one",
        "It ended.Then more",
        "mail ann@example please",
        "well-known (see above)",
    ],
)
def test_ordinary_prose_has_no_code_like_token(prose: str) -> None:
    assert code_tokens(prose) == []


@pytest.mark.parametrize(
    "text",
    [
        "unbound_dimensions is missing",
        "see `unbound_dimensions`",
        "the unbound dimensions are never checked",
        "every unbound dimension counts",
        "Unbound Dimensions",
        "call unboundDimensions()",
    ],
)
def test_an_identifier_of_several_words_is_named_as_written_or_in_words(text: str) -> None:
    assert Mentions(text).names("unbound_dimensions")


@pytest.mark.parametrize("text", ["dimensions that are unbound", "unbound", "", "the bound dimensions"])
def test_scattered_words_do_not_name_an_identifier(text: str) -> None:
    assert not Mentions(text).names("unbound_dimensions")


def test_a_function_word_names_an_identifier_only_when_marked_as_code() -> None:
    assert not Mentions("all of them").names("all")
    assert Mentions("use `all` here").names("all")
    assert Mentions("use all() here").names("all")


def test_a_single_word_must_match_in_case() -> None:
    assert Mentions("the Renderer is slow").names("Renderer")
    assert not Mentions("the renderer is slow").names("Renderer")


@pytest.mark.parametrize(
    ("word", "base"),
    [("dimensions", "dimension"), ("class", "class"), ("is", "is"), ("status", "status"), ("basis", "basis")],
)
def test_stemming_takes_off_a_plural_s_only(word: str, base: str) -> None:
    assert stem(word) == base


@settings(deadline=None)
@given(st.lists(st.sampled_from(["load", "row", "http", "user", "size"]), min_size=2, max_size=4))
def test_snake_and_camel_case_of_the_same_words_name_each_other(words: list[str]) -> None:
    snake, camel = "_".join(words), words[0] + "".join(word.title() for word in words[1:])
    assert parts(snake) == parts(camel) == tuple(words)
    assert Mentions(f"rename {snake} now").names(camel)
    assert Mentions(f"rename {camel} now").names(snake)


@settings(deadline=None)
@given(st.text(max_size=200), st.text(alphabet="abcXYZ_$09", max_size=20))
def test_any_text_and_any_name_can_be_looked_up(text: str, name: str) -> None:
    Mentions(text).names(name)
    assert all(isinstance(token, str) for token in code_tokens(text))
