"""Markdown and layout: headings, lists, emphasis, code, tables, links, emoji, HTML.

Constructs are those of CommonMark 0.31 (https://spec.commonmark.org) and, for tables, GitHub Flavored Markdown
0.29. They are found line by line, outside of fenced code, by patterns and not by a full parser: on prose the two
agree, and the patterns are linear in the length of a hostile text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]  # ships no types

from agents.signals.fences import read_fences
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, share
from agents.signals.recall import Recall
from agents.signals.signal import signal

_COMMONMARK = "CommonMark 0.31"
_READ = 2_000

_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+\S|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_BULLET = re.compile(r"[ \t>]*[-*+\u2022][ \t]+\S")
_NUMBERED = re.compile(r"[ \t>]*\d{1,9}[.)][ \t]+\S")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$")
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]{0,300}[^\s*]\*\*|(?<!\w)__(?=\S)[^_\n]{0,300}[^\s_]__(?!\w)")
_ITALIC = re.compile(
    r"(?<![*\w])\*(?=[^\s*])[^*\n]{0,300}[^\s*]?\*(?![*\w])|(?<![_\w])_(?=[^\s_])[^_\n]{0,300}_(?![_\w])"
)
_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]{1,300}\1(?!`)")
_LINK = re.compile(r"\[[^\[\]\n]{0,300}\]\([^()\s]{1,2000}[^()\n]{0,200}\)|<(?:https?://|mailto:)[^\s<>]{1,2000}>")
_HTML = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>\n]{0,500})?/?>|<!--")
_QUOTE = re.compile(r" {0,3}>[ \t]?\S")
_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}|(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)\p{Emoji_Modifier}?"
    r"(?:\u200D\p{Extended_Pictographic}\uFE0F?\p{Emoji_Modifier}?)*"
)


@dataclass(frozen=True)
class Markup:
    """How often each construct occurs in a text (see the signals for their definitions)."""

    headings: int
    bullets: int
    numbered: int
    bold: int
    italic: int
    blocks: int
    inline_code: int
    rows: int
    links: int
    html: int
    quotes: int
    marked_lines: int


_markup: Recall[Markup] = Recall()


def markup(passage: Passage) -> Markup:
    """The Markdown constructs in `passage`, found once. Lines are read up to 2,000 characters."""
    return _markup.one(passage, _find)


def _find(passage: Passage) -> Markup:
    fenced = read_fences(passage.text)
    lines = [line[:_READ] for line in fenced.outside]
    headings = _headings(lines)
    rows = _rows(lines)
    lists = {at for at, line in enumerate(lines) if _BULLET.match(line) or _NUMBERED.match(line)}
    quotes = {at for at, line in enumerate(lines) if _QUOTE.match(line)}
    inline = {at for at, line in enumerate(lines) if _has_inline(line)}
    inside = sum(len(block.lines) for block in fenced.blocks)
    plain = [_CODE.sub(" ", line) for line in lines]
    return Markup(
        headings=len(headings),
        bullets=sum(bool(_BULLET.match(line)) for line in lines),
        numbered=sum(bool(_NUMBERED.match(line)) for line in lines),
        bold=_count(_BOLD, plain),
        italic=_count(_ITALIC, plain),
        blocks=len(fenced.blocks),
        inline_code=_count(_CODE, lines),
        rows=len(rows),
        links=_count(_LINK, plain),
        html=_count(_HTML, plain),
        quotes=len(quotes),
        marked_lines=len(headings | rows | lists | quotes | inline) + inside,
    )


def _count(pattern: re.Pattern[str], lines: list[str]) -> int:
    return sum(1 for line in lines for _ in pattern.finditer(line))


def _has_inline(line: str) -> bool:
    return any(pattern.search(line) for pattern in (_BOLD, _CODE, _LINK, _ITALIC))


def _headings(lines: list[str]) -> set[int]:
    marked = {at for at, line in enumerate(lines) if _HEADING.match(line)}
    for at in range(1, len(lines)):
        above = lines[at - 1]
        if _UNDERLINE.match(lines[at]) and above.strip() and "|" not in above and not _BULLET.match(above):
            marked.add(at - 1)
    return marked


def _rows(lines: list[str]) -> set[int]:
    """Lines of tables: those around a row of dashes (which is left out), and lines fenced by bars."""
    found: set[int] = set()
    for at, line in enumerate(lines):
        if at and at not in found and _DELIMITER.match(line) and "|" in lines[at - 1]:
            found.add(at - 1)
            below = at + 1
            while below < len(lines) and "|" in lines[below]:
                found.add(below)
                below += 1
    return found | {at for at, line in enumerate(lines) if _ROW.match(line) and not _DELIMITER.match(line)}


@signal(unit="headings", source=f"{_COMMONMARK}, sections 4.2 and 4.3")
def heading_count(passage: Passage) -> float:
    """Headings, written with `#` or underlined."""
    return float(markup(passage).headings)


@signal(unit="items", source=f"{_COMMONMARK}, section 5.2")
def list_item_count(passage: Passage) -> float:
    """List items, bulleted or numbered."""
    return float(markup(passage).bullets + markup(passage).numbered)


@signal(unit="items", source=f"{_COMMONMARK}, section 5.2")
def numbered_item_count(passage: Passage) -> float:
    """Numbered list items (`1.` or `1)`)."""
    return float(markup(passage).numbered)


@signal(unit="spans", source=f"{_COMMONMARK}, section 6.2")
def bold_count(passage: Passage) -> float:
    """Spans in bold (`**` or `__`)."""
    return float(markup(passage).bold)


@signal(unit="spans", source=f"{_COMMONMARK}, section 6.2")
def italic_count(passage: Passage) -> float:
    """Spans in italics (single `*` or `_`)."""
    return float(markup(passage).italic)


@signal(unit="blocks", source=f"{_COMMONMARK}, section 4.5")
def code_block_count(passage: Passage) -> float:
    """Fenced code blocks."""
    return float(markup(passage).blocks)


@signal(unit="spans", source=f"{_COMMONMARK}, section 6.1")
def inline_code_count(passage: Passage) -> float:
    """Spans between backticks inside a line."""
    return float(markup(passage).inline_code)


@signal(unit="per 100 words", source=f"{_COMMONMARK}, section 6.1")
def inline_code_rate(passage: Passage) -> float:
    """Spans between backticks, per 100 words."""
    return per_100_words(markup(passage).inline_code, passage)


@signal(unit="rows", source="GitHub Flavored Markdown 0.29, section 4.10")
def table_row_count(passage: Passage) -> float:
    """Rows of tables, the heading row included and the row of dashes not."""
    return float(markup(passage).rows)


@signal(unit="links", source=f"{_COMMONMARK}, sections 6.3 and 6.5")
def link_count(passage: Passage) -> float:
    """Marked-up links and images: `[text](target)` and `<https://...>`. A bare address is none (see url_count)."""
    return float(markup(passage).links)


@signal(unit="lines", source=f"{_COMMONMARK}, section 5.1")
def quote_line_count(passage: Passage) -> float:
    """Lines of block quotes (`>`)."""
    return float(markup(passage).quotes)


@signal(unit="per 100 words", source="Unicode Technical Standard 51")
def emoji_rate(passage: Passage) -> float:
    """Emoji per 100 words; a joined sequence, a flag and a skin tone count once."""
    return per_100_words(len(_EMOJI.findall(passage.text)), passage)


@signal(unit="per 100 words", source=f"{_COMMONMARK}, section 6.6; Raffel et al., C4 (2020), section 2.2")
def html_tag_rate(passage: Passage) -> float:
    """HTML tags and comments outside of code, per 100 words."""
    return per_100_words(markup(passage).html, passage)


@signal(unit="characters", source="Rae et al., Gopher (2021), Table A1")
def mean_line_chars(passage: Passage) -> float:
    """Mean length of the non-blank lines."""
    return mean([len(line) for line in passage.lines])


@signal(unit="share", high=1.0, source="this project")
def blank_line_share(passage: Passage) -> float:
    """Share of lines that are blank, those at the very start and end left out."""
    lines = passage.text.strip().split("\n")
    return share(sum(not line.strip() for line in lines), len(lines)) if passage.lines else math.nan


@signal(unit="share", high=1.0, source=_COMMONMARK)
def markdown_share(passage: Passage) -> float:
    """Share of non-blank lines that carry any markup, or stand in a fenced block."""
    lines = len(passage.lines)
    return share(min(markup(passage).marked_lines, lines), lines)
