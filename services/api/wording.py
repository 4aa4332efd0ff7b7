"""What a validator found, in words: which field, which value, and what would do.

A validator speaks of its own rules ("string should match pattern ..."); whoever sent the request wants to know what to
send instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from services.api.fields import SENTENCES
from services.api.uploads import AS_FORM, is_form

LONGEST = 60
"""Characters of a value that are told."""

MOST_NAMED = 20
SECRET = re.compile(r"token|secret|passw|pepper|authorization|credential|^(api_?)?key$|^url$", re.IGNORECASE)
"""Names of fields whose values are never repeated; an address may hold a password."""

Fault = Mapping[str, Any]
Place = Sequence[str | int]


def told_of(request: Request, error: RequestValidationError) -> list[tuple[str, str]]:
    """Each thing that is wrong with a request: path of the field, such as `body.config.seed`, and what would do."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_form(kind) and request.url.path.endswith("/upload"):
        return [("body", AS_FORM)]
    body, faults = _body_type(request), list(error.errors())
    found = [(".".join(map(str, f["loc"])), worded(f, body)) for f in faults if not _unread(f, error.body)]
    if len(found) < len(faults):
        found.append(("body", f"was sent {f'as {kind[:LONGEST]}' if kind else 'without a Content-Type'}; {OF_JSON}"))
    if faults and faults[0]["type"] == "json_invalid":
        return [("body", _no_json(faults[0], str(error.body)))]
    return found


def worded(fault: Fault, body: Any = None) -> str:
    """What is wrong with one field.

    Args:
        fault: as the validator reports it: `type`, `loc`, `msg`, `input`, and `ctx` where it has one.
        body: type that the request's body should have, for the names of its fields.
    """
    if fault["type"] == "extra_forbidden":
        return _unknown(str(fault["loc"][-1]), list(dict.fromkeys(_fields_at(body, fault["loc"][1:-1]))))
    teller = TELLERS.get(fault["type"], _validators_own)
    return teller(fault)


def value_of(fault: Fault) -> str:
    """The value at fault, shortened; empty if it may not be repeated."""
    value, named = fault.get("input"), [part for part in fault["loc"] if isinstance(part, str)]
    if (named and SECRET.search(named[-1])) or (isinstance(value, str) and "tsk_" in value):
        return ""
    if isinstance(value, Mapping | BaseModel):
        return "an object"
    if isinstance(value, list | tuple | set):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    told = value if isinstance(value, str) else str(value)
    told = told if len(told) <= LONGEST else told[:LONGEST] + "…"
    return repr(told) if isinstance(value, str) else told


OF_JSON = "send Content-Type: application/json"


def _unread(fault: Fault, body: Any) -> bool:
    """Whether the body is faulty only because nothing said that it is JSON."""
    return isinstance(body, bytes) and bool(fault["loc"]) and fault["loc"][0] == "body"


def _no_json(fault: Fault, body: str) -> str:
    at = int(fault["loc"][1])
    line, column = body.count("\n", 0, at) + 1, at - body.rfind("\n", 0, at)
    found = f"{body[at]!r} stands there" if at < len(body) else "the body ends there"
    why = _lowered(fault["ctx"]["error"])
    return f"is no JSON: {why} at line {line}, column {column} ({found}); send one whole JSON value"


def _unknown(name: str, known: list[str]) -> str:
    shown = repr(name if len(name) <= LONGEST else name[:LONGEST] + "…")
    close = difflib.get_close_matches(name[:LONGEST].lower(), known, n=1)
    if close:
        return f"unknown field {shown}; did you mean {close[0]!r}?"
    there = ", ".join(known[:MOST_NAMED]) + (" and more" if len(known) > MOST_NAMED else "")
    return f"unknown field {shown}; " + (f"there are {there}" if known else "leave it out")


def _body_type(request: Request) -> Any:
    field = getattr(request.scope.get("route"), "body_field", None)
    return field.field_info.annotation if field is not None else None


def _fields_at(body: Any, path: Place) -> list[str]:
    """Names of the fields that an object at this place of the body may have."""
    models = list(_models(body))
    for part in path:
        if isinstance(part, str):
            fields = [model.model_fields[part].annotation for model in models if part in model.model_fields]
            models = [model for annotation in fields for model in _models(annotation)] if fields else models
    return [name for model in models for name in model.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models among the parts of a type, such as the one in `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _is(fault: Fault, remedy: str) -> str:
    value = value_of(fault)
    return f"is {value}; {remedy}" if value else remedy


def _missing(fault: Fault) -> str:
    whole = tuple(fault["loc"]) == ("body",)
    return "is missing; " + ("send JSON with Content-Type: application/json" if whole else "give it")


def _pattern(fault: Fault) -> str:
    pattern = str(fault["ctx"]["pattern"])
    return _is(fault, SENTENCES.get(pattern, f"give a text of the form {pattern}"))


def _short(fault: Fault) -> str:
    least = fault["ctx"]["min_length"]
    return f"has {_number(len(fault['input']), _unit(fault))}; give at least {least}"


def _long(fault: Fault) -> str:
    most, value = fault["ctx"]["max_length"], value_of(fault)
    begins = f", beginning with {value}" if value and isinstance(fault["input"], str) else ""
    return f"has {_number(len(fault['input']), _unit(fault))}{begins}; give at most {most:,}"


def _unit(fault: Fault) -> str:
    return "character" if isinstance(fault["input"], str) else "item"


def _number(n: int, unit: str) -> str:
    return f"{n:,} {unit}{'' if n == 1 else 's'}" if n else f"no {unit}s"


def _validators_own(fault: Fault) -> str:
    """The validator's own words, with the value."""
    told = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if told.startswith("Input should "):
        wanted = told.removeprefix("Input should ").partition(", unable to parse")[0]
        return _is(fault, f"it should {wanted}")
    value = value_of(fault)
    plain = value and not isinstance(fault.get("input"), Mapping | BaseModel | list)
    return f"{_lowered(told)} (given: {value})" if plain else _lowered(told)


def _lowered(told: str) -> str:
    return told[:1].lower() + told[1:]


TELLERS: dict[str, Callable[[Fault], str]] = {
    "missing": _missing,
    "string_pattern_mismatch": _pattern,
    "too_short": _short,
    "string_too_short": _short,
    "too_long": _long,
    "string_too_long": _long,
    "model_type": lambda fault: _is(fault, "give a JSON object"),
    "model_attributes_type": lambda fault: _is(fault, "give a JSON object"),
    "dict_type": lambda fault: _is(fault, "give a JSON object"),
    "list_type": lambda fault: _is(fault, "give a list"),
}
