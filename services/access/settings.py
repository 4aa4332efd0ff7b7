"""Settings of who may reach the server, and from where."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.model_settings import PREFIX, listed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AccessSettings(BaseSettings):
    """The part of the settings that is about access to the API.

    Attributes:
        api_host: address that the server listens on; anything but loopback needs `public` and an admin key.
        api_port: port that the server listens on, 0 to 65535; 0: any free one.
        public: whether the server may be reached from other machines, itself or through a proxy; then nothing is
            done without a key.
        key_pepper: secret that the stored hashes of keys are made with, so that the database alone cannot tell a good
            key; once it changes, no key made before it works.
        trusted_proxies: networks of proxies whose X-Forwarded-For is believed, such as `10.0.0.0/8`, separated by
            commas.
        failures_per_minute: failed authentications from one address (of IPv6, one /64 network) before more are
            refused, 1 to 10000.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    api_host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65535)] = 8400
    public: bool = False
    key_pepper: SecretStr = SecretStr("")
    trusted_proxies: str = ""
    failures_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 30

    @field_validator("trusted_proxies")
    @classmethod
    def _of_networks(cls, value: str) -> str:
        return ",".join(map(str, networks_of(value)))

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Networks of proxies that are believed."""
        return networks_of(self.trusted_proxies)


def networks_of(value: str) -> tuple[Network, ...]:
    """The networks that stand between the commas.

    Raises:
        ValueError: one cannot be read.
    """
    try:
        return tuple(ipaddress.ip_network(part) for part in listed(value))
    except ValueError as error:
        raise ValueError(f"write networks such as 10.0.0.0/8 or fd00::/8, separated by commas ({error})") from None
