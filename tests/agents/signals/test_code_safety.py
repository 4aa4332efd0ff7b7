"""Signals of what can go wrong in source code: handlers, guards, shared state, prints and running text as code."""

from __future__ import annotations

import textwrap

import pytest

from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS


def value(name: str, code: str, language: str = "python") -> float:
    return float(SIGNALS[name].batch([Passage(f"```{language}\n{textwrap.dedent(code).strip()}\n```")])[0])


def test_handlers_are_told_apart() -> None:
    code = (
        "try:\n    a()\nexcept:\n    pass\ntry:\n    b()\nexcept Exception as e:\n"
        "    c()\ntry:\n    d()\nexcept (KeyError, ValueError):\n    e()"
    )
    assert value("bare_except_count", code) == 1
    assert value("broad_except_count", code) == 1
    cpp = "void f() { try { a(); } catch (...) { } try { b(); } catch (const std::exception& e) { } }"
    assert (value("bare_except_count", cpp, "cpp"), value("broad_except_count", cpp, "cpp")) == (1, 1)
    assert value("bare_except_count", "try { a(); } catch { b(); }", "javascript") == 1
    assert value("broad_except_count", "class A { void f() { try { a(); } catch (Throwable t) { } } }", "java") == 1


RAISING = {
    "python": "def f(x):\n    if not x:\n        raise ValueError('x is empty')\n    return x",
    "javascript": "function f(x) {\n  if (!x) {\n    throw new Error('x is empty');\n  }\n  return x;\n}",
    "java": (
        "class A { int f(int x) {\n  if (x < 0) {\n    throw new IllegalArgumentException();\n  }\n  return x;\n} }"
    ),
    "go": (
        'func f(x int) (int, error) {\n\tif x < 0 {\n\t\treturn 0, errors.New("x is negative")\n\t}\n\treturn x, nil\n}'
    ),
    "c": "int f(int x) {\n  if (x < 0) {\n    abort();\n  }\n  return x;\n}",
    "cpp": 'int f(int x) {\n  if (x < 0) {\n    throw std::invalid_argument("x");\n  }\n  return x;\n}',
    "rust": (
        'fn f(x: i32) -> Result<i32, String> {\n    if x < 0 {\n        return Err("x".into());\n    }\n    Ok(x)\n}'
    ),
}


@pytest.mark.parametrize("language", RAISING)
def test_an_error_behind_a_guard_is_raised_and_checked_in_every_language(language: str) -> None:
    assert value("error_raise_count", RAISING[language], language) == 1
    assert value("input_check_count", RAISING[language], language) == 1


def test_an_if_that_does_work_is_no_check() -> None:
    assert value("input_check_count", "if a:\n    b()\n    return\n") == 0
    assert value("input_check_count", "def f(a):\n    if a:\n        return 1\n    else:\n        return 2") == 0
    assert value("input_check_count", "assert a") == 1


def test_mutable_defaults_are_found() -> None:
    assert value("mutable_default_count", "def f(a=[], b={}, c=set(), d=(), e=None, g: list = []):\n    pass") == 4


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def f():\n    global total\n    total = 1"),
        ("javascript", "var total = 1;\nconst limit = 2;\nfunction f() { var inner = 1; }"),
        ("go", "package p\nvar total = 1\nconst limit = 2"),
        ("java", "class A { static int total = 1; static final int LIMIT = 2; int own; }"),
        ("c", "int total = 1;\nconst int limit = 2;\nint f(int x);\nint g(void) { int inner = 1; return inner; }"),
        ("rust", "static mut TOTAL: i32 = 1;\nstatic LIMIT: i32 = 2;\nfn f() {}"),
    ],
)
def test_globals_that_can_change_are_counted(language: str, code: str) -> None:
    assert value("global_count", code, language) == 1


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "print(1)\nfoo.print_all(2)"),
        ("javascript", "console.log(1);\nconsole.table(2);"),
        ("java", "class A { void f() { System.out.println(1); log.info(2); } }"),
        ("go", "func f() { fmt.Println(1); log.Fatal(2) }"),
        ("c", 'void f() { printf("1"); sprintf(b, "2"); }'),
        ("cpp", "void f() { std::cout << 1; }"),
        ("rust", 'fn f() { println!("1"); format!("2"); }'),
    ],
)
def test_prints_are_counted_and_look_alikes_are_not(language: str, code: str) -> None:
    assert value("print_count", code, language) == 1


def test_running_text_as_code_is_counted() -> None:
    code = (
        "import os, subprocess\neval(x)\nexec(y)\nos.system(z)\n"
        "subprocess.run(c, shell=True)\nmodel.eval()\nretrieval(x)"
    )
    assert value("eval_count", code) == 4
    assert value("eval_count", "new Function(a)();\neval(b);\nregex.exec(c);", "javascript") == 2
