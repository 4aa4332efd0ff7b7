"""Parsing: the language is known, the pieces are right, and hostile text does no harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.code_languages import LANGUAGES, hinted, plausible
from agents.signals.code_parse import SECTION, guess, parse, sections
from agents.signals.code_source import Source

SAMPLES = {
    "python": "def add(a, b):\n    if a is None:\n        return b\n    return a + b\n",
    "javascript": "function add(a, b) {\n  const c = a + b;\n  console.log(c);\n  return c;\n}\n",
    "java": "public class Sum {\n  public static int add(int a, int b) {\n    return a + b;\n  }\n}\n",
    "go": "package main\n\nfunc add(a, b int) (int, error) {\n\tc := a + b\n\treturn c, nil\n}\n",
    "c": '#include <stdio.h>\n\nint add(int a, int b) {\n  printf("%d", a);\n  return a + b;\n}\n',
    "cpp": (
        "#include <vector>\n\nint add(const std::vector<int>& v) {\n"
        "  int s = 0;\n  for (auto x : v) s += x;\n  return s;\n}\n"
    ),
    "rust": 'fn add(a: i32, b: i32) -> i32 {\n    let c = a + b;\n    println!("{}", c);\n    c\n}\n',
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_language_is_guessed_from_the_code_alone(name: str) -> None:
    found = guess(SAMPLES[name])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", SAMPLES)
def test_sound_code_has_no_faulty_line(name: str) -> None:
    parsed = parse(Source(SAMPLES[name]))
    assert parsed.language is not None
    assert parsed.faulty_rows == frozenset()


def test_every_language_has_a_sample_and_a_hint() -> None:
    assert {language.name for language in LANGUAGES} == set(SAMPLES)
    for language in LANGUAGES:
        assert hinted(language.name) is language


@pytest.mark.parametrize(
    ("hint", "name"), [("py", "python"), ("js", "javascript"), ("golang", "go"), ("c++", "cpp"), ("rs", "rust")]
)
def test_a_hint_settles_the_language(hint: str, name: str) -> None:
    parsed = parse(Source("x = 1", hint))
    assert parsed.language is not None
    assert parsed.language.name == name


def test_a_hint_of_another_language_gives_no_pieces() -> None:
    parsed = parse(Source("SELECT 1", "sql"))
    assert parsed.language is None
    assert parsed.pieces == ()


def test_plausible_languages_come_best_first_and_never_none() -> None:
    assert plausible(SAMPLES["rust"])[0].name == "rust"
    assert len(plausible("zzz")) == 2


def test_pieces_carry_text_rows_and_parents() -> None:
    parsed = parse(Source(SAMPLES["python"], "python"))
    at, function = next(parsed.of_kind(frozenset({"function_definition"})))
    name = parsed.child(at, "name")
    assert name is not None
    assert parsed.text(name) == "add"
    assert (function.row, function.last_row) == (0, 3)
    assert all(piece.parent < index for index, piece in enumerate(parsed.pieces))


def test_bytes_beyond_ascii_do_not_shift_the_text_of_pieces() -> None:
    parsed = parse(Source('a = "\u65e5\u672c"\nname_b = 1\n', "python"))
    names = [parsed.text(piece) for _, piece in parsed.of_kind(frozenset({"identifier"}))]
    assert names == ["a", "name_b"]


def test_a_broken_line_is_faulty_and_its_neighbours_are_not() -> None:
    parsed = parse(Source("a = 1\nb = = 2\nc = 3\n", "python"))
    assert parsed.faulty_rows == {1}


def test_long_code_is_cut_into_sections_that_join_to_the_whole() -> None:
    code = SAMPLES["python"] * 300
    parts = sections(code)
    assert "".join(parts) == code
    assert max(map(len, parts)) <= SECTION
    assert all(part.startswith("def add") for part in parts)


def test_long_code_parses_as_cleanly_as_short_code() -> None:
    parsed = parse(Source(SAMPLES["python"] * 300, "python"))
    assert parsed.count(frozenset({"function_definition"})) == 300
    assert parsed.faulty_rows == frozenset()
    last = parsed.pieces[-1]
    assert last.end <= len(parsed.data)


def test_a_long_class_is_cut_between_its_methods() -> None:
    method = (
        "    int add(int a, int b) {\n        if (a > b) {\n"
        "            return a;\n        }\n        return b;\n    }\n\n"
    )
    code = "class Sum {\n" + method * 150 + "}\n"
    parsed = parse(Source(code, "java"))
    assert parsed.count(frozenset({"method_declaration"})) == 150


@settings(deadline=None)
@given(st.text(alphabet="ab \n(){", max_size=60), st.integers(1, 400))
def test_sections_lose_nothing(unit: str, times: int) -> None:
    code = unit * times
    assert "".join(sections(code)) == code
    assert all(0 < len(part) <= SECTION for part in sections(code))


@pytest.mark.parametrize("unit", ["(", "{", "if a:\n", "f(x){", "!*", "=>)-->\\", "'"])
@pytest.mark.parametrize("hint", ["python", "java"])
def test_repetitive_garbage_is_parsed_within_bounds(unit: str, hint: str) -> None:
    began = time.perf_counter()
    parse(Source((unit * 20_000)[:20_000], hint))
    assert time.perf_counter() - began < 5


def test_deep_nesting_needs_no_recursion() -> None:
    parsed = parse(Source("x = " + "[" * 2_000 + "]" * 2_000, "python"))
    assert len(parsed.pieces) > 2_000


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=200), st.sampled_from([language.name for language in LANGUAGES]))
def test_any_text_parses_in_any_language(text: str, name: str) -> None:
    parsed = parse(Source(text, name))
    assert all(0 <= piece.start <= piece.end <= len(parsed.data) for piece in parsed.pieces)
    assert all(row < len(parsed.lines) for row in parsed.faulty_rows)
