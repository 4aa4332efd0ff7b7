"""What code says about itself: comments, docstrings, type hints, notes to do, and code that was commented out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from agents.signals.code_parse import Parsed, Piece, kinds
from agents.signals.code_structure import CLASSES, functions, parameters
from agents.signals.rates import mean

COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
"""Kinds that are comments in any of the grammars."""

_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
_MARKS = re.compile(r"^\s*(?:#!?|/{2,}!?|/\*+!?|\*+(?!/))?\s?|\s*\*+/\s*$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DEAD = re.compile(
    r"\s*(?:[\w.\[\]\"']+\s*(?:[-+*/]|:)?=(?!=)\s*\S+(?:\s*[-+*/.,(\[{].*|;)?$|(?:[\w$]+(?:\.|->|::))*[\w$]+\([^)]*\)\s*;?\s*$"
    r"|(?:def|class|import|from|return|if|elif|for|while|else|try|except|with|print)\b.*(?::|\(.*\)|;)\s*$"
    r"|import\s+[\w.]+$|from\s+[\w.]+\s+import\s|return\s+[\w.\[\]()]+$|.*[^.!?\s];\s*$|[})\]]+;?\s*$|.*\)\s*\{\s*$)"
)
_ENDS_PROSE = re.compile(r"[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}")
_TYPED = frozenset({"typed_parameter", "typed_default_parameter"})
_PREFIXES = kinds(
    "modifiers decorator decorated_definition export_statement attribute_item template_declaration "
    "variable_declarator lexical_declaration type_declaration"
)


@dataclass(frozen=True)
class Documentation:
    """What `measure_documentation` finds. Fields are named as the signals in `agents.signals.code`; see there."""

    comment_density: float
    docstring_coverage: float
    docstring_words: int
    type_hint_coverage: float
    todo_count: int
    dead_code_count: int
    code_lines: int


def measure_documentation(parsed: Parsed) -> Documentation:
    """Measure the comments and docstrings of parsed code."""
    comments = [piece for _, piece in parsed.of_kind(COMMENTS)]
    docs = docstrings(parsed)
    rows = _comment_rows(parsed, comments)
    prose = rows | {row for doc in docs.values() for row in range(doc.row, doc.last_row + 1)}
    filled = {row for row, line in enumerate(parsed.lines) if line.strip()}
    code_rows = len(filled - prose)
    return Documentation(
        comment_density=len(rows) / code_rows if code_rows else math.nan,
        docstring_coverage=_coverage(parsed, docs),
        docstring_words=sum(len(_WORD.findall(parsed.text(doc))) for doc in set(docs.values())),
        type_hint_coverage=_hints(parsed),
        todo_count=sum(len(_TODO.findall(parsed.text(piece))) for piece in comments),
        dead_code_count=sum(looks_dead(line) for line in _ordinary_lines(parsed, comments, docs.values())),
        code_lines=code_rows,
    )


def docstrings(parsed: Parsed) -> dict[int, Piece]:
    """Documentation of each documented function or class, by the index of its piece.

    In Python the string that opens the body (PEP 257); elsewhere a comment that ends on the line above.
    """
    owners = [*functions(parsed), *(at for at, _ in parsed.of_kind(CLASSES))]
    if parsed.language is not None and parsed.language.name == "python":
        found = {at: _opening_string(parsed, at) for at in owners}
    else:
        by_last = {_last_row(piece): piece for _, piece in parsed.of_kind(COMMENTS)}
        found = {at: by_last.get(_first_row(parsed, at) - 1) for at in owners}
    return {at: doc for at, doc in found.items() if doc is not None}


def looks_dead(comment: str) -> bool:
    """Whether a line of a comment (marks removed) is a statement, not prose."""
    return bool(_DEAD.match(comment[:200])) and not _ENDS_PROSE.search(comment[:200])


def _coverage(parsed: Parsed, docs: dict[int, Piece]) -> float:
    owners = len(functions(parsed)) + parsed.count(CLASSES)
    return len(docs) / owners if owners else math.nan


def _opening_string(parsed: Parsed, at: int) -> Piece | None:
    body = next((c for c in parsed.children[at] if parsed.pieces[c].field == "body"), None)
    if body is None:
        return None
    first = next((c for c in parsed.children[body] if parsed.pieces[c].kind not in COMMENTS), None)
    while first is not None and parsed.pieces[first].kind == "expression_statement":
        first = next(iter(parsed.children[first]), None)
    if first is None or parsed.pieces[first].kind not in ("string", "concatenated_string"):
        return None
    return parsed.pieces[first]


def _first_row(parsed: Parsed, at: int) -> int:
    rows = [parsed.pieces[at].row]
    for piece in parsed.above(at):
        if piece.kind not in _PREFIXES and piece.kind not in (
            "variable_declarator",
            "lexical_declaration",
            "type_declaration",
        ):
            break
        rows.append(piece.row)
    row = min(rows)
    while row and parsed.lines[row - 1].lstrip().startswith(("#[", "@")):
        row -= 1
    return row


def _last_row(piece: Piece) -> int:
    return piece.last_row - (piece.last_row > piece.row and piece.kind == "line_comment")  # Rust's ends on the next


def _comment_rows(parsed: Parsed, comments: Iterable[Piece]) -> set[int]:
    spans = ((piece.row, _last_row(piece)) for piece in comments if _alone(parsed, piece))
    return {row for first, last in spans for row in range(first, last + 1) if parsed.lines[row].strip()}


def _alone(parsed: Parsed, piece: Piece) -> bool:
    before = parsed.data.rfind(b"\n", 0, piece.start) + 1
    return not parsed.data[before : piece.start].strip()


def _ordinary_lines(parsed: Parsed, comments: Iterable[Piece], docs: Iterable[Piece]) -> list[str]:
    documented = set(docs)
    texts = (parsed.text(piece) for piece in comments if piece not in documented)
    plain = (text for text in texts if not text.startswith(("/**", "///", "//!")))
    return [line for text in plain for raw in text.split("\n") if (line := _MARKS.sub("", raw)).strip()]


def _hints(parsed: Parsed) -> float:
    if parsed.language is None or parsed.language.name != "python":
        return math.nan
    wanted: list[float] = []
    for at in functions(parsed):
        wanted += [float(parsed.pieces[p].kind in _TYPED) for p in parameters(parsed, at)]
        wanted.append(float(parsed.child(at, "return_type") is not None))
    return mean(wanted)
