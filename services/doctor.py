"""Whether this machine can run Touchstone: each thing it needs looked at by itself, with what to do where it fails."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from knowledge_base.errors import InputError, TouchstoneError
from services.model_settings import Endpoint
from services.settings import PREFIX, Settings, load_settings

PYTHON = (3, 11)
PACKAGES = (
    "langgraph", "rq", "redis", "sqlalchemy", "pydantic-settings", "numpy", "scipy", "scikit-learn", "faiss-cpu",
    "sentence-transformers", "langchain-openai", "limits", "tree-sitter", "typer", "rich", "jinja2", "pyarrow",
)  # fmt: skip
REINSTALL = "reinstall: pip install --force-reinstall touchstone-criteria"
FREE_BYTES = 500_000_000
"""Free space under home below which a run is at risk."""

MODEL_REMEDY = f"check {PREFIX}WORKER_MODEL, {PREFIX}MANAGER_MODEL, their _BASE_URL and their _API_KEY"

ANSWER_SECONDS = 3.0
"""How long a Redis server may take to answer."""


@dataclass(frozen=True)
class Check:
    """One thing looked at: what it is, whether it is well, what was found, and what to do if it is not well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str | bool]:
        """Plain values."""
        return asdict(self)


class AilmentError(Exception):
    """Something is wrong: what was found, and what to do about it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


Look = Callable[[Settings], str]
"""Looks at one thing; returns what was found, or raises `AilmentError` (or any error, which is reported as it is)."""


def examine() -> Iterator[Check]:
    """Look at one thing after the other; settings that cannot be read end it, since the rest hangs on them."""
    yield _check("python", lambda _: _python(), None)
    yield _check("packages", lambda _: _packages(), None)
    try:
        settings = load_settings()
    except InputError as error:
        yield Check("settings", False, str(error), f"mend the {PREFIX} variables")
        return
    yield Check("settings", True, f"home {settings.home}, {settings.workers} workers")
    homeless = False
    for name, look in LOOKS:
        if homeless and _in_home(name, settings):
            yield Check(name, False, "not looked at, since it is in home", "see home")
            continue
        check = _check(name, look, settings)
        homeless = homeless or (name == "home" and not check.ok)
        yield check
    for endpoint in {(e.model, e.base_url, e.key): e for e in settings.endpoints}.values():
        yield _check("model", partial(_model, endpoint=endpoint), settings)


def demand(settings: Settings, *wanted: Literal["home", "redis"]) -> None:
    """Make sure, in a moment, of what a command would otherwise fail over half way.

    Args:
        settings: of the command.
        wanted: what to look at; everything if nothing is named. An embedded Redis is not started for this.

    Raises:
        InputError: home cannot be used, or the Redis server does not answer.
    """
    names = set(wanted or ("home", "redis")) - ({"redis"} if settings.embedded else set())
    try:
        for name, look in LOOKS:
            if name in names:
                look(settings)
    except AilmentError as ailment:
        raise InputError(f"{ailment.found}; {ailment.remedy}") from None


def _in_home(name: str, settings: Settings) -> bool:
    return name == "disk" or (name == "database" and not settings.database_url)


def _check(name: str, look: Look, settings: Settings | None) -> Check:
    try:
        return Check(name, True, look(settings))  # type: ignore[arg-type]  # the first two looks ignore it
    except AilmentError as ailment:
        return Check(name, False, ailment.found, ailment.remedy)
    except TouchstoneError as error:
        return Check(name, False, str(error), "do as the message says")
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}", REINSTALL)


def _python() -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < PYTHON:
        raise AilmentError(found, f"install Python {PYTHON[0]}.{PYTHON[1]} or newer")
    return found


def _packages() -> str:
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        raise AilmentError(f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return f"all {len(PACKAGES)} looked for are installed"


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _home(settings: Settings) -> str:
    remedy = f"make it writable, or set {PREFIX}HOME to a folder that is"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home) as file:
            file.write(b"x")
    except OSError as error:
        raise AilmentError(f"{settings.home} cannot be written to ({error.strerror})", remedy) from error
    return f"{settings.home} is writable"


def _disk(settings: Settings) -> str:
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:,.1f} GB free at {place}"
    if free < FREE_BYTES:
        raise AilmentError(found, f"free at least {FREE_BYTES / 1e9:.1f} GB, or set {PREFIX}HOME to another disk")
    return found


def _database(settings: Settings) -> str:
    from sqlalchemy import inspect, make_url, text
    from sqlalchemy.exc import SQLAlchemyError

    from services.database import Database

    shown = make_url(settings.database).render_as_string(hide_password=True)
    database = Database(settings.database)
    try:
        with database.create().read() as connection:
            connection.execute(text("SELECT 1"))
            tables = len(inspect(connection).get_table_names())
    except InputError as error:
        found, _, remedy = str(error).partition("; ")
        raise AilmentError(found, remedy or "do as the message says") from error
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise AilmentError(f"{shown}: {reason}", f"check {PREFIX}DATABASE_URL and {PREFIX}HOME") from error
    finally:
        database.close()
    return f"{shown}, {tables} tables"


def _redis(settings: Settings) -> str:
    return _own_redis() if settings.embedded else _remote_redis(settings.redis_url)


def _own_redis() -> str:
    """Start a server in a home of its own, so that looking never meddles with a run."""
    from services.embedded_redis import EmbeddedRedis

    with tempfile.TemporaryDirectory(prefix="touchstone-doctor-") as home, EmbeddedRedis(Path(home)) as server:
        return f"embedded server starts: {_redis_version(server.url)}"


def _remote_redis(url: str) -> str:
    from urllib.parse import urlsplit

    import redis

    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        return f"{place} answers: {_redis_version(url)}"
    except (redis.exceptions.RedisError, ValueError, OSError) as error:
        remedy = f"start it, mend {PREFIX}REDIS_URL, or leave that empty for an embedded server"
        raise AilmentError(f"{place}: {error}", remedy) from error


def _redis_version(url: str) -> str:
    import redis

    with redis.Redis.from_url(url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS) as client:
        found = client.info("server")
    return f"Redis {found['redis_version']}"


def _embedder(_settings: Settings) -> str:
    from knowledge_base.model_files import DEFAULT_MODEL, model_folder

    model_folder(DEFAULT_MODEL)
    return f"{DEFAULT_MODEL}: the weights are the official ones"


def _catalogue(_settings: Settings) -> str:
    from knowledge_base.entries import load_catalogue

    criteria = load_catalogue()
    bound = sum(c.programmatic for c in criteria)
    return f"{len(criteria)} prior criteria, {bound} of them bound to signals"


def _model(settings: Settings, endpoint: Endpoint) -> str:
    """Make one real call."""
    from knowledge_base.errors import ProviderError
    from services.model_probe import probe

    where = f"{endpoint.model} at {endpoint.base_url or 'its provider'}"
    try:
        found = probe(endpoint, settings)
    except ProviderError as error:
        fault, _, remedy = str(error).partition("; ")
        raise AilmentError(f"{where}: {fault}", remedy or MODEL_REMEDY) from error
    judgment = found.judgment
    if judgment.status in ("invalid", "failed"):
        raise AilmentError(f"{where}: {judgment.status}: {judgment.rationale}", MODEL_REMEDY)
    if judgment.verdict != "A":
        raise AilmentError(f"{where}: it says that six times seven is not 42", "judge with a more capable model")
    tokens = f"{found.prompt_tokens:,} + {found.completion_tokens:,} tokens"
    again = f", {found.calls - 1} repairs" if found.calls > 1 else ""
    return f"{where} judges a pair in {found.seconds:.1f} s, {tokens}{again}"


def _signals(_settings: Settings) -> str:
    from agents.expression import check
    from knowledge_base.entries import load_catalogue

    import_module("agents.signals")
    from agents.signals.signal import SIGNALS

    for criterion in load_catalogue():
        if criterion.programmatic:
            check(criterion.expression, SIGNALS)
    return f"{len(SIGNALS)} signals; every expression of the catalogue reads"


LOOKS: tuple[tuple[str, Look], ...] = (
    ("home", _home), ("disk", _disk), ("database", _database), ("redis", _redis), ("embedder", _embedder),
    ("catalogue", _catalogue), ("signals", _signals),
)  # fmt: skip
"""Everything looked at once the settings are known, in order."""
