"""Log lines: one JSON object each, or readable on a terminal, with the ids of what they are about and no secrets.

What is bound with `about` (run, thread, batch, job, request, schedule) stands on every line of the block, those of
libraries included. A line says what happened and to which ids, never what a pair's texts say.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from agents.chat.fault_words import SHORTEST_SECRET, blank_keys
from services.inert import shown
from services.roles.settings import roles_of
from services.settings import SECRET

LONGEST = 2000
"""Characters of a value in a line, so that no error message carries a text into a log."""

QUIET = (
    "httpx", "httpcore", "openai", "urllib3", "sqlalchemy", "rq", "rq.worker", "alembic", "sentence_transformers",
    "asyncio",
)  # fmt: skip
"""Libraries that log every step of theirs; only their warnings are kept."""

PARAMETERS = re.compile(r"\[parameters: .*?\](?=\s*(?:\n|\(Background|$))|(?<=DETAIL:).*", re.DOTALL)
"""What a database's error says of the values it was given, which may be texts."""

REQUEST = ("request", "method", "path", "status", "seconds", "key")
"""What the API's line about a request brings with it; other loggers' extras are not taken in."""

Event = MutableMapping[str, Any]


def configure_logs(settings: BaseSettings, role: str, stream: TextIO | None = None) -> None:
    """Have this process log as the settings say.

    Args:
        settings: format and level, and the secrets that must not be logged.
        role: what the process is: `worker`, `scheduler`, `api`.
        stream: where to; standard error if not given.
    """
    roles, out = roles_of(settings), stream or sys.stderr
    as_text = roles.log_format == "text" or (roles.log_format == "auto" and out.isatty())
    blank = _Blanking(_secrets(settings))
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(REQUEST),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        # Only where an error was raised and what it says: a traceback with values may show a text.
        structlog.processors.format_exc_info,
        blank,
    ]
    written: list[Any] = [_harmless, structlog.dev.ConsoleRenderer(colors=out.isatty())] if as_text else [_json()]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, blank, *written])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(roles.log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(role=role)


def log(name: str) -> Any:
    """A logger; `log(__name__).info("begun", seconds=1.5)`. Where nobody configured logs, it logs as `logging` does."""
    if not structlog.is_configured():
        plain = structlog.processors.KeyValueRenderer(key_order=["event"])
        processors: list[Any] = [structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, plain]
        structlog.configure(processors=processors, logger_factory=structlog.stdlib.LoggerFactory())
    return structlog.stdlib.get_logger(name)


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Put these ids on every line of the block; empty ones are left out."""
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in ids.items() if value}):
        yield


class _Blanking:
    """Takes out of a line what must not stand in it."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def __call__(self, _logger: Any, _method: str, event: Event) -> Event:
        for key, value in event.items():
            if not key.startswith("_"):
                event[key] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return _short(PARAMETERS.sub("(hidden)", SECRET.sub("(hidden)", blank_keys(value, self._secrets))))
        if isinstance(value, Mapping):
            return {str(key): self._clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(inner) for inner in value]
        return value if isinstance(value, bool | int | float | None) else self._clean(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def _secrets(settings: BaseSettings) -> list[str]:
    """Every secret of the settings, and the password of every address in them, the longest first."""
    found: list[str] = []
    for value in settings.model_dump().values():
        if isinstance(value, SecretStr):
            found += [part.strip() for part in value.get_secret_value().split(",")]
        elif isinstance(value, str) and "://" in value:
            found.append(urlsplit(value).password or "")
    kept = {secret for secret in found if len(secret) >= SHORTEST_SECRET}
    return sorted(kept, key=len, reverse=True)


def _json() -> Any:
    # ASCII, so that no character of a value ends a line, whoever splits them.
    return structlog.processors.JSONRenderer(sort_keys=True)


def _harmless(_logger: Any, _method: str, event: Event) -> Event:
    """Without what moves a terminal's cursor; the lines of a trace stay lines."""
    texts = {k: shown(v) for k, v in event.items() if isinstance(v, str) and k != "exception"}
    return {**event, **texts}
