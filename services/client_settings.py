"""Settings of commands that have a server do the work."""

from __future__ import annotations

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.model_settings import PREFIX


class ClientSettings(BaseSettings):
    """The part of the settings that names a server.

    Attributes:
        url: of a server, such as `https://touchstone.example.org`; where it is set, `mine` and `label` have the server
            do the work. Empty: they do it themselves.
        api_key: key for that server; empty for a server without keys.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    url: str = ""
    api_key: SecretStr = SecretStr("")

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("start it with http:// or https://, or leave it empty to work here")
        return value.rstrip("/")
