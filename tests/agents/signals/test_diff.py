"""Reading unified diffs, whole or quoted in part."""

from __future__ import annotations

import difflib

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.signals.diff import read_diff

HUNK = """@@ -10,4 +10,5 @@ def area(shape):
     width = shape.width
-    return width * width
+    height = shape.height
+    return width * height

 # end"""


def test_lines_are_sorted_by_their_marks() -> None:
    diff = read_diff(HUNK)
    assert diff is not None
    assert diff.added == ("    height = shape.height", "    return width * height")
    assert diff.removed == ("    return width * width",)
    assert diff.context == ("    width = shape.width", "", "# end")
    assert diff.headings == ("def area(shape):",)
    assert diff.changed == diff.removed + diff.added
    assert diff.surroundings[0] == "def area(shape):"


def test_a_text_without_a_hunk_header_is_no_diff() -> None:
    assert read_diff("") is None
    assert read_diff("- a list\n+ of things") is None
    assert read_diff("mail me @@ home") is None


def test_file_headers_are_no_changes() -> None:
    before = "diff --git a/x b/x\nindex 1234567..89abcde 100644\n--- a/x\n+++ b/x\n"
    assert read_diff(f"{before}{HUNK}\ndiff --git a/y b/y\n--- a/y\n+++ b/y") == read_diff(HUNK)


def test_a_removed_line_that_starts_with_dashes_is_a_change() -> None:
    diff = read_diff("@@ -1,2 +1 @@\n--- drop table\n x")
    assert diff is not None
    assert diff.removed == ("-- drop table",)


def test_several_hunks_are_joined() -> None:
    diff = read_diff("@@ -1 +1 @@\n-a\n+b\n@@ -9 +9 @@\n-c\n+d")
    assert diff is not None
    assert (diff.removed, diff.added) == (("a", "c"), ("b", "d"))


def test_the_note_on_a_missing_newline_is_skipped() -> None:
    diff = read_diff("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b")
    assert diff is not None
    assert diff.changed == ("a", "b")
    assert diff.context == ()


def test_prose_after_a_hunk_ends_it() -> None:
    diff = read_diff(f"Look:\n{HUNK}\nPlease review.\n- politely\n+ and soon")
    assert diff is not None
    assert diff.removed == ("    return width * width",)


LINES = st.lists(st.text(alphabet="abc -+@\\", max_size=8), max_size=12)


@settings(deadline=None)
@given(LINES, LINES)
def test_what_difflib_writes_is_read_back(before: list[str], after: list[str]) -> None:
    written = list(difflib.unified_diff(before, after, n=1, lineterm=""))
    diff = read_diff("\n".join(written))
    if not written:
        assert diff is None
        return
    assert diff is not None
    body = [line for line in written[2:] if not line.startswith("@@")]
    assert list(diff.added) == [line[1:] for line in body if line.startswith("+")]
    assert list(diff.removed) == [line[1:] for line in body if line.startswith("-")]


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    diff = read_diff("@@ -1,2 +1,2 @@\n" + text)
    assert diff is not None
    assert len(diff.changed) + len(diff.context) <= text.count("\n") + 1
