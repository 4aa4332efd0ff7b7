"""`criteria.yaml`: a criteria set as a file that people read, review, edit and keep under version control.

The set's version is the hash of its content, so the file states it only for reading: what counts is what the file
holds. An edited file is a set of its own; figures measured with other words are told apart by each criterion's hash.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.assessment import Assessment, assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.expression import evaluate, names_in
from agents.signals import SIGNALS
from agents.votes import tally
from knowledge_base.criterion import Criterion, Provenance
from knowledge_base.errors import ExpressionError, InputError
from services.atomic_file import write_text
from services.datasets.faults import Fault, Faults, shown
from services.yaml_document import Document, read_yaml

FORMAT = "criteria/1"
WIDTH = 110

HEADER = """\
# Quality criteria mined by Touchstone; version {version}.
#
# To judge pairs by them:   touchstone evaluate {name} pairs.jsonl
#
# Strongest first. `weight` is what a criterion's vote adds to the log-odds that people prefer a text. `mining` is
# how it did on the pairs it was mined from, which flatters it: judge a set by its accuracy on sealed pairs.
# You may edit, add and remove criteria; the set's version is the hash of its content, so an edited file is
# another version. A criterion needs `name`, `description` and `provenance`; all else may be left out, as may
# the file's `version`, `method` and `lineage`. `expression` is arithmetic over signals (docs/signals.md
# lists them); without one, only a judge that reads can use the criterion. One of your own, to put below `criteria:`
#
# - name: Short answers
#   description: Of two answers that say the same, the shorter is better.
#   provenance: {{kind: person, source: Our editors}}    # `year` may be given
#   expression: words
#   direction: lower                                   # `higher` if left out
#   weight: 0.5                                        # 1 if left out
"""


@dataclass(frozen=True)
class LoadedSet:
    """A criteria file that was read.

    Attributes:
        criteria_set: what it holds.
        stated: the version that the file states; empty if it states none.
        edited: names of the criteria whose `mining` figures were measured with other words than stand there now.
    """

    criteria_set: CriteriaSet
    stated: str
    edited: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether the file states a version that its content no longer has."""
        return bool(self.stated) and self.stated != self.criteria_set.version

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user of the file should know, a sentence each."""
        now = self.criteria_set.version
        edited = f"the file states version {self.stated} but was edited; it is now {now}"
        stale = "figures under `mining` were measured with other words: "
        return (
            *((edited,) if self.changed else ()),
            *((stale + ", ".join(self.edited),) if self.edited else ()),
        )


class _Entry(Criterion):
    """A criterion as it stands in the file, with its vote and its evidence."""

    weight: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    hash_: str = Field(default="", alias="hash")
    mining: dict[str, Any] | None = None


class _File(BaseModel):
    """The file's top level."""

    model_config = ConfigDict(extra="forbid")

    touchstone: Literal["criteria/1"]
    version: str = ""
    method: str = "by hand"
    lineage: Lineage = Lineage(
        dataset="", pairs=0, judge="", manager="", policy="by hand", rounds=0, size=0, seed=0
    )  # fmt: skip
    criteria: Annotated[list[_Entry], Field(min_length=1)]


def write_criteria(criteria_set: CriteriaSet, path: str | Path) -> None:
    """Write the file, replacing an older one at once or not at all."""
    write_text(Path(path), criteria_yaml(criteria_set, Path(path).name))


def criteria_yaml(criteria_set: CriteriaSet, name: str = "criteria.yaml") -> str:
    """The file's text; the same set gives the same bytes."""
    body = {
        "touchstone": FORMAT,
        "version": criteria_set.version,
        "method": criteria_set.method,
        "lineage": criteria_set.lineage.model_dump(),
        "criteria": [_entry(m) for m in criteria_set.members],
    }
    text: str = yaml.dump(body, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)
    return HEADER.format(version=criteria_set.version, name=name) + "\n" + text


def read_criteria(path: str | Path) -> LoadedSet:
    """Read a criteria file.

    Raises:
        InputError: it cannot be read as YAML, or (as `FaultyRows`) fields are at fault: each named with its line, its
            value and what to do.
    """
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise InputError(f"{document.name} is not a criteria file; give one that `touchstone mine` wrote")
    file = _validated(document)
    members = _members(document, file)
    made = CriteriaSet(members=tuple(members), method=file.method, lineage=file.lineage)
    edited = [m.criterion.name for m, e in zip(members, file.criteria, strict=True) if _stale(m.criterion, e)]
    return LoadedSet(made, file.version, tuple(edited))


_ODD_BREAKS = frozenset("\x85\u2028\u2029")
"""Line breaks to YAML but not to people; outside double quotes they would come back as spaces."""


class _Dumper(yaml.SafeDumper):
    """Several lines as a block, the rest as PyYAML chooses; no aliases for values that are equal."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _ODD_BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _entry(member: Member) -> dict[str, Any]:
    words = member.criterion.model_dump(exclude_defaults=True)
    mining = member.mining.model_dump(exclude={"criterion"})
    return {**words, "weight": member.weight, "hash": member.criterion.hash, "mining": mining}


def _validated(document: Document) -> _File:
    try:
        return _File.model_validate(document.data)
    except ValidationError as error:
        _report(document, error, ())
        raise


def _members(document: Document, file: _File) -> list[Member]:
    faults = Faults()
    members: list[Member] = []
    for number, entry in enumerate(file.criteria):
        criterion = Criterion.model_validate(entry.model_dump(include=set(Criterion.model_fields)))
        place: tuple[str | int, ...] = ("criteria", number)
        for fault in _flaws(document, place, criterion, [m.criterion for m in members]):
            faults.add(fault)
        mining = _assessment(document, (*place, "mining"), criterion, entry.mining)
        members.append(Member(criterion=criterion, weight=entry.weight, mining=mining))
    faults.check()
    return members


def _flaws(
    document: Document, place: tuple[str | int, ...], criterion: Criterion, before: list[Criterion]
) -> Iterator[Fault]:
    if any(criterion.name.casefold() == c.name.casefold() for c in before):
        yield _fault(document, (*place, "name"), criterion.name, "taken by another criterion of the file; rename one")
    remedy = _expression_remedy(criterion.expression) if criterion.expression else ""
    if remedy:
        yield _fault(document, (*place, "expression"), criterion.expression, remedy)


def _expression_remedy(expression: str) -> str:
    """What to do about an expression that cannot judge; empty if it can."""
    try:
        names = names_in(expression)
    except ExpressionError as error:
        return str(error).removeprefix(repr(expression)).lstrip(": ").replace(" (<unknown>, line 1)", "")
    unknown = [name for name in names if name not in SIGNALS]
    if unknown:
        return f'unknown signal "{unknown[0]}"; {_meant(unknown[0], SIGNALS)}docs/signals.md lists them all'
    if not names:
        return "there is no signal in it, and a constant cannot tell two texts apart; name a signal of docs/signals.md"
    return "it divides by 0; divide by something else" if _divides_by_zero(expression) else ""


def _divides_by_zero(expression: str) -> bool:
    tree = ast.parse(expression.strip(), mode="eval")
    divisors = [n.right for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    return any(_value(divisor) == 0 for divisor in divisors if not names_in(ast.unparse(divisor)))


def _value(constant: ast.expr) -> float:
    return float(evaluate(f"0 * words + ({ast.unparse(constant)})", {"words": np.zeros(1)})[0])


def _meant(word: str, known: Collection[str]) -> str:
    """A question that names the nearest known word; empty if none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"did you mean {near[0]}? " if near else ""


def _assessment(
    document: Document, place: tuple[str | int, ...], criterion: Criterion, figures: dict[str, Any] | None
) -> Assessment:
    if figures is None:
        return _unmeasured(criterion)
    try:
        return Assessment.model_validate({**figures, "criterion": criterion.hash})
    except ValidationError as error:
        _report(document, error, place)
        raise


def _unmeasured(criterion: Criterion) -> Assessment:
    return assess(tally([criterion.hash], [], []), np.empty(0, dtype=np.int8))[0]


def _stale(criterion: Criterion, entry: _Entry) -> bool:
    return entry.mining is not None and bool(entry.hash_) and entry.hash_ != criterion.hash


def _report(document: Document, error: ValidationError, place: tuple[str | int, ...]) -> None:
    """Raise `FaultyRows` with every fault of a validation."""
    faults = Faults()
    for found in error.errors(include_url=False):
        value = "missing" if found["type"] == "missing" else found["input"]
        where = (*place, *found["loc"])
        remedy = _unknown_field(where) if found["type"] == "extra_forbidden" else _remedy(found["type"], found["msg"])
        faults.add(_fault(document, where, value, remedy))
    faults.check()


def _fault(document: Document, place: tuple[str | int, ...], value: Any, remedy: str) -> Fault:
    field = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    return Fault(document.name, document.line(place), field, value if value == "missing" else shown(value), remedy)


def _unknown_field(where: tuple[str | int, ...]) -> str:
    parents: dict[str | int, type[BaseModel]] = {"provenance": Provenance, "lineage": Lineage}
    parent = parents.get(where[-2], _Entry) if len(where) > 1 else _File
    fields = [field.alias or name for name, field in parent.model_fields.items()]
    return f"there is no such field; {_meant(str(where[-1]), fields)}remove it or mend its spelling"


def _remedy(kind: str, message: str) -> str:
    known = {
        "missing": "add it",
        "literal_error": message.replace("Input should be", "use"),
    }
    plain = message.removeprefix("Value error, ").replace("Input should", "it should")
    return known.get(kind, plain[:1].lower() + plain[1:])
