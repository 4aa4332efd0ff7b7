"""Fenced code blocks of Markdown (CommonMark 0.31, section 4.5), told apart from the lines around them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"\s*(`{3,}|~{3,})[ \t]*([^\s`]*)([^`\n]*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        hint: first word of the info string, lower case (`python`); empty if none.
        lines: the lines between the fences.
    """

    hint: str
    lines: tuple[str, ...]

    @property
    def code(self) -> str:
        """The block's lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Fenced:
    """A text cut into its fenced blocks and the lines outside of them (fences themselves in neither)."""

    blocks: tuple[Block, ...]
    outside: tuple[str, ...]


def read_fences(text: str) -> Fenced:
    """Cut `text` at its fences. A fence that is never closed runs to the end, as CommonMark has it.

    Any indentation is allowed before a fence, because fences inside list items are indented.
    """
    blocks: list[Block] = []
    outside: list[str] = []
    inside: list[str] = []
    mark, hint = "", ""
    for line in text.split("\n"):
        fence = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if mark and fence and _closes(fence, mark):
            blocks.append(Block(hint, tuple(inside)))
            mark, inside = "", []
        elif mark:
            inside.append(line)
        elif fence:
            mark, hint = fence[1], fence[2].strip("{}.").lower()
        else:
            outside.append(line)
    if mark:
        blocks.append(Block(hint, tuple(inside)))
    return Fenced(tuple(blocks), tuple(outside))


def _closes(fence: re.Match[str], mark: str) -> bool:
    bare = not fence[2] and not fence[3].strip()
    return bare and fence[1][0] == mark[0] and len(fence[1]) >= len(mark)
