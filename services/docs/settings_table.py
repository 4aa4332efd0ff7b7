"""Every setting as a table row, from `Settings`, its parts, and their docstrings."""

from __future__ import annotations

import re

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from services.docs.blocks import table
from services.settings import PREFIX, Settings

COMPUTED = {"home": "the user's data folder", "workers": "one a core, at least 2"}
"""Defaults that depend on the machine, in words."""


def settings_table() -> str:
    """Variable, default and meaning, part by part. Raises KeyError if a setting is not documented in its class."""
    documented = [part for part in Settings.__mro__ if part.__module__.startswith("services.")]
    meanings = {name: meaning for part in documented for name, meaning in _meanings(part).items()}
    own = [name for part in documented for name in part.__annotations__ if name in Settings.model_fields]
    names = list(dict.fromkeys(own))
    rows = [(f"`{PREFIX}{name.upper()}`", _default(name), meanings[name]) for name in names]
    return table(("variable", "default", "meaning"), rows)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if value is PydanticUndefined:
        return COMPUTED[name]
    return f"`{value}`" if value not in ("", {}, SecretStr("")) else "empty"


def _meanings(settings: type) -> dict[str, str]:
    """Field name -> what the class says of it under `Attributes:`."""
    listed = (settings.__doc__ or "").split("Attributes:", 1)[1]
    entries = re.split(r"^ {8}(?=\w+: )", listed, flags=re.MULTILINE)[1:]
    parts = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(meaning.split()) for name, meaning in parts}
