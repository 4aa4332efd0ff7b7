"""Criteria of a YAML file, proposed as entries: a list as in the catalogue, or a criteria file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from knowledge_base.criterion import Criterion
from knowledge_base.errors import Conflict, InputError
from services.criteria_file import read_criteria
from services.database import Database
from services.datasets.faults import Fault, Faults, shown
from services.knowledge.adding import Added, add
from services.knowledge.entry import Value
from services.knowledge.validation import check_criterion
from services.yaml_document import Document, read_yaml


class AddedFile(Value):
    """What became of a file's criteria: those that were added, and a sentence for each that was there already."""

    added: tuple[Added, ...]
    left_out: tuple[str, ...]


def add_file(database: Database, home: Path, path: str | Path, who: str, note: str = "") -> AddedFile:
    """Propose every criterion of a file. What is there already is left out and told; all else as `add`.

    Raises:
        InputError: the file cannot be read, or criteria are at fault: then none of them is added.
    """
    criteria = criteria_in(path)
    added: list[Added] = []
    left_out: list[str] = []
    for criterion in criteria:
        try:
            added.append(add(database, home, criterion, who, note))
        except Conflict as there:
            left_out.append(str(there))
    return AddedFile(added=tuple(added), left_out=tuple(left_out))


def criteria_in(path: str | Path) -> tuple[Criterion, ...]:
    """The criteria of a file, every one of them fit to be added.

    Raises:
        InputError: as `add_file`.
    """
    document = read_yaml(path)
    if not isinstance(document.data, list):
        criteria = read_criteria(path).criteria_set.criteria
    else:
        criteria = _listed(document, document.data)
    faults = [told for criterion in criteria if (told := _fault_of(criterion))]
    if faults:
        raise InputError("\n".join(f"{document.name}: {told}" for told in faults))
    return tuple(criteria)


def _listed(document: Document, entries: list[object]) -> tuple[Criterion, ...]:
    faults, criteria = Faults(), list[Criterion]()
    for number, fields in enumerate(entries):
        try:
            criteria.append(Criterion.model_validate(fields))
        except ValidationError as error:
            for found in error.errors(include_url=False):
                faults.add(_fault(document, number, found["loc"], found["type"], found["msg"], found["input"]))
    faults.check()
    return tuple(criteria)


def _fault(document: Document, number: int, place: tuple[int | str, ...], kind: str, told: str, value: object) -> Fault:
    field = ".".join(map(str, (number + 1, *place)))
    remedy = {"missing": "add it", "extra_forbidden": "there is no such field; remove it or mend its spelling"}
    shown_value = "missing" if kind == "missing" else shown(value)
    line = document.line((number, *place))
    return Fault(document.name, line, field, shown_value, remedy.get(kind, told.removeprefix("Value error, ")))


def _fault_of(criterion: Criterion) -> str:
    """What keeps a criterion out; empty if nothing does."""
    try:
        check_criterion(criterion)
    except InputError as error:
        return str(error)
    return ""
