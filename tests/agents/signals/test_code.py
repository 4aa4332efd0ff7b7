"""Signals of source code, in all seven languages."""

from __future__ import annotations

import inspect
import math
import textwrap

import lizard  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals import code_facts
from agents.signals.code_parse import Parsed, parse
from agents.signals.code_source import Source
from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS

FAMILY = [signal for signal in SIGNALS.values() if signal.family == "code"]
COMMENTS = {"python": "#", "javascript": "//", "java": "//", "go": "//", "c": "//", "cpp": "//", "rust": "//"}


def value(name: str, code: str, language: str = "python") -> float:
    return float(SIGNALS[name].batch([Passage(f"```{language}\n{textwrap.dedent(code).strip()}\n```")])[0])


def test_the_family_declares_what_the_contract_lists() -> None:
    listed = (
        "code_share syntax_valid comment_density docstring_coverage type_hint_coverage mean_identifier_length "
        "short_identifier_share naming_consistency max_nesting mean_nesting function_count mean_function_lines "
        "max_function_lines mean_complexity max_complexity parameter_mean magic_number_rate long_line_share code_lines "
        "import_count bare_except_count broad_except_count error_raise_count input_check_count mutable_default_count "
        "global_count print_count todo_count comprehension_count return_count duplicate_code_share dead_code_count "
        "library_call_share eval_count docstring_words"
    )
    assert set(listed.split()) <= {signal.name for signal in FAMILY}


def test_every_signal_is_documented() -> None:
    assert all(signal.definition and signal.source and signal.unit for signal in FAMILY)


def test_prose_has_no_code_signals_but_the_share() -> None:
    prose = Passage("The river rises in the hills. It runs to the sea, slowly, and nobody minds.")
    assert SIGNALS["code_share"].batch([prose])[0] == 0
    assert all(math.isnan(signal.batch([prose])[0]) for signal in FAMILY if signal.scope == "code")


def test_a_language_that_is_not_parsed_has_line_measures_only() -> None:
    query = "SELECT name FROM users WHERE id = 1 " + "OR id = 2 " * 12
    assert value("long_line_share", query, "sql") == 1
    assert math.isnan(value("function_count", query, "sql"))
    assert math.isnan(value("syntax_valid", query, "sql"))


def test_plain_code_and_fenced_code_measure_alike() -> None:
    code = "def area(width, height):\n    if width < 0:\n        raise ValueError(width)\n    return width * height\n"
    plain, fenced = Passage(code), Passage(f"Here you are:\n\n```python\n{code}```\n")
    for name in ("function_count", "max_nesting", "return_count", "error_raise_count", "input_check_count"):
        assert SIGNALS[name].batch([plain])[0] == SIGNALS[name].batch([fenced])[0] > 0


def test_code_is_parsed_once_for_all_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def counted(source: Source) -> Parsed:
        calls.append(source)
        return parse(source)

    monkeypatch.setattr(code_facts, "parse", counted)
    passage = Passage("def parsed_once_for_all(signals):\n    return signals\n")
    for signal in FAMILY:
        signal.batch([passage])
    assert len(calls) == 1


def test_syntax_valid_is_the_share_of_sound_lines() -> None:
    assert value("syntax_valid", "a = 1\nb = 2") == 1
    assert value("syntax_valid", "a = 1\nb = = 2\nc = 3\nd = 4") == 0.75
    assert value("syntax_valid", "let a = ;\nlet b = 2;", "javascript") == 0.5


FUNCTION = {
    "python": "def scale(width, height, factor):\n    return width",
    "javascript": "function scale(width, height, factor) {\n  return width;\n}",
    "java": "class A {\n  int scale(int width, int height, int factor) {\n    return width;\n  }\n}",
    "go": "func scale(width, height int, factor int) int {\n\treturn width\n}",
    "c": "int scale(int width, int height, int factor) {\n  return width;\n}",
    "cpp": "int A::scale(int width, const int& height, int factor = 1) {\n  return width;\n}",
    "rust": "fn scale(width: i32, height: i32, factor: i32) -> i32 {\n    return width;\n}",
}


@pytest.mark.parametrize("language", FUNCTION)
def test_functions_parameters_and_returns_are_counted_in_every_language(language: str) -> None:
    code = FUNCTION[language]
    assert value("function_count", code, language) == 1
    assert value("parameter_mean", code, language) == 3
    assert value("return_count", code, language) == 1
    assert value("syntax_valid", code, language) == 1
    assert value("max_function_lines", code, language) == (2 if language == "python" else 3)
    assert value("mean_identifier_length", code, language) > 4


@pytest.mark.parametrize("language", FUNCTION)
def test_documentation_above_or_inside_a_function_is_found_in_every_language(language: str) -> None:
    code = FUNCTION[language]
    assert value("docstring_coverage", code, language) == 0
    if language == "python":
        documented = code.replace(":\n", ':\n    """Scale a width."""\n')
    elif language == "java":
        documented = code.replace("  int scale", "  /** Scale a width. */\n  @Deprecated\n  int scale").replace(
            "class A", "/** Holds a scale. */\nclass A"
        )
    else:
        documented = f"{COMMENTS[language]}{'/' if language == 'rust' else ''} Scale a width.\n{code}"
    assert value("docstring_coverage", documented, language) == 1
    assert value("docstring_words", documented, language) >= 2


@pytest.mark.parametrize("language", FUNCTION)
def test_a_comment_that_is_not_next_to_a_function_is_no_documentation(language: str) -> None:
    assert value("docstring_coverage", f"{COMMENTS[language]} A note.\n\n\n{FUNCTION[language]}", language) == 0


def test_receivers_are_no_parameters() -> None:
    assert value("parameter_mean", "class A:\n    def f(self, x):\n        pass") == 1
    assert value("parameter_mean", "impl A { fn f(&self, x: i32) {} }", "rust") == 1
    assert value("parameter_mean", "func (a *A) F(x int) {}", "go") == 1
    assert value("parameter_mean", "int f(void) { return 1; }", "c") == 0


def test_a_callback_is_no_function_but_a_named_arrow_is() -> None:
    assert value("function_count", "rows.map(x => x + 1);", "javascript") == 0
    assert value("function_count", "const inc = x => x + 1;", "javascript") == 1


NESTED = {
    "python": (
        "for a in b:\n    if a:\n        while a:\n            a()\n    elif b:\n        b()\n    else:\n        c()"
    ),
    "javascript": "for (const a of b) { if (a) { while (a) { a(); } } else if (b) { b(); } else { c(); } }",
    "java": "class A { void f() { for (int a : b) { if (a) { while (a) { a(); } } else if (b) { b(); } } } }",
    "go": "func f() { for a { if a { for b { a() } } else if b { b() } } }",
    "c": "void f() { for (;;) { if (a) { while (a) { a(); } } else if (b) { b(); } else { c(); } } }",
    "cpp": "void f() { for (auto x : y) { if (a) { while (a) { a(); } } else if (b) { b(); } } }",
    "rust": "fn f() { for a in b { if a { while a { a(); } } else if b { b(); } } }",
}


@pytest.mark.parametrize("language", NESTED)
def test_nesting_is_counted_and_else_if_does_not_deepen_it(language: str) -> None:
    assert value("max_nesting", NESTED[language], language) == 3


def test_mean_nesting_is_over_lines() -> None:
    assert value("mean_nesting", "if a:\n    b()\nc()\nd()") == 0.25


COMPLEX = {
    "python": """
        def f(a, b):
            if a and b or not a:
                return 1
            elif b:
                return 2
            for x in a:
                while x:
                    x = x - 1 if x else 0
            try:
                g()
            except ValueError:
                pass
            return [y for y in a if y]
        """,
    "javascript": """
        function f(a, b) {
          if (a && b || c) { return 1; } else if (b) { return 2; }
          for (let i = 0; i < 3; i++) { while (a) { a--; } }
          switch (a) { case 1: return 1; case 2: return 2; default: return 3; }
          try { g(); } catch (e) { h(); }
          return a ? 1 : 2;
        }
        """,
    "java": """
        class A {
          int f(int a, int b) {
            if (a > 1 && b > 1 || a < 0) { return 1; } else if (b > 3) { return 2; }
            for (int i = 0; i < 3; i++) { while (a > 0) { a--; } }
            switch (a) { case 1: return 1; case 2: return 2; default: break; }
            try { g(); } catch (RuntimeException e) { h(); }
            return a > 1 ? 1 : 2;
          }
        }
        """,
    "go": """
        func f(a int, b int) int {
          if a > 1 && b > 1 || a < 0 { return 1 } else if b > 3 { return 2 }
          for i := 0; i < 3; i++ { a = a - 1 }
          switch a { case 1: return 1; case 2: return 2; default: return 3 }
          return 0
        }
        """,
    "c": """
        int f(int a, int b) {
          if (a && b || a > 3) { return 1; } else if (b) { return 2; }
          for (int i = 0; i < 3; i++) { while (a) { a--; } }
          switch (a) { case 1: return 1; case 2: return 2; default: return 3; }
          return a ? 1 : 2;
        }
        """,
}


@pytest.mark.parametrize("language", COMPLEX)
def test_cyclomatic_complexity_is_what_lizard_counts(language: str) -> None:
    code = textwrap.dedent(COMPLEX[language]).strip()
    extension = {"python": "py", "javascript": "js"}.get(language, language)
    expected = lizard.analyze_file.analyze_source_code(f"a.{extension}", code).function_list
    assert [f.cyclomatic_complexity for f in expected] == [value("max_complexity", code, language)]


def test_complexity_agrees_with_lizard_on_a_real_module() -> None:
    code = inspect.getsource(textwrap)
    expected = lizard.analyze_file.analyze_source_code("textwrap.py", code).function_list
    mine = SIGNALS["mean_complexity"].batch([Passage(code)])[0]
    assert mine == pytest.approx(sum(f.cyclomatic_complexity for f in expected) / len(expected), rel=0.1)


def test_code_without_a_function_has_the_complexity_of_the_whole() -> None:
    assert value("mean_complexity", "if a:\n    b()\nfor x in y:\n    pass") == 3
    assert value("mean_complexity", "a = 1") == 1


def test_a_nested_function_is_counted_apart() -> None:
    code = "def f(a):\n    def g(b):\n        if b:\n            return 1\n    return g(a)"
    assert value("max_complexity", code) == 2
    assert value("mean_complexity", code) == 1.5


def test_comments_and_code_lines() -> None:
    code = '"""Module."""\n# one\nx = 1  # trailing\n\ny = 2\n'
    assert value("code_lines", code) == 3
    assert value("comment_density", code) == pytest.approx(1 / 3)
    assert value("comment_density", "/* a\n   b */\nint x = 1;\nint y = 2;", "c") == 1


def test_type_hints_are_counted_in_python_only() -> None:
    assert value("type_hint_coverage", "def f(a: int, b, *, c: str = 'x') -> int:\n    return a") == 0.75
    assert value("type_hint_coverage", "def f(self):\n    pass") == 0
    assert math.isnan(value("type_hint_coverage", FUNCTION["java"], "java"))
    assert math.isnan(value("type_hint_coverage", "x = 1"))


def test_names_are_judged_by_length_and_style() -> None:
    assert value("short_identifier_share", "ab = 1\nlonger = 2\ni = 3") == 0.5
    assert value("mean_identifier_length", "ab = 1\nlonger = 2\ni = 3") == 4
    assert value("naming_consistency", "one_two = 1\nthree_four = 2\nfiveSix = 3\nseven = 4\nA_B = 5") == pytest.approx(
        2 / 3
    )
    assert math.isnan(value("naming_consistency", "a = 1"))


def test_names_that_are_only_used_do_not_count() -> None:
    assert value("identifier_count", "import os\nrow = os.path.join(base, kind=thing)") == 1


def test_magic_numbers_are_bare_and_unusual() -> None:
    assert value("magic_number_rate", "x = y * 37") > 0
    assert value("magic_number_rate", "LIMIT = 37\nx = y * 2 + 1") == 0
    assert value("magic_number_rate", "class A { static final int LIMIT = 37; }", "java") == 0
    assert value("magic_number_rate", "const LIMIT: i32 = 37;", "rust") == 0
    assert value("magic_number_rate", "#define LIMIT 37", "c") == 0


def test_imports_are_counted_one_by_one() -> None:
    assert value("import_count", "import os\nfrom a import b, c\nx = 1") == 2
    assert value("import_count", 'package p\nimport (\n\t"fmt"\n\t"os"\n)', "go") == 2
    assert value("import_count", "#include <a.h>\n#include <b.h>\nint x;", "c") == 2
    assert value("import_count", "use std::io;\nfn f() {}", "rust") == 1


def test_notes_and_dead_code_stand_in_comments() -> None:
    code = "# TODO: tidy\n# x = compute(y)\n# return x\n# This explains why the loop ends early.\nz = 1  # FIXME\n"
    assert value("todo_count", code) == 2
    assert value("dead_code_count", code) == 2
    assert value("dead_code_count", "// int x = 3;\n// Explains x, which is needed below.\nint y = 4;", "c") == 1
    assert value("todo_count", 'x = "TODO"') == 0


def test_comprehensions_and_their_kin() -> None:
    assert value("comprehension_count", "a = [x for x in b]\nc = {x: 1 for x in b}\nd = sum(x for x in b)") == 3
    assert value("comprehension_count", "rows.filter(a).map(b);", "javascript") == 2


def test_repeated_runs_of_lines_are_duplicates() -> None:
    block = "total = price * count\ntotal = total + tax\nsave(total)\n"
    assert value("duplicate_code_share", block + "other()\n" + block) == pytest.approx(6 / 7)
    assert value("duplicate_code_share", block) == 0


def test_library_calls_are_those_of_names_the_code_does_not_declare() -> None:
    assert value("library_call_share", "def own(x):\n    return len(x)\nown(sorted(y))") == pytest.approx(2 / 3)
    assert math.isnan(value("library_call_share", "x = 1"))


def test_classes_are_counted() -> None:
    assert value("class_count", "class A:\n    pass\nclass B(A):\n    pass") == 2
    assert value("class_count", "struct A { x: i32 }\nenum B { C }", "rust") == 2


def test_long_lines_are_longer_than_99_characters() -> None:
    assert value("long_line_share", "a = 1\nb = '" + "x" * 95 + "'") == 0.5
    assert value("long_line_share", "b = '" + "x" * 93 + "'") == 0


WILD = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="if (a){}\n\t:;='\"#/*,[]<>.def", max_size=300),
    st.lists(st.sampled_from([*FUNCTION.values(), *NESTED.values(), "}}", "(((", "/*"]), max_size=4).map("\n".join),
)


@settings(deadline=None, max_examples=60)
@given(WILD, st.sampled_from(["", *FUNCTION]))
def test_every_value_keeps_its_range_on_wild_code(code: str, language: str) -> None:
    passage = Passage(f"```{language}\n{code}\n```")
    for signal in FAMILY:
        found = signal.batch([passage])[0]
        assert math.isnan(found) or signal.low <= found <= signal.high, signal.name
