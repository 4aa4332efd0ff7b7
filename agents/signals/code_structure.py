"""How code is built: functions, nesting, cyclomatic complexity, and whether it parses at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from agents.signals.code_parse import Parsed, Piece, kinds
from agents.signals.rates import mean

FUNCTIONS = kinds(
    "function_definition function_declaration generator_function_declaration method_definition method_declaration "
    "constructor_declaration function_item"
)
"""Kinds that define a named function."""

ASSIGNED = kinds("arrow_function function_expression generator_function")
"""Kinds that define a function only where they are bound to a name; an inline callback is none."""

_BINDERS = kinds("variable_declarator pair assignment_expression field_definition")

CLASSES = kinds(
    "class_definition class_declaration class_specifier interface_declaration enum_declaration record_declaration "
    "struct_item enum_item trait_item type_spec"
)
"""Kinds that define a class or another named type."""

_CONTROLS = kinds(
    "if_statement for_statement for_in_statement enhanced_for_statement for_range_loop while_statement do_statement "
    "try_statement try_with_resources_statement with_statement match_statement switch_statement switch_expression "
    "expression_switch_statement type_switch_statement select_statement if_expression for_expression "
    "while_expression loop_expression match_expression"
)
_IFS = frozenset({"if_statement", "if_expression"})
_DECISIONS = kinds(
    "if_statement elif_clause for_statement for_in_statement enhanced_for_statement for_range_loop while_statement "
    "do_statement except_clause catch_clause conditional_expression ternary_expression case_clause switch_case "
    "case_statement switch_label expression_case type_case communication_case match_arm if_clause for_in_clause "
    "if_expression for_expression while_expression loop_expression try_expression"
)
_OPERATORS = frozenset({"&&", "||", "and", "or", "??"})
_PARAMETERS = frozenset({"parameters", "formal_parameters", "parameter_list"})
_NO_PARAMETER = frozenset({"comment", "line_comment", "block_comment", "self_parameter", "attribute_item"})
_RECEIVERS = frozenset({"self", "cls", "this", "void", "*", "/"})
_RETURNS = frozenset({"return_statement", "return_expression"})


@dataclass(frozen=True)
class Structure:
    """What `measure_structure` finds. Fields are named as the signals in `agents.signals.code`; see there."""

    syntax_valid: float
    function_count: int
    class_count: int
    mean_function_lines: float
    max_function_lines: float
    max_nesting: int
    mean_nesting: float
    mean_complexity: float
    max_complexity: float
    parameter_mean: float
    return_count: int


def measure_structure(parsed: Parsed) -> Structure:
    """Measure parsed code. Linear in the number of pieces, without recursion."""
    where = functions(parsed)
    lengths = [parsed.pieces[at].last_row - parsed.pieces[at].row + 1 for at in where]
    complexities = _complexities(parsed, where)
    depths = _depths(parsed)
    per_line = _per_line(parsed, depths)
    return Structure(
        syntax_valid=_valid(parsed),
        function_count=len(where),
        class_count=parsed.count(CLASSES),
        mean_function_lines=mean(lengths),
        max_function_lines=max(lengths, default=math.nan),
        max_nesting=max(depths, default=0),
        mean_nesting=mean(per_line),
        mean_complexity=mean(complexities),
        max_complexity=max(complexities),
        parameter_mean=mean([len(parameters(parsed, at)) for at in where]),
        return_count=parsed.count(_RETURNS),
    )


def functions(parsed: Parsed) -> list[int]:
    """Indices of the pieces that define a named function, in order."""
    named = parsed.of_kind(FUNCTIONS | ASSIGNED)
    return [at for at, piece in named if piece.kind in FUNCTIONS or _bound(parsed, piece)]


def parameters(parsed: Parsed, at: int) -> list[int]:
    """Indices of the parameters of the function at piece `at`; `self`, `cls`, a receiver and `void` are none."""
    holder = _parameter_list(parsed, at)
    if holder is None:
        single = [c for c in parsed.children[at] if parsed.pieces[c].field == "parameter"]
        return single
    return [name for child in parsed.children[holder] for name in _declared(parsed, child)]


def _declared(parsed: Parsed, child: int) -> Iterator[int]:
    piece = parsed.pieces[child]
    if not piece.named or piece.kind in _NO_PARAMETER or parsed.text(piece) in _RECEIVERS:
        return
    names = [c for c in parsed.children[child] if parsed.pieces[c].field == "name"]
    yield from [child] * max(1, len(names))  # Go writes `a, b int`


def _parameter_list(parsed: Parsed, at: int) -> int | None:
    waiting = [at]
    while waiting:
        for child in parsed.children[waiting.pop()]:
            piece = parsed.pieces[child]
            if piece.kind in _PARAMETERS and piece.field == "parameters":
                return child
            if piece.field == "declarator":  # C and C++ hang the list under the declarator
                waiting.append(child)
    return None


def _bound(parsed: Parsed, piece: Piece) -> bool:
    return piece.parent >= 0 and parsed.pieces[piece.parent].kind in _BINDERS


def _valid(parsed: Parsed) -> float:
    if parsed.language is None:
        return math.nan
    filled = [row for row, line in enumerate(parsed.lines) if line.strip()]
    return 1.0 - sum(row in parsed.faulty_rows for row in filled) / len(filled) if filled else math.nan


def _depths(parsed: Parsed) -> list[int]:
    depths: list[int] = []
    for at, piece in enumerate(parsed.pieces):
        outer = depths[piece.parent] if piece.parent >= 0 else 0
        depths.append(outer + (piece.named and piece.kind in _CONTROLS and not _chained(parsed, at)))
    return depths


def _chained(parsed: Parsed, at: int) -> bool:
    piece = parsed.pieces[at]
    if piece.kind not in _IFS or piece.parent < 0:
        return False
    return piece.field == "alternative" or parsed.pieces[piece.parent].kind == "else_clause"


def _per_line(parsed: Parsed, depths: list[int]) -> list[int]:
    lines: dict[int, int] = {}
    for piece in parsed.pieces:
        if piece.parent >= 0 and piece.row not in lines:
            lines[piece.row] = depths[piece.parent]
    return list(lines.values())


def _complexities(parsed: Parsed, where: list[int]) -> list[int]:
    """McCabe's number of each function, a nested one apart from its outer one; of the whole code if there is none."""
    counts = dict.fromkeys(where, 1)
    owners: list[int] = []
    loose = 1
    for at, piece in enumerate(parsed.pieces):
        owner = at if at in counts else (owners[piece.parent] if piece.parent >= 0 else -1)
        owners.append(owner)
        if not _decides(parsed, at, piece):
            continue
        if owner >= 0:
            counts[owner] += 1
        else:
            loose += 1
    return list(counts.values()) or [loose]


def _decides(parsed: Parsed, at: int, piece: Piece) -> bool:
    if not piece.named:
        return piece.kind in _OPERATORS
    if piece.kind not in _DECISIONS:
        return False
    if piece.kind in ("case_statement", "switch_label"):
        return not parsed.data.startswith(b"default", piece.start)
    return not (piece.kind == "match_arm" and parsed.text(piece).startswith("_ "))
