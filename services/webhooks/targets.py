"""From a webhook's address to the addresses of machines that may be connected to, or a refusal that says why."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from knowledge_base.errors import AddressRefused
from services.access.settings import Network
from services.model_settings import PREFIX
from services.webhooks.addresses import refusal, within

LONGEST_URL = 2000
MOST_ADDRESSES = 16
WELL_KNOWN = {80, 443}

NO_WEB_PORTS = frozenset({
    1099, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432, 5672, 5900, 5984, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 8500, 9042, 9092, 9200,
    9300, 10080, 10250, 11211, 26379, 27017,
})  # fmt: skip
"""Above 1023: what browsers refuse (Fetch standard, "bad port"), and databases, queues and orchestrators."""

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port -> addresses; raises OSError where there are none."""


@dataclass(frozen=True)
class Target:
    """Where a message goes.

    Attributes:
        url: as it was given.
        addresses: of machines, each looked at; at least one.
    """

    url: httpx.URL
    addresses: tuple[str, ...]

    @property
    def host(self) -> str:
        """Name or address, in ASCII."""
        return self.url.raw_host.decode("ascii")


def resolve_host(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, by the system's resolver. Raises OSError if there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def find_target(url: str, allowed: Sequence[Network], resolver: Resolver = resolve_host) -> Target:
    """Where a message to this address goes, as of now.

    Raises:
        AddressRefused: the address cannot be used, does not resolve, or leads to a machine that it must not lead to;
            one such machine among several is enough.
    """
    parsed = checked_url(url)
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    host = parsed.raw_host.decode("ascii")
    try:
        addresses = tuple(resolver(host, port))[:MOST_ADDRESSES]
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{host} cannot be resolved ({error}); check the name") from None
    if not addresses:
        raise AddressRefused(f"{host} resolves to no address; check the name")
    for address in addresses:
        _check(parsed, host, address, allowed)
    return Target(parsed, addresses)


def checked_url(url: str) -> httpx.URL:
    """The address, looked at without asking anybody.

    Raises:
        AddressRefused: it is not a plain `https://` or `http://` address with a port that web servers have.
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused(
            f"the address {url[:80]!r} cannot be used; write at most {LONGEST_URL} ASCII characters without spaces or "
            "backslashes"
        )
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressRefused(f"the address {url[:80]!r} cannot be read ({error})") from None
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise AddressRefused(f"the address {url[:80]!r} is not of the web; start it with https://")
    if parsed.userinfo:
        raise AddressRefused("the address holds a name or password; messages are signed instead, leave it out")
    if parsed.fragment:
        raise AddressRefused("the address holds a fragment (#...), which no server is told; leave it out")
    _check_port(parsed.port)
    return parsed


def _check_port(port: int | None) -> None:
    if port is None or port in WELL_KNOWN:
        return
    if not 1024 <= port <= 65535 or port in NO_WEB_PORTS:
        raise AddressRefused(f"no message is sent to port {port}; use 443, 80 or a web server's port above 1023")


def _check(url: httpx.URL, host: str, address: str, allowed: Sequence[Network]) -> None:
    why = refusal(address, allowed)
    if why:
        raise AddressRefused(
            f"{host} leads to {address}, which is {why}; if it is meant, add its network to {PREFIX}WEBHOOK_NETWORKS"
        )
    if url.scheme == "http" and not within(address, allowed):
        raise AddressRefused(f"{host} is not in {PREFIX}WEBHOOK_NETWORKS, so it must be told over https://")
