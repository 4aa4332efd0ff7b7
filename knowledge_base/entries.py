"""The catalogue of prior criteria: YAML files read strictly, with every fault told at once.

The criteria that come with the project lie in `knowledge_base/catalogue/*.yaml`, one list of entries a file;
a team may keep a folder of its own in the same form. Fields are those of `Criterion`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from knowledge_base.criterion import Criterion
from knowledge_base.errors import CatalogueError
from knowledge_base.strict_yaml import StrictLoader

CATALOGUE = Path(__file__).with_name("catalogue")
"""The folder of the criteria that come with the project."""

MOST_BYTES = 2_000_000
"""A larger file is refused unread: the whole catalogue is a tenth of this."""

_SHOWN = 80


@dataclass(frozen=True)
class _Entry:
    """A criterion and the place it was read from, for messages about clashes between entries."""

    place: str
    criterion: Criterion


def load_catalogue(folder: Path | None = None) -> tuple[Criterion, ...]:
    """Every criterion of a folder's `*.yaml` files, by file name and then in file order.

    Args:
        folder: where the files lie; the catalogue of the project if None.

    Returns:
        The criteria; names and contents are unique.

    Raises:
        CatalogueError: the folder holds no criteria, or entries have faults; the message tells all of them, one a
            line, as file, entry, field, value and remedy.
    """
    return _packaged() if folder is None else _load(folder)


def catalogue_digest(folder: Path | None = None) -> str:
    """`criteria_digest` of a folder's criteria (of the project's own if None). Raises as `load_catalogue`."""
    return criteria_digest(load_catalogue(folder))


def criteria_digest(criteria: Sequence[Criterion]) -> str:
    """sha256 (64 hex digits) over everything in the criteria, whatever their order."""
    lines = sorted(criterion.model_dump_json() for criterion in criteria)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _packaged() -> tuple[Criterion, ...]:
    return _load(CATALOGUE)


def _load(folder: Path) -> tuple[Criterion, ...]:
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise CatalogueError(f"{folder}: no *.yaml files; give a folder of criteria")
    faults: list[str] = []
    entries = [entry for path in paths for entry in _read_file(path, faults)]
    faults.extend(_clashes(entries))
    if faults:
        raise CatalogueError("\n".join(faults))
    return tuple(entry.criterion for entry in entries)


def _read_file(path: Path, faults: list[str]) -> Iterator[_Entry]:
    try:
        raw = _parse(path)
    except (OSError, ValueError, RecursionError, yaml.YAMLError, CatalogueError) as error:
        faults.append(f"{path.name}: {_one_line(error)}")
        return
    for number, fields in enumerate(raw, start=1):
        place = f"{path.name}: entry {number}{_title(fields)}"
        try:
            yield _Entry(place, Criterion.model_validate(fields))
        except ValidationError as error:
            faults.extend(_faults_of(place, error))


def _parse(path: Path) -> list[object]:
    if path.stat().st_size > MOST_BYTES:
        raise CatalogueError(f"the file has over {MOST_BYTES:,} bytes; split it")
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)
    if not isinstance(raw, list) or not raw:
        raise CatalogueError(f"the file holds {type(raw).__name__}, not a list of criteria; start each with '- name:'")
    return raw


def _title(fields: object) -> str:
    name = fields.get("name") if isinstance(fields, dict) else None
    return f" ({_cut(name)})" if isinstance(name, str) else ""


def _faults_of(place: str, error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        field = ".".join(_plain(part) for part in fault["loc"]) or "entry"
        shown = "" if fault["type"] == "missing" or field == "entry" else f" is {_cut(fault['input'])}"
        yield f"{place}: {field}{shown}: {_remedy(fault['type'], fault['msg'])}"


def _remedy(kind: str, message: str) -> str:
    known = {"missing": "required; add it", "extra_forbidden": "no such field; remove it or mend its spelling"}
    return known.get(kind, message.removeprefix("Value error, "))


def _clashes(entries: Sequence[_Entry]) -> Iterator[str]:
    names: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    for entry in entries:
        name = " ".join(entry.criterion.name.casefold().split())
        content = " ".join(entry.criterion.description.casefold().split())
        if name in names:
            yield f"{entry.place}: name is taken by {names[name]}; rename or remove one"
        elif content in descriptions:
            yield f"{entry.place}: description is that of {descriptions[content]}; reword or remove one"
        names.setdefault(name, entry.place)
        descriptions.setdefault(content, entry.place)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _plain(part: int | str) -> str:
    """A field's name as it is, unless it would break or flood the message."""
    text = str(part)
    return text if text.isprintable() and len(text) <= _SHOWN else _cut(part)


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
