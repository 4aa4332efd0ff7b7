"""Everything that can be configured, read from `TOUCHSTONE_...` variables once and checked before anything starts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from knowledge_base.errors import InputError
from services.access.settings import AccessSettings
from services.annotation.settings import AnnotationSettings
from services.client_settings import ClientSettings
from services.model_checks import check_models
from services.model_settings import PREFIX as PREFIX
from services.model_settings import ModelSettings, as_variable
from services.roles.settings import RoleSettings
from services.webhooks.settings import WebhookSettings

DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
TRANSPORTS = ("unix://", "redis://", "rediss://")

SECRET = re.compile(r"(?<=://)[^/\s]*(?=@)|(?<=api_key).*", re.DOTALL)
"""What of a faulty value is not shown: name and password of an address, and a key put where it does not belong."""


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("touchstone"))


def _default_workers() -> int:
    return max(2, os.cpu_count() or 1)


class Settings(ModelSettings, AccessSettings, AnnotationSettings, ClientSettings, RoleSettings, WebhookSettings):
    """One deployment's settings; build it with `load_settings`, which explains what is wrong with a value.

    Attributes:
        home: folder of the embedded database and of what a running command records of itself.
        redis_url: `unix://`, `redis://` or `rediss://`; empty starts a private server for the time of the command.
        database_url: an SQLAlchemy URL; empty means an SQLite file under `home`.
        workers: worker processes that a command starts, 0 to 256; 0 only where others serve `redis_url`.
        batch_size: judgments in a job, 1 to 1000, before pairs are kept whole.
        max_attempts: times a judgment (or a step of the manager) is begun before it counts as failed, 1 to 100.
        lease_seconds: how long a thread stays taken after its holder was last heard of, 1 to 3600.
        sweep_seconds: pause between two sweeps for work that was lost, 0.05 to 3600.
        job_seconds: longest time one job may take, 1 to 86400.
        threads: threads of numerical libraries in each worker, 1 to 64.
        parties: importable module with a `parties(settings)` factory: who judges and who manages.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    home: Path = Field(default_factory=_default_home)
    redis_url: str = ""
    database_url: str = ""
    workers: Annotated[int, Field(ge=0, le=256)] = Field(default_factory=_default_workers)
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 64
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    sweep_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 1.0
    job_seconds: Annotated[int, Field(ge=1, le=86400)] = 900
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    parties: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")] = "services.parties"

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("redis_url")
    @classmethod
    def _known_transport(cls, value: str) -> str:
        if value and not value.startswith(TRANSPORTS):
            raise ValueError(f"start it with {' or '.join(TRANSPORTS)}, or leave it empty for an embedded server")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(DATABASES):
            raise ValueError(f"start it with {' or '.join(DATABASES)}, or leave it empty for a file under home")
        return value

    @property
    def database(self) -> str:
        """The SQLAlchemy URL that is used."""
        return self.database_url or f"sqlite:///{self.home / 'touchstone.sqlite'}"

    @property
    def embedded(self) -> bool:
        """Whether a command starts its own Redis server."""
        return not self.redis_url

    def environment(self) -> dict[str, str]:
        """The variables from which another process builds the same settings; keys stand in them in clear."""
        return {f"{PREFIX}{name.upper()}": as_variable(value) for name, value in self.model_dump().items()}


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, with some given by hand.

    Raises:
        InputError: a value cannot be used; the message names the variable, the value and what would do.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise InputError("\n".join(_explain(fault) for fault in error.errors())) from None
    if settings.embedded and settings.workers == 0:
        raise InputError(f"{PREFIX}WORKERS is 0; use 1 or more, or set {PREFIX}REDIS_URL to a server with workers")
    check_models(settings)
    return settings


def _explain(fault: Any) -> str:
    name, *inside = map(str, fault["loc"] or ("settings",))
    remedy = fault["msg"].removeprefix("Value error, ")
    place = "".join(f"[{part!r}]" for part in inside)
    value = "(hidden)" if name.endswith("api_key") else SECRET.sub("(hidden)", repr(fault["input"]))
    return f"{PREFIX}{name.upper()}{place} is {value}; {remedy[:1].lower()}{remedy[1:]}"
