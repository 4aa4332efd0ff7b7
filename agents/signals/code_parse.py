"""Source code as a flat list of syntax pieces, safe against hostile text.

tree-sitter parses anything, but its error recovery is quadratic in time and memory on some repetitive
garbage (measured: 500 MB for 12 kB of one repeated line, 16 times that for 50 kB). So code is parsed in
sections of at most `SECTION` characters, each under a budget of parser steps. Steps are counted, not
timed, so that the same text always gives the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from tree_sitter import Node, Parser, Tree

from agents.signals.code_languages import LANGUAGES, Language, grammar, hinted, plausible
from agents.signals.code_source import Source

SECTION = 6_000
"""Most characters parsed at once; a longer text is cut at its least indented lines."""

GUESS = 3_000
"""Characters from which the language is guessed."""

_FIRST_CUT = 3_500
_CLOSER = re.compile(r"\s*(?:[})\]]|else\b|elif\b|except\b|finally\b|catch\b|case\b)")


class Piece(NamedTuple):
    """One node of the syntax tree.

    Attributes:
        kind: node type in the grammar (`if_statement`, `identifier`, `+`).
        field: its role in its parent (`body`, `name`), or empty.
        start, end: byte range in `Parsed.data`.
        row, last_row: first and last line, from 0.
        parent: index of the parent's piece; -1 at the top of a section.
        named: False for keywords and punctuation.
        leaf: True if it has no children.
        broken: True for an ERROR or a MISSING node.
    """

    kind: str
    field: str
    start: int
    end: int
    row: int
    last_row: int
    parent: int
    named: bool
    leaf: bool
    broken: bool


@dataclass(frozen=True)
class Parsed:
    """Code with its pieces in reading order (a parent before its children).

    Attributes:
        code: the code.
        language: what it was parsed as; None if none of the seven fits, and then `pieces` is empty.
        pieces: every node of the syntax tree.
    """

    code: str
    language: Language | None
    pieces: tuple[Piece, ...]

    @cached_property
    def data(self) -> bytes:
        """The code in UTF-8, which the pieces' byte ranges point into."""
        return _bytes(self.code)

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the code."""
        return self.code.split("\n")

    @cached_property
    def children(self) -> list[list[int]]:
        """For each piece, the indices of its children."""
        found: list[list[int]] = [[] for _ in self.pieces]
        for at, piece in enumerate(self.pieces):
            if piece.parent >= 0:
                found[piece.parent].append(at)
        return found

    @cached_property
    def faulty_rows(self) -> frozenset[int]:
        """Lines on which a token fits nowhere in the grammar, or a token is missing."""
        pieces = self.pieces
        return frozenset(
            piece.row
            for piece in pieces
            if (piece.broken and piece.leaf)
            or (piece.leaf and piece.parent >= 0 and pieces[piece.parent].kind == "ERROR")
        )

    def text(self, piece: Piece) -> str:
        """The code of one piece."""
        return self.data[piece.start : piece.end].decode("utf-8", "replace")

    def of_kind(self, wanted: frozenset[str]) -> Iterator[tuple[int, Piece]]:
        """Index and piece of every named piece of the given kinds, in order."""
        return ((at, piece) for at, piece in enumerate(self.pieces) if piece.named and piece.kind in wanted)

    def count(self, wanted: frozenset[str]) -> int:
        """How many named pieces are of the given kinds."""
        return sum(1 for _ in self.of_kind(wanted))

    def child(self, at: int, field: str) -> Piece | None:
        """The first child of piece `at` in the role `field`."""
        return next((self.pieces[c] for c in self.children[at] if self.pieces[c].field == field), None)

    def above(self, at: int) -> Iterator[Piece]:
        """The pieces around piece `at`, innermost first."""
        at = self.pieces[at].parent
        while at >= 0:
            yield self.pieces[at]
            at = self.pieces[at].parent


def kinds(names: str) -> frozenset[str]:
    """Node kinds, given in one string and parted by spaces."""
    return frozenset(names.split())


@lru_cache(maxsize=8)
def parse(source: Source) -> Parsed:
    """Parse code in the language its hint names or, without one, in the plausible language with the fewest faults.

    A hint that names another language (`sql`), and code that no grammar gets through, gives no pieces.
    """
    language = hinted(source.hint) if source.hint else guess(source.code)
    if language is None:
        return Parsed(source.code, None, ())
    pieces: list[Piece] = []
    byte, row = 0, 0
    for section in sections(source.code):
        tree = _tree(language, _bytes(section))
        pieces += _pieces(tree, byte, row, len(pieces)) if tree else []
        byte += len(_bytes(section))
        row += section.count("\n")
    return Parsed(source.code, language if pieces else None, tuple(pieces))


def guess(code: str) -> Language | None:
    """The plausible language whose parse of the first lines has the fewest ERROR and MISSING nodes.

    Ties go to the language with more cues. None if no grammar gets through.
    """
    sample = _head(code)
    faults: list[tuple[int, int, int, Language]] = []
    for language in plausible(sample):
        tree = _tree(language, _bytes(sample))
        if tree is not None:
            faults.append((_faults(tree), -language.score(sample), LANGUAGES.index(language), language))
    return min(faults, key=lambda fault: fault[:3])[3] if faults else None


def sections(code: str) -> list[str]:
    """Cut code into parts of at most `SECTION` characters at its least indented lines; joined they give `code`."""
    parts: list[str] = []
    lines = [line[at : at + SECTION] for line in code.splitlines(keepends=True) for at in range(0, len(line), SECTION)]
    held: list[str] = []
    size = 0
    for line in lines:
        while held and size + len(line) > SECTION:
            cut = _best_cut(held)
            parts.append("".join(held[:cut]))
            held = held[cut:]
            size = sum(map(len, held))
        held.append(line)
        size += len(line)
    return [*parts, "".join(held)] if held else parts


def _best_cut(lines: list[str]) -> int:
    best, least, size = len(lines), 10**6, 0
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if at and size >= _FIRST_CUT and line.strip() and not _CLOSER.match(line) and indent <= least:
            best, least = at, indent
        size += len(line)
    return best


def _head(code: str) -> str:
    if len(code) <= GUESS:
        return code
    return code[: code.rfind("\n", 1, GUESS)] if "\n" in code[1:GUESS] else code[:GUESS]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _tree(language: Language, data: bytes) -> Tree | None:
    budget = 500 + len(data) // 4
    steps = 0

    def read(offset: int, _: object) -> bytes:
        return data[offset : offset + 4096]

    def stop(_: int, __: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > budget

    try:
        return Parser(grammar(language.name)).parse(read, progress_callback=stop)
    except ValueError:  # how the binding says that the callback stopped it
        return None


def _faults(tree: Tree) -> int:
    found, waiting = 0, [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.has_error:
            found += node.is_error or node.is_missing
            waiting += node.children
    return found


def _pieces(tree: Tree, byte: int, row: int, first: int) -> list[Piece]:
    cursor = tree.walk()
    pieces: list[Piece] = []
    path = [-1]
    while True:
        node = cursor.node
        assert node is not None
        pieces.append(_piece(node, cursor.field_name or "", byte, row, path[-1]))
        if cursor.goto_first_child():
            path.append(first + len(pieces) - 1)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return pieces
            path.pop()


def _piece(node: Node, field: str, byte: int, row: int, parent: int) -> Piece:
    return Piece(
        node.type,
        field,
        node.start_byte + byte,
        node.end_byte + byte,
        node.start_point[0] + row,
        node.end_point[0] + row,
        parent,
        node.is_named,
        node.child_count == 0,
        node.is_error or node.is_missing,
    )
