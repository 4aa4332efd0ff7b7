"""What an endpoint offers: models, limits and features. How it misbehaves is a `Script`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.scripted.rejections import Style
from knowledge_base.errors import InputError

Usage = Literal["full", "plain", "none"]


@dataclass(frozen=True)
class Service:
    """An endpoint as it is meant to work.

    Attributes:
        models: names it serves; empty for any name.
        key: the bearer key that it wants; None for none.
        window: context window in tokens, prompt and completion together; None for no limit.
        schemas: whether it takes a `response_format`; as old servers do it answers 400 if not.
        quota: replies until the quota is used up; None for no quota.
        cache_tokens: capacity of the prefix cache; 0 for none.
        usage: `full`, `plain` (no cached tokens in it) or `none`.
        style: whose words and bodies its errors have.

    Raises:
        InputError: a number is out of range.
    """

    models: Sequence[str] = ("scripted",)
    key: str | None = None
    window: int | None = None
    schemas: bool = True
    quota: int | None = None
    cache_tokens: int = 1_000_000
    usage: Usage = "full"
    style: Style = "openai"

    def __post_init__(self) -> None:
        for name, least in (("window", 1), ("quota", 0), ("cache_tokens", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"{name} is {value}; use {least} or more")
        if isinstance(self.models, str):
            raise InputError(f"models is {self.models!r}; give a list of names")
