"""Telling code from prose, and cutting it out of a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.code_source import code_like, share_of_code, source_of

PYTHON = "import os\n\ndef size(path):\n    # bytes\n    total = os.stat(path).st_size\n    return total"


@pytest.mark.parametrize(
    "line",
    [
        "def run(self):",
        "class Shape:",
        "class Circle extends Shape {",
        "import numpy as np",
        "from os import path",
        "import React from 'react';",
        "x = 3",
        "total += price * count",
        "const a = () => 1;",
        "public static void main(String[] args) {",
        "#include <stdio.h>",
        "fmt.Println(x)",
        "}",
        "return x;",
        "return sorted(rows)",
        "if x > 3:",
        "for (int i = 0; i < n; i++) {",
        "println!(\"hi\");",
        "fn main() {",
        "func (r *T) Run() error {",
        "package main",
        "@property",
        "int main() { return 0; }",
        "// a comment",
        "using namespace std;",
        "let mut v = Vec::new();",
    ],
)  # fmt: skip
def test_a_line_of_code_reads_like_code(line: str) -> None:
    assert code_like([line]) == [True]


@pytest.mark.parametrize(
    "line",
    [
        "The function returns a list.",
        "For example, this is prose",
        "It is what it is; nobody knows why",
        "if you ask me, no",
        "Import duties were raised (again).",
        "a class of its own",
        "- a bullet point",
        "# A heading",
        "1. first",
        "She said: hello",
        "return to the shop and wait",
        "",
    ],
)
def test_a_line_of_prose_does_not(line: str) -> None:
    assert code_like([line]) == [False]


def test_weak_lines_count_only_after_code() -> None:
    assert code_like(["def f():", "    whatever this is", "    return x"]) == [True, True, True]
    assert code_like(["Some prose.", "    an indented quotation"]) == [False, False]


def test_code_in_prose_is_cut_out() -> None:
    source = source_of(f"Here is the function you asked for.\n\n{PYTHON}\n\nThis gives the size.")
    assert source.code == PYTHON
    assert source.hint == ""


def test_pure_code_is_kept_whole() -> None:
    assert source_of(PYTHON).code == PYTHON


def test_prose_without_code_is_kept_whole_so_that_something_is_measured() -> None:
    assert source_of("Nothing here.").code == "Nothing here."


def test_fenced_blocks_of_the_commonest_hint_win() -> None:
    text = (
        "Install:\n```bash\npip install x\n```\n```py\na = 1\nb = 2\n"
        "```\nthen\n```py\nc = 3\n```\n```text\nout\nout\nout\nout\n```"
    )
    source = source_of(text)
    assert (source.hint, source.code) == ("py", "a = 1\nb = 2\n\nc = 3")


def test_a_lone_block_of_output_is_still_measured() -> None:
    assert source_of("```text\n3\n```").code == "3"


def test_indented_code_is_dedented_and_tabs_become_spaces() -> None:
    assert source_of("    def f():\n    \treturn 1").code == "def f():\n    return 1"


def test_share_of_code_counts_fenced_lines_and_lines_that_read_like_code() -> None:
    assert share_of_code(PYTHON) == 1
    assert share_of_code("Just prose.\nMore prose.") == 0
    assert share_of_code("Prose here.\n```\nanything\n```") == 0.5
    assert share_of_code("") == 0


@settings(deadline=None)
@given(st.text(alphabet="ab {}()=;:#`'\".\n\t<>/*@", max_size=300))
def test_any_text_has_a_source_and_a_share(text: str) -> None:
    assert 0 <= share_of_code(text) <= 1
    assert isinstance(source_of(text).code, str)
    assert len(code_like(text.split("\n"))) == len(text.split("\n"))
