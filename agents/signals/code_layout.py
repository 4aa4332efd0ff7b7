"""What code is made of: line lengths, repeated lines, bare numbers, imports, comprehensions and calls."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from agents.signals.code_naming import declared
from agents.signals.code_parse import Parsed, Piece, kinds
from agents.signals.code_safety import callees

LONG = 99
"""Characters up to which a line is not long: the wider of the two limits that PEP 8 allows."""

_WINDOW = 3
_NUMBERS = kinds(
    "integer float number number_literal decimal_integer_literal decimal_floating_point_literal hex_integer_literal "
    "int_literal float_literal integer_literal"
)
_ORDINARY = frozenset({"0", "1", "2", "0.0", "1.0", "2.0", "0.", "1.", "0L", "1L", "0.5", "0.0f", "1.0f", "100"})
_IMPORTS = kinds(
    "import_statement import_from_statement future_import_statement import_spec import_declaration preproc_include "
    "use_declaration using_declaration"
)
_COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
_PIPELINE = re.compile(
    r"\.(?:map|filter|reduce|flatMap|flat_map|filter_map|fold|collect|mapToObj|forEach|for_each)(?:::<.*>)?\s*$"
)
_CONSTANT_KINDS = frozenset(
    {"const_item", "static_item", "const_declaration", "const_spec", "preproc_def", "enumerator"}
)
_BINDINGS = kinds("assignment variable_declarator init_declarator field_declaration")
_UPPER = re.compile(r"(?:self\.|this\.)?[A-Z][A-Z0-9_]*\b")
_LAST_NAME = re.compile(r"([A-Za-z_$][\w$]*)!?(?:::<.*>|<.*>)?\s*$")
_TRIVIAL = re.compile(r"[\W\d]*(?:else|try|pass|break|continue|end|return|do|finally)?[\W\d]*$")


@dataclass(frozen=True)
class Layout:
    """What `measure_layout` finds. Fields are named as the signals in `agents.signals.code`; see there."""

    magic_number_rate: float
    long_line_share: float
    import_count: int
    comprehension_count: int
    duplicate_code_share: float
    library_call_share: float


def measure_layout(parsed: Parsed) -> Layout:
    """Measure parsed code; line measures also work where nothing could be parsed."""
    filled = [line for line in parsed.lines if line.strip()]
    tokens = sum(piece.leaf for piece in parsed.pieces)
    names = [name for _, name in callees(parsed)]
    return Layout(
        magic_number_rate=100.0 * _magic_numbers(parsed) / tokens if tokens else math.nan,
        long_line_share=sum(len(line.rstrip()) > LONG for line in filled) / len(filled) if filled else math.nan,
        import_count=_imports(parsed),
        comprehension_count=parsed.count(_COMPREHENSIONS) + sum(bool(_PIPELINE.search(n)) for n in names),
        duplicate_code_share=duplicate_share(parsed.lines),
        library_call_share=_library_share(parsed, names),
    )


def duplicate_share(lines: list[str]) -> float:
    """Share of non-trivial lines that lie in a run of three or more such lines that occurs elsewhere too.

    Lines are compared without their indentation (type-1 clones); brackets, `else` and the like are trivial. NaN
    without a non-trivial line.
    """
    kept = [" ".join(line.split()) for line in lines if not _TRIVIAL.match(line.strip()[:200])]
    runs = [tuple(kept[at : at + _WINDOW]) for at in range(len(kept) - _WINDOW + 1)]
    counts = Counter(runs)
    cloned = {at + step for at, run in enumerate(runs) if counts[run] > 1 for step in range(_WINDOW)}
    return len(cloned) / len(kept) if kept else math.nan


def _magic_numbers(parsed: Parsed) -> int:
    numbers = parsed.of_kind(_NUMBERS)
    return sum(parsed.text(piece) not in _ORDINARY and not _named_constant(parsed, at) for at, piece in numbers)


def _named_constant(parsed: Parsed, at: int) -> bool:
    for level, piece in enumerate(parsed.above(at)):
        if level > 6:
            return False
        if piece.kind in _CONSTANT_KINDS or (piece.kind in _BINDINGS and _is_upper(parsed, piece)):
            return True
    return False


def _is_upper(parsed: Parsed, piece: Piece) -> bool:
    return bool(_UPPER.match(parsed.text(piece)[:80]))


def _imports(parsed: Parsed) -> int:
    found = [piece for _, piece in parsed.of_kind(_IMPORTS)]
    if any(piece.kind == "import_spec" for piece in found):  # Go: count what stands in `import (...)`, not the brackets
        return sum(piece.kind == "import_spec" for piece in found)
    return len(found)


def _library_share(parsed: Parsed, names: list[str]) -> float:
    if not names:
        return math.nan
    own = declared(parsed)
    last = [match[1] if (match := _LAST_NAME.search(name)) else "" for name in names]
    return sum(bool(name) and name not in own for name in last) / len(names)
