"""Settings of webhooks: the secret that they are signed with, and where they may go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge_base.errors import InputError
from services.access.settings import Network, networks_of
from services.model_settings import PREFIX, listed

SHORTEST_SECRET = 32


class WebhookSettings(BaseSettings):
    """The part of the settings that is about webhooks.

    Attributes:
        webhook_secret: secret of 32 characters or more that the signing secret of every webhook is derived from;
            needed as soon as there is one. To change it, write the new one and the old one, separated by a comma:
            messages are then signed with both.
        webhook_networks: private networks that webhooks may go to, such as `10.1.0.0/16`, separated by commas; only
            there is `http://` allowed.
        webhook_timeout_seconds: longest time that sending a message may take in all, 1 to 60.
        webhook_ca_file: PEM file of certificate authorities to trust beside the public ones; empty: none.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    webhook_secret: SecretStr = SecretStr("")
    webhook_networks: str = ""
    webhook_timeout_seconds: Annotated[float, Field(ge=1, le=60)] = 15.0
    webhook_ca_file: str = ""

    @field_validator("webhook_networks")
    @classmethod
    def _of_networks(cls, value: str) -> str:
        return ",".join(map(str, networks_of(value)))

    @field_validator("webhook_ca_file")
    @classmethod
    def _there(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError("name a file with certificates in PEM form, or leave it empty")
        return value

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """Private networks that webhooks may go to."""
        return networks_of(self.webhook_networks)

    def master_secrets(self) -> tuple[str, ...]:
        """The secrets to derive from, the newest first.

        Raises:
            InputError: there is none, or one is too short; no secret stands in the message.
        """
        # Not a validator: a message of pydantic's would show the value.
        secrets = tuple(listed(self.webhook_secret.get_secret_value()))
        if not secrets:
            raise InputError(f"webhooks are signed, and {PREFIX}WEBHOOK_SECRET is not set; {_REMEDY}")
        if min(map(len, secrets)) < SHORTEST_SECRET:
            raise InputError(f"{PREFIX}WEBHOOK_SECRET has fewer than {SHORTEST_SECRET} characters; {_REMEDY}")
        return secrets


_REMEDY = "set it to what `openssl rand -hex 32` prints, the same in every process"
