"""Which part of a text is code: the fenced blocks, the lines that read like code, or the whole text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from agents.signals.fences import Block, read_fences

PLAIN_HINTS = frozenset(
    {"text", "txt", "plain", "plaintext", "output", "console", "log", "diff", "markdown", "md", "none"}
)
"""Info strings of blocks that hold no program: left out where another block does."""

_WHOLE = 0.8
_READ = 400
_STRONG = re.compile(
    r"\s*(?:"
    r"(?:async\s+)?def\s+\w+\s*[(\[]|class\s+\w+\s*[:({<]|class\s+\w+\s+(?:extends|implements)\b|@[A-Za-z_][\w.]*\s*(?:\(.*)?$"
    r"|from\s+[\w.]+\s+import\b|import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*(?:,|;|$)|.*\bfrom\s+['\"]|static\b|\(|\")"
    r"|(?:if|elif|for|while|with|try|except|else|finally|match|case)\b[^.?!]*:\s*(?:#.*)?$"
    r"|(?:\}\s*)?(?:if|else|for|while|switch|catch|try|do|finally|match|loop|unsafe)\b.*\{\s*$"
    r"|(?:export\s+|async\s+|default\s+)*function\b\s*\*?\s*\w*\s*\(|(?:export\s+)?(?:const|let|var)\s+[\w{\[$][^.]*(?:=|;|:)"
    r"|(?:public|private|protected|static|final|abstract|virtual|inline|extern|typedef|unsigned|constexpr)\s+"
    r"[\w<>\[\]:*&, ]+[({;=]"
    r"|(?:pub(?:\(\w+\))?\s+)?(?:fn\s+\w+|(?:struct|enum|trait|mod|type)\s+\w+(?:<.*>)?\s*[{;=(]|impl\b.*\{|use\s+\w+(?:::|;))"
    r"|func\s+(?:\([^)]*\)\s*)?\w+\s*\(|package\s+[\w.]+;?\s*$|type\s+\w+\s+(?:struct|interface)\b"
    r"|#\s*(?:include|define|ifdef|ifndef|endif|pragma|undef)\b|#!?\[\w+|using\s+(?:namespace\s+)?[\w:]+\s*(?:=.*)?;"
    r"|(?:return|raise|throw|yield|break|continue|pass|goto|await|assert|del|global|defer|go)\b"
    r"(?:\s+[^.?!]*[\w)\]}\"'])?\s*;\s*$"
    r"|(?:return|raise|yield|assert|del|global|await)\s+[\w.\[\](){}'\",:+*/%<>=! -]*"
    r"[\](){}_=][\w.\[\](){}'\",:+*/%<>=! -]*$"
    r"|[\w.\[\]'\"$*>&()-]+(?:\s*,\s*[\w.*]+)*\s*(?::\s*[\w\[\], .|]+)?\s*(?:[-+*/%|&^]|<<|>>|//|\*\*|:)?=(?!=)\s*\S"
    r"|[\w<>\[\],:*&]+\s+\*?\w+(?:\[\w*\])?\s*=\s*.*;\s*$"
    r"|(?:[\w$]+(?:\.|::|->|!))*[\w$]+!?\(.*\)\s*[;,]?\s*(?:(?:#|//).*)?$"
    r"|\S+(?:\s+\S+){0,2};\s*(?://.*)?$|.*[=()\[\]{}<>+].*;\s*(?:(?://|/\*).*)?$"
    r"|[})\]]+\s*[;,)]*\s*$|.*[{]\s*(?:(?://|/\*).*)?$|.*\{.*;.*\}\s*$|//|/\*|\*/|</?\w+[^>]*>\s*$|>>> |\.\w+\(.*"
    r")"
)
_WEAK = re.compile(
    r"\s+\S|\s*#(?!#)|\s*\*\s|\s*(?:return|pass|break|continue|else:|try:|yield|raise)\b\s*\w*$|\s*[\"']"
)


@dataclass(frozen=True)
class Source:
    """The code of a text.

    Attributes:
        code: the code itself, dedented.
        hint: info string of its blocks (`python`, `js`, ...), lower case; empty if there is none.
    """

    code: str
    hint: str = ""


def code_like(lines: Sequence[str]) -> list[bool]:
    """For each line, whether it reads like code; False for blank lines. Only the first 400 characters are read.

    A line counts by itself (a definition, a call, an assignment, a closing bracket) or, when it is weak
    evidence (indented, a `#` comment, a lone `return x`), by following a line that counts.
    """
    flags: list[bool] = []
    running = False
    for line in lines:
        short = line[:_READ]
        if short.strip():
            running = bool(_STRONG.match(short)) or (running and bool(_WEAK.match(short)))
        flags.append(bool(short.strip()) and running)
    return flags


def source_of(text: str) -> Source:
    """The code in `text`.

    Fenced blocks win: those of the commonest hint by lines, joined. Without a fence it is the whole text
    if at least 80 % of its lines read like code, else the runs of lines that do, else (none do) the whole text.
    """
    blocks = read_fences(text).blocks
    if blocks:
        return _of_blocks(blocks)
    lines = text.split("\n")
    flags = code_like(lines)
    filled = sum(bool(line.strip()) for line in lines)
    if 0 < sum(flags) < _WHOLE * filled:
        lines = [line for line, flag in zip(lines, flags, strict=True) if flag or not line.strip()]
    return Source(_trim("\n".join(lines)))


def share_of_code(text: str) -> float:
    """Share of non-blank lines that stand in a fenced block or read like code, in [0, 1]; 0 for no line."""
    fenced = read_fences(text)
    inside = sum(bool(line.strip()) for block in fenced.blocks for line in block.lines)
    outside = [line for line in fenced.outside if line.strip()]
    total = inside + len(outside)
    return (inside + sum(code_like(outside))) / total if total else 0.0


def _of_blocks(blocks: Sequence[Block]) -> Source:
    programs = [block for block in blocks if block.hint not in PLAIN_HINTS] or list(blocks)
    sizes: dict[str, int] = {}
    for block in programs:
        sizes[block.hint] = sizes.get(block.hint, 0) + len(block.lines)
    hint = max(sizes, key=lambda name: sizes[name])
    return Source("\n\n".join(_trim(block.code) for block in programs if block.hint == hint), hint)


def _trim(code: str) -> str:
    return textwrap.dedent(code.expandtabs(4)).strip("\n")
