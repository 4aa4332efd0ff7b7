"""The names that code declares: how long they are and whether they keep to one style."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from agents.signals.code_parse import Parsed, Piece, kinds
from agents.signals.rates import mean

_NAMES = kinds("identifier property_identifier field_identifier type_identifier shorthand_property_identifier_pattern")
_FIELDS = frozenset({"name", "left", "pattern", "declarator", "parameter"})
_WRAPPERS = kinds(
    "pattern_list tuple_pattern expression_list pointer_declarator reference_declarator array_declarator "
    "init_declarator list_splat_pattern dictionary_splat_pattern rest_pattern array_pattern object_pattern "
    "as_pattern_target"
)
_PARAMETER_PARENTS = kinds("parameters formal_parameters lambda_parameters closure_parameters typed_parameter")
_USES = kinds(
    "keyword_argument method_invocation import_specifier dotted_name aliased_import scoped_identifier "
    "qualified_identifier marker_annotation annotation boolean_operator binary_operator binary_expression "
    "comparison_operator struct_expression call call_expression field_access "
    "scoped_type_identifier template_type generic_type qualified_type type_arguments namespace_identifier "
    "augmented_assignment import_spec macro_invocation"
)
_LOOP_NAMES = frozenset({"i", "j", "k", "_"})
_SNAKE = re.compile(r"_*[a-z][a-z0-9]*(?:_[a-z0-9]+)+_*$")
_CAMEL = re.compile(r"_*[a-z][a-z0-9]*(?:[A-Z][A-Za-z0-9]*)+$")
_PASCAL = re.compile(r"_*[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+$")
_UPPER = re.compile(r"_*[A-Z][A-Z0-9_]*$")


@dataclass(frozen=True)
class Naming:
    """What `measure_naming` finds. Fields are named as the signals in `agents.signals.code`; see there."""

    mean_identifier_length: float
    short_identifier_share: float
    naming_consistency: float
    identifier_count: int


def measure_naming(parsed: Parsed) -> Naming:
    """Measure the distinct names that parsed code declares; if it declares none, those it uses."""
    names = declared(parsed) or {parsed.text(piece) for _, piece in parsed.of_kind(_NAMES)}
    judged = sorted(names - _LOOP_NAMES)
    return Naming(
        mean_identifier_length=mean([len(name) for name in judged]),
        short_identifier_share=mean([float(len(name) <= 2) for name in judged]),
        naming_consistency=consistency(judged),
        identifier_count=len(names),
    )


def declared(parsed: Parsed) -> set[str]:
    """Names of functions, classes, parameters and variables that the code itself introduces."""
    return {parsed.text(piece) for _, piece in parsed.of_kind(_NAMES) if _declares(parsed, piece)}


def consistency(names: list[str]) -> float:
    """Share of the names of several words that are in the commonest style (snake_case or camelCase), in [0, 1].

    PascalCase and UPPER_CASE are left out: types and constants have their own style in every language here. NaN
    if no name has several words.
    """
    styles = Counter(style for name in names if (style := _style(name)))
    return max(styles.values()) / styles.total() if styles else math.nan


def _style(name: str) -> str:
    if _UPPER.match(name) or _PASCAL.match(name):
        return ""
    if _SNAKE.match(name):
        return "snake"
    if _CAMEL.match(name):
        return "camel"
    return "mixed" if "_" in name.strip("_") else ""


def _declares(parsed: Parsed, piece: Piece) -> bool:
    field = piece.field
    at = piece.parent
    while at >= 0 and parsed.pieces[at].kind in _WRAPPERS:
        field = field or parsed.pieces[at].field
        field = parsed.pieces[at].field or field
        at = parsed.pieces[at].parent
    if at < 0:
        return False
    parent = parsed.pieces[at].kind
    return parent not in _USES and (field in _FIELDS or parent in _PARAMETER_PARENTS)
