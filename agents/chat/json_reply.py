"""Reading a model's reply as the one JSON object that was asked for, and as nothing else.

Lenient in the wrapping, strict in the content: a reply that two readings fit, or that quotes an object inside a broken
one of its own, is not read at all, because a text under judgment could have put that object there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from agents.chat.fence import UNPRINTABLE

LONGEST = 1_000_000
"""Characters of a reply that are looked at; no endpoint writes so many."""

FAULTS = 5
"""Faults of one reply that are named."""

THINKING = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
"""What some reasoning models write before their reply proper, where the endpoint does not take it out."""

FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)
OPENING = re.compile(r"\{\s*(?:[\"}'“”]|[\w$-]+[\"']?\s*:)")
"""Where an object opens, in JSON or in what passes for it; other braces are prose."""

Kind = TypeVar("Kind", bound=BaseModel)


class ReplyFault(ValueError):
    """Why a reply cannot be read, in words that a model can act on."""


def read_reply(text: str, kind: type[Kind]) -> Kind:
    """The one object of `kind` that a reply holds.

    The reply may be the object, or have it in a code fence, or prose around it, or its thoughts in `<think>` before it.
    Fields that `kind` does not have are ignored. A value of an enumeration may differ in case and have space around it;
    a part of it, or a first letter, is not it. Control characters in strings become U+FFFD.

    Raises:
        ReplyFault: no object, none that fits, several different ones that do, a key twice, NaN or an infinity, or
            something that looks like an object but is none.
    """
    fitting: Kind | None = None
    fault = "there is no JSON object in it"
    for number, found in enumerate(_objects(text)):
        try:
            value = kind.model_validate(_folded(found, schema_of(kind)))
        except ValidationError as error:
            fault = _explained(error) if number == 0 else fault
            continue
        if fitting is not None and value != fitting:
            raise ReplyFault("it holds different JSON objects that fit, give one")
        fitting = value
    if fitting is None:
        raise ReplyFault(fault)
    return fitting


@cache
def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `kind` as endpoints enforce it: every property required, no others, nothing by reference.

    Its `title` is that of the model's configuration, else the class's name in lower case. Field descriptions stay;
    class docstrings, defaults and string lengths do not, since endpoints refuse them or models copy them. `kind` may
    hold other models but not itself. Made once for each kind; do not change it.
    """
    made = kind.model_json_schema()
    schema = _strict(made, made.get("$defs", {}))
    return {"title": str(kind.model_config.get("title") or kind.__name__.lower()), **schema}


KEPT = ("type", "enum", "const", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf", "minItems", "maxItems")  # fmt: skip


def _strict(schema: Mapping[str, Any], defined: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        schema = {**defined[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
    strict = {name: schema[name] for name in KEPT if name in schema}
    if "properties" in schema:
        properties = {name: _described(part, defined) for name, part in schema["properties"].items()}
        strict |= {"properties": properties, "required": list(properties), "additionalProperties": False}
    if "items" in schema or "prefixItems" in schema:
        strict["items"] = _strict(schema.get("items") or schema["prefixItems"][0], defined)
    if "anyOf" in schema:
        strict["anyOf"] = [_strict(part, defined) for part in schema["anyOf"]]
    return strict


def _described(part: Mapping[str, Any], defined: Mapping[str, Any]) -> dict[str, Any]:
    """A property with its own description, if it has one."""
    own = {"description": part["description"]} if "description" in part else {}
    return {**_strict(part, defined), **own}


def _objects(text: str) -> list[dict[str, Any]]:
    """The outermost JSON objects of a reply, in order."""
    thinking = THINKING.match(text)
    text = (text[thinking.end() :] if thinking else text).strip().removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise ReplyFault(f"it is {len(text)} characters long, give a short one")
    fenced = FENCED.fullmatch(text)
    for whole in (text, fenced[1] if fenced else None):
        if whole is not None and (value := _whole(whole)) is not _NOT_JSON:
            if not isinstance(value, dict):
                raise ReplyFault("it is JSON, but no object")
            return [value]
    return _inside(text)


_NOT_JSON = object()


def _whole(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _inside(text: str) -> list[dict[str, Any]]:
    """The objects with prose around them. After an opening that leads nowhere nothing counts: it may be inside that."""
    found: list[dict[str, Any]] = []
    at = 0
    while opening := OPENING.search(text, at):
        try:
            value, at = _DECODER.raw_decode(text, opening.start())
        except RecursionError:
            raise ReplyFault("it is nested too deep") from None
        except ValueError as error:
            raise ReplyFault(f"it is not valid JSON: {error}") from None
        found.append(value)
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, value in pairs:
        name = UNPRINTABLE.sub("\ufffd", name)
        if name in read:
            raise ReplyFault(f"the key {name[:60]!r} stands in it twice")
        read[name] = _clean(value)
    return read


def _clean(value: Any) -> Any:
    """Strings without what databases and terminals choke on."""
    if isinstance(value, str):
        return UNPRINTABLE.sub("\ufffd", value)
    return [_clean(part) for part in value] if isinstance(value, list) else value


def _refused(name: str) -> NoReturn:
    raise ReplyFault(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits[:20])


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refused, parse_float=_finite)


def _folded(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` with the values of enumerations in the case that the schema has them in."""
    for part in schema.get("anyOf", ()):
        value = _folded(value, part)
    if isinstance(value, str):
        return _listed(value, schema.get("enum", [schema["const"]] if "const" in schema else []))
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {name: _folded(part, known[name]) if name in known else part for name, part in value.items()}
    if isinstance(value, list) and "items" in schema:
        return [_folded(part, schema["items"]) for part in value]
    return value


def _listed(value: str, options: list[Any]) -> str:
    if value in options:
        return value
    plain = value.strip().casefold()
    same = [option for option in options if isinstance(option, str) and option.casefold() == plain]
    return same[0] if len(same) == 1 else value


def _explained(error: ValidationError) -> str:
    """Where it does not fit and why, without what stood there."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    named = (f"{'/'.join(map(str, f['loc'])) or 'the object'}: {f['msg']}" for f in faults[:FAULTS])
    return "; ".join(named)
