"""All that a scripted endpoint is told, as one value that travels as JSON: to a subprocess, or from a person's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import orjson

from benchmarks.scripted.answers import load_answer
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Script
from benchmarks.scripted.service import Service
from knowledge_base.errors import InputError

LETTERS = "benchmarks.scripted.letters:letters"

T = TypeVar("T")


@dataclass(frozen=True)
class Setup:
    """An endpoint.

    Attributes:
        answer, arguments: the answer function, see `load_answer`.
        service: what it offers.
        script: how it misbehaves.
        log: file for a log of requests (JSON lines); empty for none.
    """

    answer: str = LETTERS
    arguments: Mapping[str, Any] | None = None
    service: Service = field(default_factory=Service)
    script: Script = field(default_factory=Script)
    log: str = ""

    @classmethod
    def from_json(cls, data: bytes | str) -> Setup:
        """Read what `as_json` wrote, or a person; everything may be left out.

        Raises:
            InputError: it is no JSON, or holds what does not belong there.
        """
        try:
            given = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise InputError(f"the endpoint's configuration is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise InputError("the endpoint's configuration must be a JSON object")
        parts = {"service": Service, "script": Script}
        return _built(cls, given | {name: _built(kind, given[name]) for name, kind in parts.items() if name in given})

    def as_json(self) -> bytes:
        """JSON that `from_json` reads."""
        return orjson.dumps(asdict(self))

    def engine(self) -> Engine:
        """What serves requests as told.

        Raises:
            InputError: there is no such answer function.
        """
        return Engine(
            load_answer(self.answer, self.arguments), self.service, self.script, Path(self.log) if self.log else None
        )


def _built(kind: type[T], given: object) -> T:
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]  # only dataclasses come here
    if not isinstance(given, dict):
        raise InputError(f"{kind.__name__.lower()} must be a JSON object, not {given!r}")
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"{kind.__name__.lower()} has no {', '.join(unknown)}; use {', '.join(known)}")
    try:
        return kind(**given)
    except (TypeError, AttributeError) as error:
        raise InputError(f"{kind.__name__.lower()} cannot be read: {error}") from error
