"""Words for criteria that a statistical manager finds, written so that a person can read and dispute them."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

import yaml

from agents.expression import names_in
from agents.expression_space import Candidate
from agents.signals import SIGNALS
from knowledge_base.criterion import Criterion, Domain, Provenance
from knowledge_base.strict_yaml import StrictLoader

TITLES = Path(__file__).with_name("signal_titles.yaml")

TURNED = "Here people prefer the text with less of it. "
"""Opens the description of a criterion whose direction was turned: it reverses what the words would ask of a reader."""

FOUND = "Found by search, not taken from a source: "
"""Opens the description of a criterion that stands on the mining pairs alone."""

FOUND_BY = Provenance(kind="mined", source="Touchstone, statistical manager: search over signals", year=2026)


def criterion_from(candidate: Candidate, domain: Domain) -> Criterion:
    """A criterion in words for an expression that the search found."""
    phrases = _phrases(candidate)
    return Criterion(
        name=_name(phrases, candidate),
        description=_description(phrases, names_in(candidate.expression)),
        not_when="One of the measures does not apply to one of the texts.",
        domains={domain: 1},
        provenance=FOUND_BY,
        expression=candidate.expression,
        direction=candidate.direction,
        margin=candidate.margin,
    )


def rewritten(criterion: Criterion, candidate: Candidate) -> Criterion:
    """The criterion with its words kept and said anew what is measured: direction, margin and combination.

    A turned direction is stated first. It says the opposite of the source, so neither the source nor its word on how
    much the criterion matters carries over. A criterion that the search found has no words but those of its measures,
    so it is named and described anew.
    """
    turns = candidate.direction != criterion.direction
    words = _reworded(criterion, candidate, turns)
    return Criterion(
        name=words[0],
        description=words[1][:1190],
        not_when=criterion.not_when,
        domains={} if turns else criterion.domains,
        provenance=FOUND_BY if turns else criterion.provenance,
        expression=candidate.expression,
        direction=candidate.direction,
        margin=candidate.margin,
    )


def explanation(candidate: Candidate) -> str:
    """Why people may have preferred what they did, in a sentence that a knowledge base can be searched with."""
    more = "more" if candidate.direction == "higher" else "less"
    return f"People preferred the text with {more} of this: {_meaning(names_in(candidate.expression))}"


@cache
def signal_titles() -> dict[str, dict[str, str]]:
    """Signal -> what `more` and what `less` of it means to a reader, each at most 60 characters."""
    titles: dict[str, dict[str, str]] = yaml.load(TITLES.read_text(encoding="utf-8"), Loader=StrictLoader)
    return titles


def _reworded(criterion: Criterion, candidate: Candidate, turns: bool) -> tuple[str, str]:
    """Name and description."""
    names = names_in(candidate.expression)
    if criterion.description.startswith(FOUND):
        phrases = _phrases(candidate)
        return _name(phrases, candidate), _description(phrases, names)
    turned = turns != criterion.description.startswith(TURNED)
    added = [n for n in names if n not in names_in(criterion.expression)]
    also = f" Weighed together with: {_meaning(tuple(added))}" if added else ""
    return criterion.name, f"{TURNED if turned else ''}{criterion.description.removeprefix(TURNED)}{also}"


def _description(phrases: list[str], names: tuple[str, ...]) -> str:
    listed = ", and ".join(_inside(phrase) for phrase in phrases)
    asks = f"on the mining pairs people preferred the text with {listed}. Judge which of the two this describes better."
    return f"{FOUND}{asks} How it is measured: {_meaning(names)}"[:1190]


def _meaning(names: tuple[str, ...]) -> str:
    return " ".join(SIGNALS[name].definition for name in names)


def _phrases(candidate: Candidate) -> list[str]:
    """What the better text has, a phrase for each signal in the order in which the expression names them."""
    wanted = 1 if candidate.direction == "higher" else -1
    tree = ast.parse(candidate.expression.strip(), mode="eval").body
    return [signal_titles()[n]["more" if sign > 0 else "less"] for n, sign in _leanings(tree, wanted).items()]


def _leanings(node: ast.AST, sign: int) -> dict[str, int]:
    """Signal -> +1 if more of it raises the value (where it first stands), -1 if it lowers it."""
    if isinstance(node, ast.Name):
        return {node.id: sign}
    if isinstance(node, ast.Call):
        parts = [(argument, sign) for argument in node.args]
    elif isinstance(node, ast.BinOp):
        parts = _sides(node, sign)
    elif isinstance(node, ast.Compare):
        sign = -sign if isinstance(node.ops[0], ast.Lt | ast.LtE) else sign
        parts = [(node.left, sign), (node.comparators[0], -sign)]
    elif isinstance(node, ast.UnaryOp):
        parts = [(node.operand, -sign if isinstance(node.op, ast.USub) else sign)]
    else:
        parts = []
    found: dict[str, int] = {}
    for part, its_sign in parts:
        found |= {name: leans for name, leans in _leanings(part, its_sign).items() if name not in found}
    return found


def _sides(node: ast.BinOp, sign: int) -> list[tuple[ast.expr, int]]:
    if isinstance(node.op, ast.Mult):
        negative = _negative(node.left) != _negative(node.right)
        return [(node.left, -sign if negative else sign), (node.right, -sign if negative else sign)]
    return [(node.left, sign), (node.right, -sign if isinstance(node.op, ast.Sub | ast.Div) else sign)]


def _negative(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)


def _inside(phrase: str) -> str:
    """A phrase as it stands inside a sentence."""
    return phrase[:1].lower() + phrase[1:]


def _name(phrases: list[str], candidate: Candidate) -> str:
    """At most 80 characters, and still telling two expressions over the same signals apart."""
    if len(phrases) == 1:
        return phrases[0]
    tail = hashlib.sha256(candidate.expression.encode()).hexdigest()[:4]
    both = f"{phrases[0]}, and {_inside(phrases[1])}"
    return f"{both if len(both) <= 73 else phrases[0]} ({tail})"
