"""Whether the server may listen where it is told to: beyond this machine only if that is wanted, and with keys."""

from __future__ import annotations

import ipaddress
import time

from knowledge_base.errors import InputError
from services.access.keys import list_keys
from services.access.settings import AccessSettings
from services.database import Database
from services.model_settings import PREFIX


def check_bind(settings: AccessSettings, database: Database) -> None:
    """Make sure that the server may listen on `api_host`.

    Raises:
        InputError: it would be reached from other machines, and `public` is not set or there is no admin key that
            works.
    """
    if not is_loopback(settings.api_host) and not settings.public:
        raise InputError(
            f"{PREFIX}API_HOST is {settings.api_host!r}, which other machines reach; make an admin key with "
            f"`touchstone keys create NAME --scope admin` and set {PREFIX}PUBLIC=true, or use 127.0.0.1"
        )
    if settings.public and not has_admin(database):
        raise InputError(
            f"{PREFIX}PUBLIC is set, but no admin key works: nobody could manage the server; make one with `touchstone "
            "keys create NAME --scope admin`"
        )


def has_admin(database: Database) -> bool:
    """Whether a key with the scope admin is in force."""
    now = time.time()
    return any("admin" in key.scopes and key.state(now) == "active" for key in list_keys(database))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on, or speaks from, this address or name."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
