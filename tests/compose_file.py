"""The compose file as `docker compose` would read it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}")


def raw() -> dict[str, Any]:
    """The file, with variables as they are written."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return read


def filled(values: Mapping[str, str]) -> dict[str, Any]:
    """The file with variables filled in.

    Raises:
        LookupError: a variable is required and not given.
    """
    found: dict[str, Any] = _filled(raw(), values)
    return found


def variables(node: Any) -> list[tuple[str, str, str]]:
    """All variables below a node: name, how (`:-`, `:?` or empty) and default or message."""
    if isinstance(node, Mapping):
        return [v for value in node.values() for v in variables(value)]
    if isinstance(node, list):
        return [v for value in node for v in variables(value)]
    found = VARIABLE.finditer(node) if isinstance(node, str) else ()
    return [(m["name"], m["how"] or "", m["rest"] or "") for m in found if m["name"]]


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    return VARIABLE.sub(lambda found: _value(found, values), node) if isinstance(node, str) else node


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found.group() == "$$":
        return "$"
    given = values.get(found["name"], "")
    if given or found["how"] != ":?":
        return given or (found["rest"] if found["how"] == ":-" else "")
    raise LookupError(f"{found['name']}: {found['rest']}")
