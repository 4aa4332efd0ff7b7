"""Reading unified diffs: which lines were added, removed or left as context.

The format is that of POSIX `diff -u` (IEEE Std 1003.1-2017) and of GNU diffutils' manual, section "Unified Format",
as git writes it. Hunks may stand alone, without file headers, as review prompts quote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@[ \t]?(.*)$")
_FILE = re.compile(
    r"(?:diff --git |index [0-9a-f]{6,}|Index: |(?:new|deleted) file mode |rename (?:from|to) |similarity index )"
)


@dataclass(frozen=True)
class Diff:
    """The lines of a diff, without their marks, in order.

    Attributes:
        added, removed, context: lines marked `+`, `-` and with a space (or blank).
        headings: what stands after the second `@@` of each hunk (the enclosing function or class), empty ones left out.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    context: tuple[str, ...]
    headings: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        """Removed, then added lines."""
        return self.removed + self.added

    @property
    def surroundings(self) -> tuple[str, ...]:
        """Headings, then context lines."""
        return self.headings + self.context


def read_diff(text: str) -> Diff | None:
    """Read the unified diff in `text`; None if there is no hunk header (`@@ -1,2 +1,3 @@`) in it.

    A hunk runs to the next header or to the first line with another mark, so that prose around a diff is left out and
    a quoted hunk may be cut short or miscounted.
    """
    lines = text.split("\n")
    kept: dict[str, list[str]] = {"+": [], "-": [], " ": [], "@": []}
    inside = found = False
    for at, line in enumerate(lines):
        hunk = _HUNK.match(line.strip() if line.startswith((" @@", "@@")) else "")
        if hunk:
            inside = found = True
            kept["@"] += [hunk[1]] if hunk[1].strip() else []
        elif inside and _leaves(lines, at):
            inside = False
        elif inside and line[:1] != "\\":
            kept[line[:1] or " "].append(line[1:])
    return Diff(tuple(kept["+"]), tuple(kept["-"]), tuple(kept[" "]), tuple(kept["@"])) if found else None


def _leaves(lines: list[str], at: int) -> bool:
    line = lines[at]
    file_header = line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")
    return file_header or line[:1] not in ("+", "-", " ", "\\", "") or bool(_FILE.match(line))
